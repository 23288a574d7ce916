/**
 * What `rollcall setup` asks of the real sshd, on files below a temporary directory.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { keyFilesOf, parseSshdSettings } from "../../src/formats/sshd-settings.ts";
import { readSshdSettings, testSshd } from "../../src/platform/sshd.ts";
import { missing } from "../support/namespace.ts";
import { run } from "../support/node-root.ts";

describe("the real sshd", { skip: missing("namespaces", "sshd") }, () => {
  it("says what is in force, for everybody and for one connection, and what is wrong", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "rollcall-sshd-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const [hostKey, configFile] = [join(directory, "key"), join(directory, "config")];
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
    writeFileSync(
      configFile,
      `HostKey ${hostKey}\nAuthorizedKeysFile /a/%u /b\nMatch User ada\nAuthorizedKeysFile /c\n`,
    );
    const keyFiles = async (user?: string) => {
      const connection = user === undefined ? undefined : { user, host: "h", address: "10.0.0.1" };
      const answer = await readSshdSettings({ configFile, connection });
      return answer.ok ? keyFilesOf(parseSshdSettings(answer.out)) : answer.said;
    };

    assert.deepEqual(await keyFiles(), ["/a/%u", "/b"]);
    assert.deepEqual(await keyFiles("ada"), ["/c"]);
    writeFileSync(configFile, `HostKey ${hostKey}\nPermitRoot maybe\n`);
    const answer = await testSshd({ configFile });
    assert.ok(!answer.ok && answer.why === "refused");
    assert.match(answer.said, /line 2: Bad configuration option: PermitRoot/);
  });
});
