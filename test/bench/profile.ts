/**
 * Where the time of a sync goes: `npm run bench:profile`.
 *
 * A cold and an unchanged sync with V8's sampling profiler, summed up by function: by itself, and with what it called.
 * Option: `--users 100000 --top 25`. The profiles are left for a viewer.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeNodeRoot } from "../support/node-root.ts";
import { benchConfig, LAUNCHER, startLoadIam } from "./measure.ts";

const { values: options } = parseArgs({
  options: { users: { type: "string", default: "100000" }, top: { type: "string", default: "25" } },
});

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds by function name. */
function sumUp({ nodes, samples, timeDeltas }: Profile) {
  const name = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName || "(anonymous)"]));
  const parent = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id])));
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  const add = (sums: Map<string, number>, key: string, delta: number) =>
    sums.set(key, (sums.get(key) ?? 0) + delta);
  for (const [position, sample] of samples.entries()) {
    const delta = timeDeltas[position] ?? 0;
    const seen = new Set<string>();
    add(self, name.get(sample) ?? "", delta);
    for (let id: number | undefined = sample; id !== undefined; id = parent.get(id)) {
      const caller = name.get(id) ?? "";
      if (!seen.has(caller)) {
        seen.add(caller);
        add(total, caller, delta);
      }
    }
  }
  return { self, total };
}

function print(title: string, sums: ReadonlyMap<string, number>): void {
  console.log(`  ${title}`);
  const largest = [...sums].sort(([, left], [, right]) => right - left).slice(0, Number(options.top));
  for (const [name, microseconds] of largest) {
    console.log(`  ${(microseconds / 1000).toFixed(0).padStart(8)} ms  ${name}`);
  }
}

await using iam = await startLoadIam({ users: Number(options.users) });
using node = makeNodeRoot();
node.write("/etc/rollcall/rollcall.yaml", benchConfig(iam.url, "keys: { files: false }\n"));
for (const title of ["cold", "unchanged"]) {
  const directory = mkdtempSync(join(tmpdir(), `rollcall-profile-${title}-`));
  const env = { ...process.env, NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory}` };
  const child = spawn(LAUNCHER, ["sync", "--root", node.path], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await once(child, "exit");
  const file = join(directory, readdirSync(directory)[0] ?? "");
  const { self, total } = sumUp(JSON.parse(readFileSync(file, "utf8")));
  console.log(`${title} sync of ${options.users} users (${file}):`);
  print("by itself", self);
  print("with what it called", total);
}
