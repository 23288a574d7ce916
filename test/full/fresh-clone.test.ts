/**
 * The README's first promise: two commands in a fresh clone, with the machine's own Node and npm.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

const ROOT = new URL("../..", import.meta.url).pathname;
const LIMIT_MS = 10 * 60_000;

/** Without the folder that npm puts in front, so that the machine's own node is found; a person's shell, not CI. */
function freshEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => name !== "CI" && !name.startsWith("npm_") && name !== "NODE_TEST_CONTEXT",
  );
  const path = (process.env["PATH"] ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  return { ...Object.fromEntries(entries), PATH: path.join(":") };
}

describe("a fresh clone in an empty directory", () => {
  it("runs the demo and the unit tests after npm ci, and leaves nothing uncommitted", () => {
    const clone = mkdtempSync(join(tmpdir(), "rollcall-clone-"));
    const inClone = (script: string) => {
      const options = { cwd: clone, env: freshEnvironment(), encoding: "utf8", timeout: LIMIT_MS } as const;
      const { status, stdout, stderr } = spawnSync("sh", ["-c", script], options);
      assert.equal(status, 0, `${script}\n${stdout}\n${stderr}`);
      return stdout;
    };

    try {
      inClone(`git clone --quiet ${ROOT} .`);
      inClone("npm ci");
      const demo = inClone("npm run demo");
      const tests = inClone("npm run test:unit");
      const status = inClone("git status --porcelain");

      assert.match(demo, /Everything is in /);
      assert.match(tests, /\d+ passed, 0 failed, 0 skipped/);
      assert.equal(status, "");
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  });
});
