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
import type { Notifier } from "../platform/notify.ts";
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
  /** Whether users are in place from an earlier sync, whatever the IAM says now. */
  readonly servesSomebody: (settings: Settings) => Promise<boolean>;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Returns when the signal aborts; throws when there is no sound configuration to begin with. */
export async function serve(parts: ServeParts, signal: AbortSignal): Promise<void> {
  const waker = createWaker(parts.clock);
  const state: State = {
    settings: await parts.load(),
    isStale: false,
    isReady: false,
    hasReported: false,
    problems: new Set(),
    failures: 0,
  };
  const makeStale = () => {
    state.isStale = true;
    waker.wake();
  };
  const watch = () =>
    parts.watch(state.settings, (path) => {
      parts.log.info("a file changed", { path });
      makeStale();
    });
  parts.on("sync", waker.wake);
  parts.on("reload", makeStale);
  let watcher = await watch();
  using pulse = startPulse(parts);
  parts.log.info("started");
  while (!signal.aborted) {
    if (state.isStale) {
      await reload(parts, state);
      const next = await watch();
      await watcher[Symbol.asyncDispose]();
      watcher = next;
    }
    await runAndTell(parts, state, signal);
    await rest(parts, { state, waker, pulse }, signal);
  }
  parts.notifier.stopping();
  await watcher[Symbol.asyncDispose]();
  parts.log.info("stopped");
}

/** What the loop knows from one turn to the next. */
interface State extends Memory {
  settings: Settings;
  /** Whether the configuration, or a file it names, may have changed since it was loaded. */
  isStale: boolean;
  /** Whether the service manager has heard that users are in place. */
  isReady: boolean;
}

async function reload({ load, log, notifier }: ServeParts, state: State): Promise<void> {
  state.isStale = false;
  state.isReady = false;
  notifier.reloading();
  try {
    state.settings = await load();
    log.info("configuration loaded");
  } catch (error) {
    log.error("configuration refused; the old one stays in force", { why: messageOf(error) });
  }
}

async function runAndTell(parts: ServeParts, state: State, signal: AbortSignal): Promise<void> {
  const status = await runAndLog(parts, state, signal);
  const usersAreInPlace = state.failures === 0 || (await parts.servesSomebody(state.settings));
  if (usersAreInPlace && !state.isReady) {
    state.isReady = true;
    parts.notifier.ready(status);
  } else {
    parts.notifier.status(status);
  }
}

async function runAndLog({ run, log }: ServeParts, state: State, signal: AbortSignal): Promise<string> {
  try {
    const report = await run(state.settings, signal);
    logReport(log, report, state);
    return `in step: ${report.served.users} users, ${report.served.groups} groups, ${report.served.keys} keys`;
  } catch (error) {
    if (!signal.aborted || error instanceof Failure) {
      logFailure(log, error, state);
    }
    return `the last sync failed: ${error instanceof Failure ? error.code : messageOf(error)}`;
  }
}

/** Timers hold 24 days at most, and a cron expression may name a moment next year. */
const SLICE_MS = 3_600_000;

async function rest(
  parts: ServeParts,
  { state, waker, pulse }: { readonly state: State; readonly waker: Waker; readonly pulse: Pulse },
  signal: AbortSignal,
): Promise<void> {
  const { splay } = state.settings.schedule;
  let left = waitMs(parts.untilNextMs(state.settings), state.failures, { splay, random: parts.random() });
  for (let isWoken = false; left > 0 && !isWoken && !signal.aborted; left -= SLICE_MS) {
    pulse.beat();
    isWoken = await waker.sleep(Math.min(left, SLICE_MS), signal);
  }
  pulse.beat();
}

interface Pulse extends Disposable {
  readonly beat: () => void;
}

/** A slice of sleep, and more than any sync takes with all its retries. */
const STUCK_MS = SLICE_MS + 30 * 60_000;

/** Says "alive" to the service manager while the loop goes round and this process is not blocked. */
function startPulse({ notifier, clock }: ServeParts): Pulse {
  let lastBeatMs = clock.monotonicMs();
  const tell = () => clock.monotonicMs() - lastBeatMs < STUCK_MS && notifier.alive();
  const stop =
    notifier.aliveEveryMs === undefined ? () => undefined : clock.every(notifier.aliveEveryMs, tell);
  return {
    beat: () => {
      lastBeatMs = clock.monotonicMs();
    },
    [Symbol.dispose]: stop,
  };
}
