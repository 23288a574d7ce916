/**
 * A daemon for ten thousand ticks: the real loop, real requests, real files, and a clock that only sleeping moves on.
 *
 * In: the IAM's address, as the only argument. Out: one line of JSON. A process of its own, started with the flags of
 * `packaging/rollcall`, so that what is resident is the daemon's and nobody else's.
 */

import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { createHealth } from "../../src/daemon/health.ts";
import { readDisks } from "../../src/daemon/places.ts";
import { createRequests } from "../../src/daemon/requests.ts";
import { type ServeParts, serve } from "../../src/daemon/serve.ts";
import { createSyncer, type Syncer } from "../../src/daemon/syncer.ts";
import { createWaker } from "../../src/daemon/waker.ts";
import { runToEnd } from "../../src/platform/child.ts";
import { createLog } from "../../src/platform/log.ts";
import { createNotifier } from "../../src/platform/notify.ts";
import { watchFiles } from "../../src/platform/watch.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import { surroundingsOf } from "./asker.ts";
import { createFakeClock } from "./fake-clock.ts";
import { makeNodeRoot } from "./node-root.ts";
import { MAIN } from "./program.ts";

const TICKS = 10_000;
/** So many ticks are measured at each end, and the least counts: how much the heap keeps at hand differs from one moment to the next. */
const WINDOW = 50;

using node = makeNodeRoot();
node.configure(process.argv[2] ?? "", "schedule: { every: 30s, splay: 5s, fullEvery: 4h }\n");
// The clock is fake, the time-outs of requests are real: five seconds of them would be hundreds of ticks.
node.write(
  "/etc/rollcall/rollcall.yaml",
  (node.read("/etc/rollcall/rollcall.yaml") ?? "").replace("timeout: 5s", "timeout: 500ms"),
);
const path = join(node.path, "etc/rollcall/rollcall.yaml");
const settings = await loadConfig(path);
const clock = createFakeClock();
const stop = new AbortController();
const seen = { starts: [] as number[], inFlight: 0, mostInFlight: 0, results: new Map<string, number>() };
const resident = { early: Number.POSITIVE_INFINITY, late: Number.POSITIVE_INFINITY };
const real = createSyncer({
  around: surroundingsOf(node, clock),
  command: () => ({
    program: process.execPath,
    args: [MAIN, "--json", "--root", node.path, "--config", path, "sync"],
  }),
  runToEnd,
  onDistrust: () => undefined,
});
const counted: Syncer = {
  ...real,
  async turn(now, asked, signal) {
    seen.starts.push(clock.monotonicMs());
    seen.inFlight += 1;
    seen.mostInFlight = Math.max(seen.mostInFlight, seen.inFlight);
    const result = await real.turn(now, asked, signal);
    seen.inFlight -= 1;
    seen.results.set(result.kind, (seen.results.get(result.kind) ?? 0) + 1);
    if (seen.starts.length > 1000 - WINDOW && seen.starts.length <= 1000) {
      resident.early = Math.min(resident.early, residentBytes());
    }
    if (seen.starts.length > TICKS - WINDOW) {
      resident.late = Math.min(resident.late, residentBytes());
    }
    if (seen.starts.length === TICKS) {
      stop.abort();
    }
    return result;
  },
};
const waker = createWaker(clock);
const parts: ServeParts = {
  load: () => loadConfig(path),
  watch: (_, onChange) => watchFiles([path], onChange),
  untilNextMs: ({ schedule }) => schedule.every,
  readDisks: (now) => readDisks(now, node.path),
  onReady: () => undefined,
  tidyUp: () => undefined,
  onBelieved: async () => undefined,
  syncer: counted,
  health: createHealth({ clock, version: "test", configPath: path, isPatient: true }, settings),
  metrics: createMetrics("test"),
  requests: createRequests(() => waker.wake()),
  waker,
  notifier: createNotifier({ socket: undefined, watchdogUsec: undefined }, () => undefined),
  clock,
  random: Math.random,
  log: createLog("json", () => undefined),
};

await serve(parts, stop.signal);

const gaps = seen.starts.slice(1).map((start, nth) => start - (seen.starts[nth] ?? 0));
console.log(
  JSON.stringify({
    ticks: seen.starts.length,
    mostInFlight: seen.mostInFlight,
    results: Object.fromEntries(seen.results),
    shortestGapMs: Math.min(...gaps),
    longestGapMs: Math.max(...gaps),
    residentMib: [resident.early / 2 ** 20, resident.late / 2 ** 20],
  }),
);

function residentBytes(): number {
  globalThis.gc?.({ execution: "sync", flavor: "last-resort", type: "major" });
  return process.memoryUsage.rss();
}
