/**
 * What a daemon costs while nothing happens: `npm run bench:idle`.
 *
 * Ten thousand users, an IAM with ETags, a sync every thirty seconds, a minute of looking. Prints resident memory next
 * to that of a bare Node measured in the same run, and CPU time of the daemon and its children. Never a pass or a fail.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot } from "../support/node-root.ts";
import { someUsers } from "../support/records.ts";
import { cpuSecondsOf, LAUNCHER, median, residentMiB } from "./measure.ts";

const USERS = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 60);

const bare = spawn(process.execPath, ["-e", "setTimeout(() => {}, 3e6)"]);
using node = makeNodeRoot();
await using iam = await startFakeIam(someUsers(USERS), [], { etags: true });
node.configure(iam.url, "schedule: { every: 30s, splay: 0s }\n");
node.write(
  "/etc/rollcall/rollcall.yaml",
  (node.read("/etc/rollcall/rollcall.yaml") ?? "").replace("pageSize: 50", "pageSize: 500"),
);
const daemon = spawn(LAUNCHER, ["run", "--root", node.path], { stdio: ["ignore", "pipe", "inherit"] });
let log = "";
daemon.stdout.on("data", (chunk: Buffer) => {
  log = `${log}${chunk.toString()}`.slice(-2000);
});
const start = performance.now();
while (!log.includes("in step") && performance.now() - start < 120_000) {
  await sleep(100);
}
await sleep(2000);
const bareMib = residentMiB(bare);
const before = cpuSecondsOf(daemon);
const requests = iam.requests.length;
const resident: number[] = [];
for (let second = 0; second < SECONDS; second += 1) {
  await sleep(1000);
  resident.push(residentMiB(daemon));
}
const cpu = cpuSecondsOf(daemon) - before;
const mib = median(resident);
console.log(
  [
    `${USERS} users, every 30 s, nothing changing, ${SECONDS} s:`,
    `  resident  ${mib.toFixed(1)} MiB (median; at most ${Math.max(...resident).toFixed(1)}), ${(mib / bareMib).toFixed(2)} × a bare Node (${bareMib.toFixed(1)} MiB)`,
    `  CPU       ${((cpu * 100) / SECONDS).toFixed(2)} % of a core (${cpu.toFixed(2)} s), ${iam.requests.length - requests} requests`,
  ].join("\n"),
);
daemon.kill("SIGTERM");
bare.kill("SIGKILL");
await once(daemon, "exit");
