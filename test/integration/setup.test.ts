/**
 * `rollcall setup` on files below a temporary directory: an image, with the real sshd to say what they come to.
 */

import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { keyFilesOf, parseSshdSettings } from "../../src/formats/sshd-settings.ts";
import { readSshdSettings, testSshd } from "../../src/platform/sshd.ts";
import { missing } from "../support/namespace.ts";
import { makeNodeRoot, type NodeRoot, run } from "../support/node-root.ts";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
const MAIN = join(REPOSITORY, "src/main.ts");

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

/** A tree that could become an image: two files to change, and no service manager. */
function makeImage(): NodeRoot {
  const image = makeNodeRoot();
  image.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n");
  image.write("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n");
  image.write("/etc/ssh/sshd_config.d/10-image.conf", "AuthorizedKeysFile /etc/image-keys/%u\n");
  return image;
}

const DROP_IN = "/etc/ssh/sshd_config.d/00-rollcall.conf";

describe("setup below another root", { skip: missing("sshd") }, () => {
  for (const directory of ["/etc", "/run"]) {
    it(`writes nothing where ${directory} became a link out of that root`, async (t) => {
      using image = makeImage();
      assert.equal((await image.rollcall("setup")).code, 0);
      const outside = mkdtempSync(join(tmpdir(), "rollcall-outside-"));
      t.after(() => rmSync(outside, { recursive: true }));
      renameSync(join(image.path, directory), join(outside, "moved"));
      symlinkSync(join(outside, "moved"), join(image.path, directory));
      const before = readdirSync(outside, { recursive: true });
      const nsswitch = join(outside, "moved/nsswitch.conf");
      const text = existsSync(nsswitch) ? readFileSync(nsswitch, "utf8") : "";

      const undone = await image.rollcall("setup", "--undo");

      assert.match(undone.err, /leads out of .*\[setup-refused\]/);
      assert.deepEqual(readdirSync(outside, { recursive: true }), before);
      assert.equal(existsSync(nsswitch) ? readFileSync(nsswitch, "utf8") : "", text);
    });
  }

  it("goes by the files of that root alone, never by this machine's", async () => {
    using image = makeImage();

    const ran = await image.rollcall("setup", "--json");

    assert.equal(ran.code, 0, ran.err);
    assert.match(
      image.read(DROP_IN) ?? "",
      /^AuthorizedKeysFile \/etc\/ssh\/authorized_keys\.d\/%u \/etc\/image-keys\/%u$/m,
    );
    assert.match(image.read("/etc/nsswitch.conf") ?? "", /^passwd: files cache$/m);
    assert.equal(
      image.read("/etc/rollcall/rollcall.yaml"),
      readFileSync(join(REPOSITORY, "packaging/rollcall.yaml"), "utf8"),
    );
    assert.equal(statSync(join(image.path, "var/lib/rollcall")).mode & 0o777, 0o700);
    assert.equal(statSync(join(image.path, "etc/ssh/authorized_keys.d")).mode & 0o777, 0o755);
    assert.deepEqual(JSON.parse(ran.out).left, []);
    assert.match(JSON.parse(ran.out).notes.join(), /libnss_cache\.so\.2 is not installed/);
    assert.deepEqual(JSON.parse(ran.out).reloaded, []);
  });

  it("says what it could not check when this machine's sshd does not take the configuration", async () => {
    using image = makeImage();
    image.write("/etc/ssh/sshd_config", "OptionOfNextYear yes\nAuthorizedKeysFile /a /b\n");

    const ran = await image.rollcall("setup");

    assert.equal(ran.code, 0, ran.err);
    assert.match(
      ran.out,
      /did not check[^]*\/etc\/ssh\/sshd_config: line 1: Bad configuration option: OptionOfNextYear/,
    );
    assert.match(
      image.read("/etc/ssh/sshd_config") ?? "",
      /^#.*\nAuthorizedKeysFile \/etc\/ssh\/authorized_keys\.d\/%u \/a \/b\nOptionOfNextYear yes\n/,
    );
    assert.equal((await image.rollcall("setup", "--undo")).code, 0);
    assert.equal(image.read("/etc/ssh/sshd_config"), "OptionOfNextYear yes\nAuthorizedKeysFile /a /b\n");
  });

  it("goes by the configuration that is there, and follows it when the directory of keys is another one", async () => {
    using image = makeImage();
    image.configure("https://iam.example.org/scim", "keys: { directory: /etc/keys-one }\n");
    assert.equal((await image.rollcall("setup")).code, 0);
    image.configure("https://iam.example.org/scim", "keys: { directory: /etc/keys-two }\n");

    const ran = await image.rollcall("setup");

    assert.equal(ran.code, 0, ran.err);
    assert.match(
      image.read(DROP_IN) ?? "",
      /^AuthorizedKeysFile \/etc\/keys-two\/%u \/etc\/image-keys\/%u$/m,
    );
    assert.equal((await image.rollcall("setup", "--undo")).code, 0);
    assert.equal(image.read(DROP_IN), undefined);
    assert.equal(image.read("/etc/nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\n");
  });

  it("refuses a link in the tree that leads out of it", async () => {
    using image = makeImage();
    rmSync(join(image.path, "etc/ssh/sshd_config.d"), { recursive: true });
    symlinkSync("/etc/ssh/sshd_config.d", join(image.path, "etc/ssh/sshd_config.d"));

    const ran = await image.rollcall("setup");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /leads out of/);
    assert.equal(image.read("/etc/nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\n");
  });

  it("warns of a Match block that says otherwise", async () => {
    using image = makeImage();
    image.write(
      "/etc/ssh/sshd_config.d/60-backup.conf",
      "Match User backup\nAuthorizedKeysFile /etc/backup\n",
    );

    const ran = await image.rollcall("setup", "--dry-run");

    assert.equal(ran.code, 2, ran.err);
    assert.match(ran.out, /Line 2 of \/etc\/ssh\/sshd_config\.d\/60-backup\.conf is in a Match block/);
  });

  it("installs the unit with this program in it, unless a package brought one", async () => {
    using image = makeImage();
    const launcher = join(REPOSITORY, "packaging/rollcall");
    image.write("/usr/lib/systemd/systemd", "", 0o755);
    image.write(launcher, "#!/bin/sh\n", 0o755);
    const unit = "/etc/systemd/system/rollcall.service";

    assert.equal((await image.rollcall("setup")).code, 0);

    const shipped = readFileSync(join(REPOSITORY, "systemd/rollcall.service"), "utf8");
    const installed = image.read(unit) ?? "";
    assert.match(installed, new RegExp(`^ExecStart=${launcher} run$`, "m"));
    assert.equal(
      installed.replace(/^.*\n/, "").replace(/^ExecStart=.*$/m, ""),
      shipped.replace(/^ExecStart=.*$/m, ""),
    );
    assert.equal((await image.rollcall("setup", "--undo")).code, 0);
    assert.equal(image.read(unit), undefined);
    image.write("/usr/lib/systemd/system/rollcall.service", shipped);
    assert.equal((await image.rollcall("setup")).code, 0);
    assert.equal(image.read(unit), undefined);
    image.write(unit, installed);
    const hidden = await image.rollcall("setup");
    assert.equal(hidden.code, 1);
    assert.match(
      hidden.err,
      /rollcall\.service, by an earlier setup, hides the unit of the package\. Run: rm /,
    );
  });

  describe("where keys.files is off", () => {
    const launcher = join(REPOSITORY, "packaging/rollcall");
    const asking = `AuthorizedKeysCommand ${launcher} keys %u\nAuthorizedKeysCommandUser nobody\n`;
    const files = "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u /etc/image-keys/%u\n";
    const configure = (image: NodeRoot, isOn: boolean) =>
      image.configure("https://iam.example.org/scim", `keys: { files: ${isOn} }\n`);

    it("makes sshd ask this program, and read the files of others as before; and back, and undone", async () => {
      using image = makeImage();
      image.write(launcher, "#!/bin/sh\n", 0o755);
      configure(image, true);
      assert.equal((await image.rollcall("setup")).code, 0);
      assert.match(image.read(DROP_IN) ?? "", new RegExp(`^#.*\n${files}$`));
      configure(image, false);

      const there = await image.rollcall("setup");
      const wired = image.read(DROP_IN) ?? "";
      const again = await image.rollcall("setup", "--dry-run");
      configure(image, true);
      const back = await image.rollcall("setup");
      const unwired = image.read(DROP_IN) ?? "";
      configure(image, false);
      await image.rollcall("setup");
      const undone = await image.rollcall("setup", "--undo");

      assert.equal(there.code, 0, there.err);
      assert.match(there.out, /AuthorizedKeysFile stays beside AuthorizedKeysCommand/);
      assert.equal(wired.slice(wired.indexOf("\n") + 1), `${asking}${files}`);
      assert.equal(again.code, 0, again.out);
      assert.equal(back.code, 0, back.err);
      assert.equal(unwired.slice(unwired.indexOf("\n") + 1), files);
      assert.equal(undone.code, 0, undone.err);
      assert.equal(image.read(DROP_IN), undefined);
    });

    it("leaves sshd alone where it asks another program, or must not run this one", async () => {
      using image = makeImage();
      configure(image, false);
      const absent = await image.rollcall("setup");
      image.write(launcher, "#!/bin/sh\n", 0o775);
      const open = await image.rollcall("setup");
      image.write(launcher, "#!/bin/sh\n", 0o755);
      image.write(
        "/etc/ssh/sshd_config.d/20-directory.conf",
        "AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys %u\nAuthorizedKeysCommandUser nobody\n",
      );
      const other = await image.rollcall("setup");

      assert.deepEqual([absent.code, open.code, other.code], [1, 1, 1]);
      assert.match(absent.err, /sshd is left alone: there is no program/);
      assert.match(open.err, /sshd is left alone: others can change/);
      assert.match(
        other.err,
        /another one \(line 1 of \/etc\/ssh\/sshd_config\.d\/20-directory\.conf: AuthorizedKeysCommand \/usr\/bin\/sss_ssh_authorizedkeys %u\); take that out, then run this again/,
      );
      assert.equal(image.read(DROP_IN), undefined);
    });

    it("warns of a Match block that asks another program", async () => {
      using image = makeImage();
      image.write(launcher, "#!/bin/sh\n", 0o755);
      configure(image, false);
      image.write(
        "/etc/ssh/sshd_config.d/60-backup.conf",
        "Match User backup\nAuthorizedKeysCommand /usr/bin/other %u\nAuthorizedKeysCommandUser nobody\n",
      );

      const ran = await image.rollcall("setup", "--dry-run");

      assert.equal(ran.code, 2, ran.err);
      assert.match(ran.out, /Line 2 of .*60-backup\.conf is in a Match block.*unless it asks Rollcall\./);
    });
  });

  it("changes nothing when it cannot remember what it changes", async () => {
    using image = makeImage();
    const before = image.read("/etc/nsswitch.conf");

    const ran = await run("prlimit", ["--fsize=200", process.execPath, MAIN, "--root", image.path, "setup"]);

    assert.equal(ran.code, 1, ran.out);
    assert.match(ran.err, /Nothing was changed, because a record of it cannot be kept: EFBIG/);
    assert.equal(image.read("/etc/nsswitch.conf"), before);
    assert.equal(image.read("/etc/rollcall/rollcall.yaml"), undefined);
  });

  it("refuses a record that is damaged, or that others can change", async () => {
    using image = makeImage();
    assert.equal((await image.rollcall("setup")).code, 0);
    const record = image.read("/var/lib/rollcall/setup/record") ?? "";
    image.write("/var/lib/rollcall/setup/record", record.slice(0, -20), 0o600);

    for (const args of [["setup"], ["setup", "--undo"]]) {
      const ran = await image.rollcall(...args);

      assert.equal(ran.code, 1);
      assert.match(ran.err, /record of an earlier setup.*is damaged/);
    }
    image.write("/var/lib/rollcall/setup/record", record, 0o666);
    assert.match((await image.rollcall("setup", "--undo")).err, /can be changed by others than root/);
    image.write("/var/lib/rollcall/setup/record", record, 0o600);
    assert.equal((await image.rollcall("setup", "--undo")).code, 0);
  });
});
