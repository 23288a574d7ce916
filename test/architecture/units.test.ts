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
      const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", `${ROOT}${unit}`], {
        encoding: "utf8",
      });

      // The program is not installed where the unit expects it; everything else it says counts.
      const said = stderr
        .split("\n")
        .filter((line) => line !== "" && !/^\S+: Command \/usr\/bin\/rollcall is not executable/.test(line));
      assert.deepEqual(said, []);
    });

    it(`exposes no more than its comments explain: ${unit}`, { skip }, () => {
      const { stdout } = spawnSync(
        "systemd-analyze",
        ["security", "--offline=yes", "--no-pager", `${ROOT}${unit}`],
        { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } },
      );

      const overall = /exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
      assert.ok(Number(overall) <= 2.5, stdout);
    });

    it(`starts what the package puts there: ${unit}`, () => {
      assert.match(readFileSync(`${ROOT}${unit}`, "utf8"), /^ExecStart=\/usr\/bin\/rollcall run$/m);
    });
  }
});
