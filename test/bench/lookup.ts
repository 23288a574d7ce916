/**
 * What a lookup costs whoever logs in, as a whole process: `npm run bench:lookup`.
 *
 * getent(1) through the indexes, and `rollcall keys USER` by files and out of the map, with few users and with many, beside a
 * bare Node. Option: `--users 1000,100000 --runs 5`. Never a pass or a fail.
 */

import { parseArgs } from "node:util";
import { TOKEN } from "../support/fake-iam.ts";
import { type Namespace, outputOf, startNamespace } from "../support/namespace.ts";
import { benchConfig, median, PROGRAM, startLoadIam } from "./measure.ts";

const CALLS = 20;

const { values: options } = parseArgs({
  options: { users: { type: "string", default: "1000,100000" }, runs: { type: "string", default: "5" } },
});

/** Milliseconds of one call, the median of several series. */
async function msOf(node: Namespace, command: string): Promise<number> {
  const series = `i=0; while [ $i -lt ${CALLS} ]; do ${command} > /dev/null; i=$((i + 1)); done`;
  const script = `s=$(date +%s%N); ${series}; e=$(date +%s%N); echo $((e - s))`;
  const times: number[] = [];
  for (let run = 0; run < Number(options.runs); run += 1) {
    times.push(Number(outputOf(await node.run("sh", "-euc", script))) / CALLS / 1e6);
  }
  return median(times);
}

console.log(
  "| users | getent passwd NAME | getent passwd UID | rollcall keys, a file | rollcall keys, the map | a bare Node |",
);
console.log("| --- | --- | --- | --- | --- | --- |");
for (const users of options.users.split(",").map(Number)) {
  await using iam = await startLoadIam({ users });
  await using node = await startNamespace();
  const nth = Math.ceil(users * 0.7);
  const name = `user${String(nth).padStart(6, "0")}`;
  const sync = async (extra: string) => {
    await node.write("/etc/rollcall/token", TOKEN, 0o600);
    await node.write("/etc/rollcall/rollcall.yaml", benchConfig(iam.url, extra));
    outputOf(await node.run(PROGRAM, "sync"));
    outputOf(
      await node.run("sh", "-euc", `${PROGRAM} keys ${name} | grep -q ssh-ed25519; getent passwd ${name}`),
    );
  };
  await sync("");
  const times = [
    await msOf(node, `getent passwd ${name}`),
    await msOf(node, `getent passwd ${100_000 + nth}`),
    await msOf(node, `${PROGRAM} keys ${name}`),
  ];
  await sync("keys: { files: false }\n");
  times.push(await msOf(node, `${PROGRAM} keys ${name}`), await msOf(node, "/run/test/node -e 0"));
  console.log(`| ${[users, ...times.map((ms) => `${ms.toFixed(1)} ms`)].join(" | ")} |`);
}
