/**
 * Months of a daemon in a minute.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { startFakeIam } from "../support/fake-iam.ts";
import { someUsers } from "../support/records.ts";

const SOAK = new URL("../support/soak.ts", import.meta.url).pathname;
const LAUNCHER = readFileSync(new URL("../../packaging/rollcall", import.meta.url), "utf8");
const EVERY_MS = 30_000;
const SPLAY_MS = 5000;

describe("ten thousand scheduled ticks", () => {
  it("neither leak, nor overlap, nor drift by more than the splay", { timeout: 600_000 }, async () => {
    const [, flags = ""] = /" run "[^]*?set -- (--.*?) "\$main"/.exec(LAUNCHER) ?? [];
    const environment = Object.fromEntries(
      LAUNCHER.matchAll(/(MALLOC_\w+)=(\d+)/g).map(([, name, value]) => [name, value]),
    );

    await using iam = await startFakeIam(someUsers(200), [], { etags: true });
    iam.misbehave = () => {
      iam.requests.length = 0;
      return false;
    };

    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--expose-gc", ...flags.split(" "), SOAK, iam.url],
      {
        env: { PATH: process.env["PATH"], ...environment },
      },
    );

    const said: {
      ticks: number;
      mostInFlight: number;
      results: Record<string, number>;
      shortestGapMs: number;
      longestGapMs: number;
      residentMib: [early: number, late: number];
    } = JSON.parse(stdout);
    const [early, late] = said.residentMib;
    console.log(`      ${stdout.trim()}`);
    assert.equal(said.ticks, 10_000);
    assert.equal(said.mostInFlight, 1);
    assert.ok(said.shortestGapMs >= EVERY_MS && said.longestGapMs <= EVERY_MS + SPLAY_MS);
    assert.ok((said.results["done"] ?? 0) >= 10, "a whole sync every four hours");
    assert.equal(said.results["failed"], undefined);
    assert.ok(late <= early * 1.1, `${early} MiB after 1,000 ticks, ${late} at the end`);
  });
});
