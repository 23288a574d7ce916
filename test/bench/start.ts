/**
 * How long a command takes from its start to its end: `npm run bench:start`.
 *
 * Builds the program, lays it out as a package does, in a node of its own, and starts each command in turn, next to a bare Node:
 * the keys of one user as sshd asks for them, and the status, without a daemon and with one. Medians; never a pass or a fail.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { outputOf, startNamespace } from "../support/namespace.ts";

const ROUNDS = process.argv[2] ?? "11";
const REPOSITORY = new URL("../../", import.meta.url).pathname;

/** Runs inside: every command once each round, so that all of them have the same weather; the first round warms up. */
const LOOP = `
const { spawnSync } = require("node:child_process");
const [rounds, ...lines] = process.argv.slice(1);
const found = Object.fromEntries(lines.map((line) => [line, []]));
for (let round = 0; round <= Number(rounds); round += 1) {
  for (const line of lines) {
    const [program, ...args] = line.split(" ");
    const start = performance.now();
    const { status } = spawnSync(program, args, { stdio: "ignore" });
    if (status === null || status > 1) throw new Error(line + ": " + status);
    if (round > 0) found[line].push(performance.now() - start);
  }
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(JSON.stringify(Object.entries(found).map(([line, values]) => [line, median(values)])));
`;

await using node = await startNamespace();
const build = spawnSync(process.execPath, [`${REPOSITORY}packaging/bundle.ts`], { encoding: "utf8" });
if (build.status !== 0) {
  throw new Error(build.stderr);
}
const from = "/run/test/rollcall/packaging";
const lib = "/run/package/usr/lib/rollcall";
await node.run(
  "sh",
  "-euc",
  `mkdir -p ${lib} /run/package/usr/bin
   cp -r ${from}/dist ${from}/rollcall ${lib}
   ln -s /run/test/node ${lib}/node
   ln -s ../lib/rollcall/rollcall /run/package/usr/bin/rollcall`,
);
await node.write("/etc/rollcall/rollcall.yaml", readFileSync(`${REPOSITORY}packaging/rollcall.yaml`, "utf8"));
const rollcall = "/run/package/usr/bin/rollcall";
const BARE = "/run/test/node /dev/null";

async function show(...commands: readonly (readonly [what: string, line: string])[]): Promise<void> {
  const lines = [BARE, ...commands.map(([, line]) => line)];
  const ran = await node.run("/run/test/node", "-e", LOOP, ROUNDS, ...lines);
  const medians: readonly (readonly [line: string, ms: number])[] = JSON.parse(outputOf(ran));
  const msOf = new Map(medians);
  const bareMs = msOf.get(BARE) ?? Number.NaN;
  for (const [what, line] of [["a bare Node", BARE] as const, ...commands]) {
    const ms = msOf.get(line) ?? Number.NaN;
    console.log(
      `${what.padEnd(32)} ${ms.toFixed(1).padStart(6)} ms  ${(ms / bareMs).toFixed(2)} × a bare Node`,
    );
  }
}

await show(
  ["rollcall keys ada", `${rollcall} keys ada`],
  ["rollcall status, without a daemon", `${rollcall} status`],
);
await using daemon = node.start(rollcall, "run");
await daemon.printed("sync failed");
await show(["rollcall status, of a daemon", `${rollcall} status`]);
