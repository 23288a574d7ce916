/**
 * Runs tiers of tests, one after the other, and counts.
 *
 * In: the names of folders below test/. Out: the spec report, what the files and the slowest tests of each
 * tier took, and one closing line with what ran, passed, failed and was skipped over all tiers. In CI a skipped test is a failure: its component is missing.
 */

import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { BUILT, REPOSITORY } from "./program.ts";

const TEST = new URL("..", import.meta.url).pathname;
const isCi = process.env["CI"] === "true";
const totals = { tests: 0, passed: 0, failed: 0, skipped: 0 };

const tiers = process.argv.slice(2);

// Whoever edits the sources meanwhile changes nothing about this run, and what ships is what is tested. Unit tests start no program.
if (tiers.some((tier) => tier !== "unit")) {
  execFileSync(process.execPath, [join(REPOSITORY, "packaging/bundle.ts")], { stdio: "inherit" });
  process.env[BUILT] = join(REPOSITORY, "packaging/dist/main.js");
}

// Tests start the program hundreds of times; V8 need not compile it anew each time.
const compileCache = mkdtempSync(join(tmpdir(), "rollcall-compiled-"));
process.env["NODE_COMPILE_CACHE"] = compileCache;
process.on("exit", () => rmSync(compileCache, { recursive: true, force: true }));

for (const tier of tiers) {
  const start = performance.now();
  const files = globSync(`${tier}/**/*.test.ts`, { cwd: TEST }).map((file) => `${TEST}${file}`);
  const counts = await runTier(tier, files.sort());
  totals.tests += counts.passed + counts.failed + counts.skipped;
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  totals.skipped += counts.skipped;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${tier}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s`,
  );
}

console.log(`${totals.tests} tests ran`);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
if (isCi && totals.skipped > 0) {
  console.log("In CI nothing may be skipped: install what the tests above are missing.");
}
process.exitCode = totals.failed > 0 || totals.passed === 0 || (isCi && totals.skipped > 0) ? 1 : 0;

/** Milliseconds that tests which passed took, by file and one by one. */
interface Took {
  readonly files: Map<string, number>;
  readonly tests: Map<string, number>;
}

function printSlowest(title: string, took: ReadonlyMap<string, number>, count: number): void {
  console.log(title);
  for (const [what, milliseconds] of [...took].sort((a, b) => b[1] - a[1]).slice(0, count)) {
    console.log(`${(milliseconds / 1000).toFixed(1).padStart(7)} ${what}`);
  }
}

/** Unit tests share one process: to load what they test takes longer than most of them. */
function runTier(
  tier: string,
  files: string[],
): Promise<{ passed: number; failed: number; skipped: number }> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const isolation = tier === "unit" ? "none" : "process";
  return new Promise((resolve, reject) => {
    const concurrency = tier === "full" ? 1 : Math.max(3, availableParallelism() - 1);
    const stream = run({ files, isolation, concurrency });
    const took: Took = { files: new Map(), tests: new Map() };
    stream.on("test:pass", ({ details, file, line, name, nesting, skip }) => {
      const where = relative(TEST, file ?? "");
      if (nesting === 0) {
        took.files.set(where, (took.files.get(where) ?? 0) + details.duration_ms);
      }
      if (details.type !== "suite") {
        took.tests.set(`${where}:${line ?? 0} ${name}`, details.duration_ms);
      }
      const isSkipped = skip !== undefined && skip !== false;
      if (details.type !== "suite" || isSkipped) {
        counts[isSkipped ? "skipped" : "passed"] += 1;
      }
    });
    stream.on("test:fail", ({ details }) => {
      counts.failed += details.type === "suite" ? 0 : 1;
    });
    stream.on("error", reject);
    stream.on("end", () => {
      if (tier !== "unit") {
        printSlowest(`${tier}: seconds of each file`, took.files, took.files.size);
        printSlowest(`${tier}: the slowest tests`, took.tests, 15);
      }
      resolve(counts);
    });
    stream.compose(spec).pipe(process.stdout, { end: false });
  });
}
