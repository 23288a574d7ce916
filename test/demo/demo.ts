/**
 * Shows the main job in a few seconds: no root, no network, no configuration.
 *
 * A small SCIM service runs on loopback with a sample organisation; the real program syncs it into a throwaway
 * directory. Then somebody is hired, a key is rotated, somebody is deactivated and asks why, and the differences are shown.
 */

import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseGroup } from "../../src/formats/group.ts";
import { parsePasswd } from "../../src/formats/passwd.ts";
import { parseSshkey } from "../../src/formats/sshkey.ts";
import { type FakeIam, type Resource, startFakeIam } from "../support/fake-iam.ts";
import { furnishNode, type NodeRoot, nodeRootAt } from "../support/node-root.ts";
import { aKey, POSIX } from "../support/records.ts";
import { groups, newcomer, people } from "./organisation.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const LIMIT_MS = 60_000;

const tooLong = setTimeout(() => {
  console.error("The demo took longer than a minute and was stopped.");
  process.exit(1);
}, LIMIT_MS);

await using iam = await startFakeIam(people(), groups(), { etags: true });
const node = nodeRootAt(mkdtempSync(join(tmpdir(), "rollcall-demo-")));
furnishNode(node);
node.configure(iam.url, "guard: { minRemovals: 3 }\n");

say("Day 1: an empty node meets the IAM");
await rollcall("sync");
showAccounts(node);

say("Day 2: Radia is hired, Ada replaces a key, Alan is deactivated");
hire(iam);
await rollcall("sync");
showAccounts(node);

say("Alan asks why he cannot log in any more");
await rollcall("explain", "alan");

say("Day 3: nothing has changed");
await rollcall("sync");

say("Night: the IAM suddenly knows one person only");
iam.users = iam.users.slice(0, 1);
await rollcall("sync");

console.log(`\nEverything is in ${node.path}:`);
for (const path of [
  "etc/passwd.cache",
  "etc/group.cache",
  "etc/shadow.cache",
  "etc/sshkey.cache",
  "etc/ssh/authorized_keys.d/",
  "home/",
]) {
  console.log(`  ${join(node.path, path)}`);
}
console.log(`Remove it with: rm -r ${node.path}`);
clearTimeout(tooLong);

function hire(service: FakeIam): void {
  const [ada, ...others] = service.users as Resource[];
  const keys = {
    ...(ada?.[POSIX] as Resource),
    sshKeys: [aKey(1, "ada@laptop"), aKey(99, "ada@new-workstation")],
  };
  const rest = others.map((user) => (user["userName"] === "alan" ? { ...user, active: false } : user));
  service.users = [{ ...ada, [POSIX]: keys }, ...rest, newcomer()];
}

/** Runs the real program, with what it prints going straight to the terminal. */
function rollcall(...args: readonly string[]): Promise<void> {
  console.log(`$ rollcall ${args.join(" ")} --root ${node.path}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args, "--root", node.path], { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => {
      console.log(`(exit code ${code})`);
      resolve();
    });
  });
}

function showAccounts(root: NodeRoot): void {
  const bytesOf = (path: string) => Buffer.from(root.read(path) ?? "");
  const members = parseGroup(bytesOf("/etc/group.cache"));
  const keys = new Map(
    parseSshkey(bytesOf("/etc/sshkey.cache")).map((record) => [record.name, record.keys.length]),
  );
  console.table(
    parsePasswd(bytesOf("/etc/passwd.cache")).map((user) => ({
      user: user.name,
      uid: user.uid,
      name: user.gecos,
      home: user.home,
      shell: user.shell,
      groups: members
        .filter((group) => group.members.includes(user.name))
        .map((group) => group.name)
        .join(","),
      keys: keys.get(user.name) ?? 0,
    })),
  );
}

function say(text: string): void {
  console.log(`\n=== ${text}\n`);
}
