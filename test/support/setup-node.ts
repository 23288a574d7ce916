/**
 * A node before setup: its nsswitch.conf and sshd_config, and a look at everything that must be the same after an undo.
 */

import assert from "node:assert/strict";
import { type Namespace, outputOf } from "./namespace.ts";

/** Where sshd is to look first. */
export const KEYS = "/etc/ssh/authorized_keys.d/%u";
/** As Debian and Red Hat begin sshd_config. */
export const INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf";

/** Kind, mode, owner, link and content of everything in /etc, and what there is of Rollcall's state. */
const LOOK = `cd /
find etc var/lib/rollcall -printf '%p %y %m %U %G %l\\n' 2>/dev/null
find etc -type f -exec sha256sum {} +`;

/** By line; sorted. */
export async function snapshotOf(node: Namespace): Promise<string[]> {
  return outputOf(await node.run("sh", "-c", `{ ${LOOK}\n} | sort`)).split("\n");
}

/** Compares so that a failure shows a few lines, and not all of /etc. */
export function assertSame(now: readonly string[], before: readonly string[]): void {
  const [old, fresh] = [new Set(before), new Set(now)];
  const changed = [
    ...before.filter((line) => !fresh.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
  assert.deepEqual(changed, []);
}

/** Puts these files there, and nothing else into sshd_config.d. */
export async function furnishSetup(node: Namespace, files: Readonly<Record<string, string>>): Promise<void> {
  await node.run("sh", "-c", "rm -rf /etc/ssh/sshd_config.d; mkdir /etc/ssh/sshd_config.d");
  for (const [path, content] of Object.entries(files)) {
    await node.write(path, content);
  }
}

/** AuthorizedKeysFile, as the real sshd has it. */
export async function keyFilesOf(node: Namespace): Promise<string | undefined> {
  const settings = outputOf(await node.run("/usr/sbin/sshd", "-T"));
  return /^authorizedkeysfile (.*)$/m.exec(settings)?.[1];
}
