/**
 * How long a changed key takes from the IAM to sshd: `npm run bench:login`.
 *
 * A real daemon with `every: 2s`, the real sshd, and one key among so many that is exchanged again and again. The clock runs
 * from the moment the IAM answers differently until sshd accepts the new key and refuses the old one, and is shown beside
 * the interval and the time that two knocks at sshd take. Options: `--users 100000 --runs 5`. Never a pass or a fail.
 */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { TOKEN } from "../support/fake-iam.ts";
import { type KeyPair, type LoginNode, startLoginNode } from "../support/login-node.ts";
import { benchConfig, median, PROGRAM, startLoadIam } from "./measure.ts";

const EVERY_SECONDS = 2;
const REST_INTERVALS = 3;
const LIMIT_MS = 120_000;

const { values: options } = parseArgs({
  options: { users: { type: "string", default: "100000" }, runs: { type: "string", default: "5" } },
});
const users = Number(options.users);
const changed = Math.ceil(users / 2);
const user = `user${String(changed).padStart(6, "0")}`;

async function isLetIn(door: LoginNode, key: KeyPair): Promise<boolean> {
  return (await door.ssh2({ user, key, command: "true" })).code === 0;
}

/** Seconds until the new key opens the door and the old one does not, and how long the last two knocks took. */
async function secondsUntil(door: LoginNode, opens: KeyPair, closed: KeyPair | undefined) {
  const start = performance.now();
  while (performance.now() - start < LIMIT_MS) {
    const knock = performance.now();
    if ((await isLetIn(door, opens)) && (closed === undefined || !(await isLetIn(door, closed)))) {
      const now = performance.now();
      return { seconds: (now - start) / 1000, knocks: (now - knock) / 1000 };
    }
  }
  throw new Error(`the new key was not accepted, or the old one still was, after ${LIMIT_MS} ms`);
}

console.log("| users | keys | the IAM has | change to sshd | longest | every | two knocks |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const keysFrom of ["files", "command"] as const) {
  for (const [kind, can] of [
    ["ETags", { etag: true }],
    ["filters", { filter: true }],
  ] as const) {
    await using iam = await startLoadIam({ users, ...can });
    await using door = await startLoginNode({ usePam: true, keysFrom });
    const files = keysFrom === "files" ? "" : "keys: { files: false }\n";
    const extra = `${files}schedule: { every: ${EVERY_SECONDS}s, splay: 0s }\n`;
    await door.node.write("/etc/rollcall/token", TOKEN, 0o600);
    await door.node.write("/etc/rollcall/rollcall.yaml", benchConfig(iam.url, extra));
    const keys = await Promise.all(Array.from({ length: Number(options.runs) + 1 }, () => door.makeKey()));
    await iam.changeKeys(changed, 1, keys[0]?.line);
    await using _daemon = door.node.start(PROGRAM, "run");
    const results: { readonly seconds: number; readonly knocks: number }[] = [];
    for (const [nth, key] of keys.entries()) {
      // At any moment of the interval of a daemon that is at rest again.
      await sleep((REST_INTERVALS + Math.random()) * EVERY_SECONDS * 1000);
      await iam.changeKeys(changed, 1, key.line);
      const result = await secondsUntil(door, key, keys[nth - 1]);
      assert.ok(result.seconds > 0);
      results.push(result);
    }
    // The first one waits for the first sync of all.
    const later = results.slice(1);
    const seconds = later.map((result) => result.seconds);
    const cells = [
      users,
      keysFrom === "files" ? "a file each" : "asked for",
      kind,
      `${median(seconds).toFixed(2)} s`,
      `${Math.max(...seconds).toFixed(2)} s`,
      `${EVERY_SECONDS} s`,
      `${median(later.map((result) => result.knocks)).toFixed(2)} s`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
