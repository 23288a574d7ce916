/**
 * What a turn of the daemon costs while nothing changes, and what it takes at rest: `npm run bench:daemon`.
 *
 * By what the IAM can do: ETags, filters, or neither. CPU is that of the daemon and of every process it started, next to that
 * of its own first sync, and to that of a turn that finds one new key. Options: `--users 10000,100000 --turns 10`. Never a pass or a fail.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ask, socketOf } from "../support/daemon.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import type { LoadOptions } from "./load-iam.ts";
import {
  benchConfig,
  cpuSecondsOf,
  LAUNCHER,
  type LoadIam,
  newerFiles,
  residentMiB,
  startLoadIam,
} from "./measure.ts";

const { values: options } = parseArgs({
  options: { users: { type: "string", default: "10000,100000" }, turns: { type: "string", default: "10" } },
});

const KINDS: Readonly<Record<string, Partial<LoadOptions>>> = {
  ETags: { etag: true },
  "filters, no ETags": { filter: true },
  neither: {},
};
const EVERY_MS = 2000;

/** How many turns have come to an end: with a sync, or whatever their result. */
async function turnsOf(node: NodeRoot, results: "done" | "any"): Promise<number> {
  const { text } = await ask(socketOf(node, "health"), "/metrics").catch(() => ({ text: "" }));
  const counts = [...text.matchAll(/^rollcall_syncs_total\{result="(\w+)"\} (\d+)$/gm)];
  const counted = counts.filter(([, result]) => results === "any" || result === results);
  return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
}

async function waitForTurns(node: NodeRoot, turns: number, results: "done" | "any" = "any"): Promise<number> {
  const limit = performance.now() + 300_000;
  for (;;) {
    const done = await turnsOf(node, results);
    if (done >= turns) {
      return done;
    }
    if (performance.now() > limit) {
      throw new Error(`only ${done} of ${turns} turns in five minutes`);
    }
    await sleep(50);
  }
}

/** Seconds, from the change until a sync has ended with it; they have the questions in between. */
async function cpuOfOneKey(iam: LoadIam, node: NodeRoot, daemon: ChildProcess): Promise<number> {
  const [cpu, syncs] = [cpuSecondsOf(daemon), await turnsOf(node, "done")];
  await iam.changeKeys(1, 1);
  await waitForTurns(node, syncs + 1, "done");
  return cpuSecondsOf(daemon) - cpu;
}

console.log(
  "| users | the IAM has | CPU of a turn | of the first sync's | requests | bytes | files | at rest | CPU with one new key |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const users of options.users.split(",").map(Number)) {
  for (const [kind, kindOptions] of Object.entries(KINDS)) {
    await using iam = await startLoadIam({ users, ...kindOptions });
    using node = makeNodeRoot();
    const extra = `keys: { files: false }\nschedule: { every: ${EVERY_MS}ms, splay: 0s }\n`;
    node.write("/etc/rollcall/rollcall.yaml", benchConfig(iam.url, extra));
    const daemon = spawn(LAUNCHER, ["run", "--root", node.path], { stdio: ["ignore", "ignore", "inherit"] });
    await waitForTurns(node, 1);
    const first = cpuSecondsOf(daemon);
    // The second turn may still learn how the server answers.
    const before = await waitForTurns(node, 3);
    await iam.traffic();
    const [cpu, start] = [cpuSecondsOf(daemon), Date.now()];
    // Asking how far it is would cost it more than a turn does.
    await sleep(EVERY_MS * Number(options.turns));
    const turns = (await waitForTurns(node, before + 1)) - before;
    const { requests, bytes } = await iam.traffic();
    const each = (cpuSecondsOf(daemon) - cpu) / turns;
    const [files, rest] = [newerFiles(node.path, start), residentMiB(daemon)];
    const keyCpu = await cpuOfOneKey(iam, node, daemon);
    const cells = [
      users,
      kind,
      `${(each * 1000).toFixed(0)} ms`,
      `${((each * 100) / first).toFixed(1)} %`,
      (requests / turns).toFixed(1),
      `${(bytes / turns / 1e6).toFixed(3)} MB`,
      files,
      `${rest.toFixed(0)} MiB`,
      `${keyCpu.toFixed(2)} s`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
    daemon.kill("SIGTERM");
    await once(daemon, "exit");
  }
}
