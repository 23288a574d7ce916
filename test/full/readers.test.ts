/**
 * Readers under fire: lookups through glibc and libnss-cache while the maps are published again and again.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { missing, PROGRAM, startNamespace } from "../support/namespace.ts";

const [NODE] = PROGRAM;
const SUPPORT = "/run/test/rollcall/test/support";
const noPython = spawnSync("python3", ["--version"]).status === 0 ? false : "missing: python3";
const skip = missing("namespaces", "libnss-cache") || noPython;

interface Counted {
  readonly lookups: number;
  readonly aborts: number;
  readonly misses: number;
  readonly wrong: number;
}

async function underFire(
  layout: string,
  seconds: number,
): Promise<Counted & { readonly publishes: number; readonly layouts: number }> {
  await using node = await startNamespace();
  // Another tool's maps: in order, with its own indexes, without a sentinel.
  const foreign = await node.run(NODE, `${SUPPORT}/publisher.ts`, "naive", "0.2");
  assert.equal(foreign.code, 0, foreign.err);
  const publishing = node.run(NODE, `${SUPPORT}/publisher.ts`, layout, String(seconds));
  const readers = await node.run("python3", `${SUPPORT}/readers.py`, String(seconds - 1), "3");
  const publisher = await publishing;
  assert.equal(readers.code, 0, readers.err);
  assert.equal(publisher.code, 0, publisher.err);
  return { ...JSON.parse(readers.out), ...JSON.parse(publisher.out.trim().split("\n").at(-1) ?? "") };
}

describe("lookups while maps are published", { skip, timeout: 900_000 }, () => {
  it("never abort, never miss and never mistake anybody, three million times", async () => {
    const total = { lookups: 0, aborts: 0, misses: 0, wrong: 0, publishes: 0, layouts: 0 };
    for (let rounds = 0; rounds < 9 && total.lookups < 3_000_000; rounds += 1) {
      const counted = await underFire("slots", 55);
      for (const key of ["lookups", "aborts", "misses", "wrong", "publishes", "layouts"] as const) {
        total[key] += counted[key];
      }
    }

    console.log(`      slots: ${JSON.stringify(total)}`);
    assert.ok(total.lookups >= 3_000_000);
    assert.ok(total.publishes > 500 && total.layouts > 0);
    assert.deepEqual([total.aborts, total.misses, total.wrong], [0, 0, 0]);
  });

  for (const layout of ["naive", "no-sentinel"]) {
    it(`abort with ${layout}, so this test can fail`, async () => {
      let failures = 0;
      for (let rounds = 0; rounds < 6 && failures === 0; rounds += 1) {
        const counted = await underFire(layout, 20);
        console.log(`      ${layout}: ${JSON.stringify(counted)}`);
        failures = counted.aborts + counted.misses + counted.wrong;
      }

      assert.ok(failures > 0);
    });
  }
});
