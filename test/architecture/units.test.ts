/**
 * The shipped units are what systemd understands.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

const ROOT = new URL("../../", import.meta.url).pathname;
const skip = spawnSync("systemd-analyze", ["--version"]).status === 0 ? false : "missing: systemd-analyze";
const units = globSync("systemd/*.service", { cwd: ROOT });

describe("every unit", () => {
  it("is there", () => assert.ok(units.length > 0));

  for (const unit of units) {
    it(`passes systemd-analyze verify: ${unit}`, { skip }, () => {
      const { stderr } = spawnSync("systemd-analyze", ["verify", `${ROOT}${unit}`], { encoding: "utf8" });

      // The program is not installed where the unit expects it; everything else it says counts.
      const said = stderr
        .split("\n")
        .filter((line) => line !== "" && !/^\S+: Command \/opt\/rollcall\S+ is not executable/.test(line));
      assert.deepEqual(said, []);
    });

    it(`starts something that is in this tree: ${unit}`, () => {
      const program =
        /^ExecStart=\/opt\/rollcall\/(\S+)/m.exec(readFileSync(`${ROOT}${unit}`, "utf8"))?.[1] ?? "";

      assert.notEqual(readFileSync(`${ROOT}${program}`, "utf8"), "");
    });
  }
});
