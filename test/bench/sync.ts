/**
 * What a sync costs, next to the least it could cost: `npm run bench`.
 *
 * The floor is fetching each list once and parsing it (`floor.ts`), measured in the same run, with the same pages over as
 * many connections. Everything is the program as it is installed, run as a process of its own. Options:
 * `--users 1000,10000,100000 --latency 0,20 --runs 5 --key-files`. Never a pass or a fail.
 */

import { parseArgs } from "node:util";
import { makeNodeRoot } from "../support/node-root.ts";
import {
  benchConfig,
  type Cost,
  LAUNCHER,
  type LoadIam,
  measure,
  median,
  newerFiles,
  PAGE,
  PARALLEL,
  startLoadIam,
} from "./measure.ts";

const FLOOR = new URL("floor.ts", import.meta.url).pathname;

const { values: options } = parseArgs({
  options: {
    users: { type: "string", default: "1000,10000,100000" },
    latency: { type: "string", default: "0,20" },
    runs: { type: "string", default: "5" },
    "key-files": { type: "boolean", default: false },
  },
});
const runs = Number(options.runs);

/** One command, what it asked for, and how many files it left that are newer than its start. */
interface Run extends Cost {
  readonly requests: number;
  readonly megabytes: number;
  readonly files: number;
}

const SCENARIOS = ["floor", "cold", "unchanged", "one key", "1 % of the keys"] as const;
type Scenario = (typeof SCENARIOS)[number];

async function measured(iam: LoadIam, root: string | undefined, command: readonly string[]): Promise<Run> {
  await iam.traffic();
  const start = Date.now();
  const [program = "", ...args] = command;
  const cost = await measure(program, args);
  if (cost.code !== 0) {
    throw new Error(`${command.join(" ")} ended with ${cost.code}: ${cost.out.slice(-2000)}`);
  }
  const { requests, bytes } = await iam.traffic();
  const files = root === undefined ? 0 : newerFiles(root, start);
  return { ...cost, requests, megabytes: bytes / 1e6, files };
}

/** One round of all scenarios on a fresh node. */
async function round(iam: LoadIam, users: number): Promise<Map<Scenario, Run>> {
  using node = makeNodeRoot();
  const keys = options["key-files"] ? "" : "keys: { files: false }\n";
  node.write("/etc/rollcall/rollcall.yaml", benchConfig(iam.url, keys));
  const sync = () => measured(iam, node.path, [LAUNCHER, "sync", "--root", node.path]);
  const results = new Map<Scenario, Run>();
  const floor = [process.execPath, FLOOR, iam.url, String(PAGE), String(PARALLEL)];
  results.set("floor", await measured(iam, undefined, floor));
  results.set("cold", await sync());
  results.set("unchanged", await sync());
  await iam.changeKeys(Math.ceil(users / 2), 1);
  results.set("one key", await sync());
  await iam.changeKeys(1, Math.ceil(users / 100));
  results.set("1 % of the keys", await sync());
  return results;
}

function rowOf(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

console.log(
  rowOf(["users", "latency", "sync", "wall", "× floor", "CPU", "peak", "requests", "bytes", "files"]),
);
console.log(rowOf(Array.from({ length: 10 }, () => "---")));
for (const users of options.users.split(",").map(Number)) {
  for (const latencyMs of options.latency.split(",").map(Number)) {
    await using iam = await startLoadIam({ users, latencyMs, maxPage: PAGE });
    const rounds: Map<Scenario, Run>[] = [];
    for (let nth = 0; nth < runs; nth += 1) {
      rounds.push(await round(iam, users));
    }
    for (const scenario of SCENARIOS) {
      const of = (pick: (run: Run) => number) =>
        median(rounds.flatMap((results) => results.get(scenario) ?? []).map(pick));
      const ratio = median(rounds.map((results) => wallOf(results, scenario) / wallOf(results, "floor")));
      console.log(
        rowOf([
          users,
          `${latencyMs} ms`,
          scenario,
          `${of((run) => run.wallSeconds).toFixed(2)} s`,
          ratio.toFixed(1),
          `${of((run) => run.cpuSeconds).toFixed(2)} s`,
          `${of((run) => run.peakMiB).toFixed(0)} MiB`,
          of((run) => run.requests),
          `${of((run) => run.megabytes).toFixed(1)} MB`,
          of((run) => run.files),
        ]),
      );
    }
  }
}

function wallOf(results: ReadonlyMap<Scenario, Run>, scenario: Scenario): number {
  return results.get(scenario)?.wallSeconds ?? Number.NaN;
}
