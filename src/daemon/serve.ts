/**
 * Keeps a node in step until it is told to stop.
 *
 * In: how to sync, and everything that says when. One turn at a time: at the start, on schedule, on request, and
 * when the configuration or a file it names has changed. A bad new configuration is refused with every mistake,
 * and the old one stays in force. While the IAM is away, the node is kept as it was when the IAM was last believed.
 */

import type { Settings } from "../config/settings.ts";
import { messageOf } from "../model/failure.ts";
import type { TurnResult } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import type { DiskSpace } from "../platform/disk-space.ts";
import type { Log } from "../platform/log.ts";
import type { Notifier } from "../platform/notify.ts";
import type { Metrics } from "../report/metrics.ts";
import type { Asked } from "./decisions.ts";
import type { Health } from "./health.ts";
import { type Pulse, startPulse } from "./pulse.ts";
import type { Requests } from "./requests.ts";
import { logConditions, logFailure, logRecord, logUnchanged, type Memory } from "./run-log.ts";
import { waitMs } from "./schedule.ts";
import type { Syncer } from "./syncer.ts";
import type { Waker } from "./waker.ts";

/** The parts of a daemon. */
export interface ServeParts {
  /** Reads the configuration; throws with every mistake. */
  readonly load: () => Promise<Settings>;
  /** Tells of each change of the files that these settings name. */
  readonly watch: (settings: Settings, onChange: (path: string) => void) => Promise<AsyncDisposable>;
  /** Milliseconds until the schedule's next moment. */
  readonly untilNextMs: (settings: Settings) => number;
  readonly readDisks: (settings: Settings) => Promise<readonly DiskSpace[]>;
  /** Users are in place, from this IAM or from memory. */
  readonly onReady: () => void;
  /** The IAM was asked, answered, and is believed. */
  readonly onBelieved: () => Promise<void>;
  /** Gives back what a turn has left behind in memory. */
  readonly tidyUp: () => void;
  readonly syncer: Syncer;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly requests: Requests;
  readonly waker: Waker;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Returns when the signal aborts. */
export async function serve(parts: ServeParts, signal: AbortSignal): Promise<void> {
  const { health, log, requests, clock } = parts;
  const state: State = {
    isReady: false,
    isAnnounced: false,
    hasReported: false,
    problems: new Set(),
    failures: 0,
  };
  const watch = () =>
    parts.watch(health.knows.settings, (path) => {
      log.info("a file changed", { path });
      requests.reload();
    });
  await using stack = new AsyncDisposableStack();
  let watcher = await watch();
  stack.defer(() => watcher[Symbol.asyncDispose]());
  using pulse = startPulse(parts);
  // Also during a run, which may take long.
  stack.defer(clock.every(NAP_MS, () => logConditions(log, health.look())));
  log.info("started");
  await serveFromMemory(parts, state, signal);
  while (!signal.aborted) {
    if (requests.takeReload()) {
      await reload(parts, state);
      const next = await watch();
      await watcher[Symbol.asyncDispose]();
      watcher = next;
    }
    await takeTurn(parts, state, signal);
    await rest(parts, { state, pulse }, signal);
  }
  parts.notifier.stopping();
  log.info("stopped");
}

/** What the loop knows from one turn to the next. */
interface State extends Memory {
  /** Whether users were in place once. */
  isReady: boolean;
  /** Whether the service manager has heard of the start, or of the last reload, that it is over. */
  isAnnounced: boolean;
}

async function reload({ load, log, notifier, health }: ServeParts, state: State): Promise<void> {
  state.isAnnounced = false;
  notifier.reloading();
  try {
    health.knows.settings = await load();
    health.knows.configMistakes = undefined;
    log.info("configuration loaded");
  } catch (error) {
    health.knows.configMistakes = messageOf(error);
    log.error("configuration refused; the old one stays in force", { why: messageOf(error) });
  }
}

/** A fresh pod, or a node whose maps were lost, has users before the IAM is asked. */
async function serveFromMemory(parts: ServeParts, state: State, signal: AbortSignal): Promise<void> {
  const { syncer, health } = parts;
  const { settings } = health.knows;
  if (!(await syncer.usersAreInPlace(settings)) && (await syncer.mayFallBack(settings, health.ageMs()))) {
    await runOne(parts, { state, asked: { offline: true } }, signal);
  }
  await tell(parts, state, { isStarted: false });
}

/** A start is over after the first try at the latest: whoever starts the service by hand must not wait for an IAM. */
async function takeTurn(parts: ServeParts, state: State, signal: AbortSignal): Promise<void> {
  const { requests, syncer, health } = parts;
  const wanted = requests.takeSync();
  const result = await runOne(parts, { state, asked: wanted?.asked }, signal);
  const isLost = result.kind === "failed" && FALLS_BACK.test(result.failure.code);
  if (isLost && !signal.aborted && (await syncer.mayFallBack(health.knows.settings, health.ageMs()))) {
    await runOne(parts, { state, asked: { offline: true } }, signal);
  }
  wanted?.answer(result);
  await tell(parts, state, { isStarted: !signal.aborted });
  parts.tidyUp();
}

/** What the IAM says cannot be had, or is not believed; whatever is wrong with this node would be so from memory as well. */
const FALLS_BACK = /^(?:iam-|token-|config-|removals-refused$|unexpected$)/;

async function runOne(
  { syncer, health, metrics, clock, log, onBelieved }: ServeParts,
  { state, asked }: { readonly state: State; readonly asked: Asked | undefined },
  signal: AbortSignal,
): Promise<TurnResult> {
  const start = clock.monotonicMs();
  health.knows.runningSinceMs = start;
  const result = await syncer.turn(health.knows.settings, asked, signal);
  health.knows.runningSinceMs = undefined;
  if (result.kind === "failed" && result.failure.code === "nothing-held") {
    // A typing mistake of whoever asked; it says nothing of this node.
    log.info("nothing to accept", { why: result.failure.message });
    return result;
  }
  const seconds = (clock.monotonicMs() - start) / 1000;
  metrics.note(result, seconds);
  if (result.kind === "failed" && result.failure.code === "nothing-remembered") {
    log.warn("nothing to serve without the IAM", { why: result.failure.message });
    return result;
  }
  health.note(result, seconds);
  if (result.kind === "unchanged" || (result.kind === "done" && result.record.source === "iam")) {
    await onBelieved().catch((error: unknown) =>
      log.warn("when the IAM was last believed could not be noted", { why: messageOf(error) }),
    );
  }
  if (result.kind === "done") {
    logRecord(log, result.record, state);
  } else if (result.kind === "unchanged") {
    logUnchanged(log, state);
  } else if (result.failure.code !== "stopped") {
    logFailure(log, result.failure, state);
  }
  return result;
}

/** Tells the log, the service manager and whoever waits for users how things stand. */
async function tell(
  parts: ServeParts,
  state: State,
  { isStarted }: { readonly isStarted: boolean },
): Promise<void> {
  const { health, syncer, notifier } = parts;
  health.knows.usersAreInPlace = await syncer.usersAreInPlace(health.knows.settings);
  health.knows.disks = await parts.readDisks(health.knows.settings);
  health.knows.askedBy = syncer.askedBy();
  logConditions(parts.log, health.look());
  const status = statusLine(health, state);
  if (!state.isAnnounced && (health.knows.usersAreInPlace || isStarted)) {
    state.isAnnounced = true;
    notifier.ready(status);
  } else {
    notifier.status(status);
  }
  if (health.knows.usersAreInPlace && !state.isReady) {
    state.isReady = true;
    parts.onReady();
  }
}

function statusLine(health: Health, { hasReported, failures }: State): string {
  const { failure, record } = health.view();
  if (!hasReported && failures === 0) {
    return "no sync yet since the start";
  }
  if (failure !== undefined) {
    const place = health.knows.usersAreInPlace ? "" : "no users are in place, and ";
    return `${place}the last sync failed: ${failure.code}`;
  }
  const { users = 0, groups = 0, keys = 0 } = record?.served ?? {};
  return `in step: ${users} users, ${groups} groups, ${keys} keys`;
}

/** Timers hold 24 days at most, the clock may be set meanwhile, and conditions are shown after a while. */
const NAP_MS = 10_000;

async function rest(
  parts: ServeParts,
  { state, pulse }: { readonly state: State; readonly pulse: Pulse },
  signal: AbortSignal,
): Promise<void> {
  const { health, clock, waker, requests } = parts;
  const { settings } = health.knows;
  const dice = { splay: settings.schedule.splay, random: parts.random() };
  let left = waitMs(parts.untilNextMs(settings), state.failures, dice);
  for (let isWoken = false; left > 0 && !isWoken && !requests.areWaiting() && !signal.aborted; ) {
    health.knows.nextRunAtMs = clock.monotonicMs() + left;
    pulse.beat();
    const nap = Math.min(left, NAP_MS);
    isWoken = await waker.sleep(nap, signal);
    left = Math.min(left - nap, waitMs(parts.untilNextMs(settings), state.failures, dice));
  }
  health.knows.nextRunAtMs = undefined;
  pulse.beat();
}
