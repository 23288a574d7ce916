/**
 * Keeps a node in step until it is told to stop.
 *
 * In: how to load settings and how to run once. One run at a time: at the start, on schedule, on request, and
 * when the configuration or a file it names has changed. A bad new configuration is refused with every mistake,
 * and the old one stays in force.
 */

import type { Settings } from "../config/settings.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { RunReport } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { logFailure, logReport, type Memory } from "./run-log.ts";
import { waitMs } from "./schedule.ts";
import { createWaker, type Waker } from "./waker.ts";

/** The parts of a daemon. */
export interface ServeParts {
  /** Reads the configuration; throws with every mistake. */
  readonly load: () => Promise<Settings>;
  /** One sync under these settings. */
  readonly run: (settings: Settings, signal: AbortSignal) => Promise<RunReport>;
  /** Tells of each change of the files that these settings name. */
  readonly watch: (settings: Settings, onChange: (path: string) => void) => Promise<AsyncDisposable>;
  /** Calls back when a person or a service manager asks. */
  readonly on: (request: "reload" | "sync", handler: () => void) => void;
  /** Milliseconds until the schedule's next moment. */
  readonly untilNextMs: (settings: Settings) => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Returns when the signal aborts; throws when there is no sound configuration to begin with. */
export async function serve(parts: ServeParts, signal: AbortSignal): Promise<void> {
  const { log } = parts;
  const waker = createWaker(parts.clock);
  let settings = await parts.load();
  let isStale = false;
  const onChange = (path: string) => {
    log.info("a file changed", { path });
    isStale = true;
    waker.wake();
  };
  parts.on("sync", waker.wake);
  parts.on("reload", () => {
    isStale = true;
    waker.wake();
  });
  let watcher = await parts.watch(settings, onChange);
  const memory: Memory = { problems: new Set(), failures: 0 };
  log.info("started");
  while (!signal.aborted) {
    if (isStale) {
      isStale = false;
      settings = await reload(parts, settings);
      const next = await parts.watch(settings, onChange);
      await watcher[Symbol.asyncDispose]();
      watcher = next;
    }
    await runAndLog(parts, settings, { memory, signal });
    const dice = { splay: settings.schedule.splay, random: parts.random() };
    await sleepInSlices(waker, waitMs(parts.untilNextMs(settings), memory.failures, dice), signal);
  }
  await watcher[Symbol.asyncDispose]();
  log.info("stopped");
}

/** Timers hold 24 days at most, and a cron expression may name a moment next year. */
const SLICE_MS = 3_600_000;

async function sleepInSlices(waker: Waker, ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms, woken = false; left > 0 && !woken && !signal.aborted; left -= SLICE_MS) {
    woken = await waker.sleep(Math.min(left, SLICE_MS), signal);
  }
}

async function reload({ load, log }: ServeParts, old: Settings): Promise<Settings> {
  try {
    const fresh = await load();
    log.info("configuration loaded");
    return fresh;
  } catch (error) {
    log.error("configuration refused; the old one stays in force", { why: messageOf(error) });
    return old;
  }
}

async function runAndLog(
  { run, log }: ServeParts,
  settings: Settings,
  { memory, signal }: { readonly memory: Memory; readonly signal: AbortSignal },
): Promise<void> {
  try {
    logReport(log, await run(settings, signal), memory);
  } catch (error) {
    if (!signal.aborted || error instanceof Failure) {
      logFailure(log, error, memory);
    }
  }
}
