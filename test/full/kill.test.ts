/**
 * kill -9 at random moments: whatever is left, the next start has a whole directory and takes over.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDaemon } from "../support/daemon.ts";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, waitFor } from "../support/node-root.ts";
import { MAIN } from "../support/program.ts";
import { aKey, aUser, someUsers } from "../support/records.ts";

const RUNS = 200;
const USERS = 40;
const MAPS = ["passwd", "group", "shadow", "sshkey"];

const leftovers = (node: NodeRoot) => globSync("**/.rollcall-*", { cwd: node.path });

/** Two organisations that differ in everything but the names that stay: rotated keys, gecos, people who come and go. */
function organisation(version: number): unknown[] {
  const stay = Array.from({ length: USERS - 2 }, (_, nth) =>
    aUser(nth + 1, { gecos: `Version ${version}`, keys: [aKey(nth + 1 + version * 1000)] }),
  );
  return [...stay, aUser(100 + version)];
}

describe("a sync that is killed at a random moment", () => {
  it(`leaves whole maps, a free lock and nothing that outlives the next run, ${RUNS} times`, {
    timeout: 900_000,
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(organisation(0), []);
    node.configure(iam.url);
    const mapsOf = () => MAPS.map((map) => node.read(`/etc/${map}.cache`));
    // Of the last one: other work of this machine comes and goes.
    let wholeMs = 0;
    const good: (string | undefined)[][] = [];
    const syncWhole = async () => {
      const start = performance.now();
      const ran = await node.rollcall("sync");
      wholeMs = performance.now() - start;
      return ran;
    };
    for (const version of [0, 1]) {
      iam.users = organisation(version);
      const ran = await syncWhole();
      assert.equal(ran.code, 0, ran.err);
      good.push(mapsOf());
    }
    let killed = 0;
    let halfWay = 0;
    for (let run = 0; run < RUNS; run += 1) {
      iam.users = organisation(run % 2);
      const child = spawn(process.execPath, [MAIN, "--root", node.path, "sync"], { stdio: "ignore" });
      // Most of a run is the start of the program: aim at the rest.
      await sleep(wholeMs * (0.5 + Math.random() * 0.7));
      child.kill("SIGKILL");
      killed += child.exitCode === null ? 1 : 0;
      if (child.exitCode === null && child.signalCode === null) {
        await once(child, "exit");
      }
      mapsOf().forEach((map, nth) =>
        assert.ok(
          map === good[0]?.[nth] || map === good[1]?.[nth],
          `${MAPS[nth]} is neither old nor new:\n${map}`,
        ),
      );
      halfWay +=
        leftovers(node).length > 0 || mapsOf().some((map, nth) => map !== good[(run + 1) % 2]?.[nth]) ? 1 : 0;

      const next = await syncWhole();

      assert.ok(next.code === 0, next.err);
      assert.deepEqual(mapsOf(), good[run % 2]);
      assert.deepEqual(leftovers(node), []);
    }
    console.log(
      `      ${killed} of ${RUNS} were killed before their end, ${halfWay} after they had begun to write`,
    );
    assert.ok(killed > RUNS / 4 && halfWay > RUNS / 20);
  });
});

describe("a daemon that is killed at a random moment", () => {
  it("is followed by one that takes over, while its sync ends with it", { timeout: 300_000 }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(USERS), []);
    node.configure(iam.url, "schedule: { every: 1s, splay: 0s }\n");
    for (let run = 0; run < 10; run += 1) {
      await using daemon = startDaemon(node);
      await sleep(300 + Math.random() * 1500);
      daemon.child.kill("SIGKILL");
    }

    await using last = startDaemon(node);
    await last.logged(/"in step"/);

    assert.match(node.read("/etc/passwd.cache") ?? "", new RegExp(`^user${USERS}:`, "m"));
    await waitFor(() => leftovers(node).length === 0);
  });
});
