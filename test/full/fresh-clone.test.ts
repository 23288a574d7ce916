/**
 * The README's first promise: two commands in a fresh clone, with the machine's own Node and npm.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { run } from "../support/node-root.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Without the folder that npm puts in front, so that the machine's own node is found. */
const PATH = (process.env["PATH"] ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

describe("a fresh clone in an empty directory", () => {
  it("runs the demo and the unit tests after npm ci, and leaves nothing uncommitted", async () => {
    const clone = mkdtempSync(join(tmpdir(), "rollcall-clone-"));
    const inClone = (script: string) => run("sh", ["-c", `cd ${clone} && ${script}`], { PATH, CI: "" });

    try {
      const cloned = await run("git", ["clone", "--quiet", ROOT, clone], { PATH });
      const installed = await inClone("npm ci");
      const demo = await inClone("npm run demo");
      const tests = await inClone("npm run test:unit");
      const status = await inClone("git status --porcelain");

      assert.deepEqual(
        [cloned.code, installed.code, demo.code, tests.code],
        [0, 0, 0, 0],
        installed.err + demo.err + tests.out,
      );
      assert.match(demo.out, /Everything is in /);
      assert.match(tests.out, /\d+ passed, 0 failed, 0 skipped/);
      assert.equal(status.out, "");
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  });
});
