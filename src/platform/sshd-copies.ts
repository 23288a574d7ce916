/**
 * Asks sshd about copies of a configuration that is not in force, or is another tree's.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "./child.ts";
import { readSshdSettings, type SshdAnswer } from "./sshd.ts";

/** A directory of this process alone, in which copies lie for as long as it takes. */
export interface SshdCopies extends AsyncDisposable {
  readonly path: string;
  /** Writes the copies, of which the first is sshd_config, and asks `sshd -T` about them. */
  ask(copies: ReadonlyMap<string, string>, main: string): Promise<SshdAnswer>;
}

const KEYGEN_TIMEOUT_MS = 20_000;

/** Disposing removes it. */
export async function makeSshdCopies(): Promise<SshdCopies> {
  const path = await mkdtemp(join(tmpdir(), "rollcall-sshd-"));
  let hostKey: string | undefined;
  return {
    path,
    async ask(copies, main) {
      for (const [name, text] of copies) {
        await writeFile(join(path, name), text, { encoding: "latin1", mode: 0o600 });
      }
      const configFile = join(path, main);
      const answer = await readSshdSettings({ configFile, hostKey });
      // An image has none before it starts for the first time, and sshd says nothing without one.
      if (hostKey !== undefined || answer.ok || !/no hostkeys available/.test(answer.said)) {
        return answer;
      }
      const key = join(path, "host_key");
      const args = ["-q", "-t", "ed25519", "-N", "", "-f", key];
      const made = await runTool({ program: "ssh-keygen", args }, KEYGEN_TIMEOUT_MS);
      if (made.code !== 0) {
        return { ...answer, said: `${answer.said}; making one for this question failed: ${made.err}` };
      }
      hostKey = key;
      return readSshdSettings({ configFile, hostKey });
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
