/**
 * What the daemon knows of itself, gathered where it happens and judged in one place.
 *
 * In: how turns end, and what is wrong beside them. Out: a view, and what is newly wrong or right.
 */

import type { Settings } from "../config/settings.ts";
import type { RunFailure } from "../model/failure.ts";
import { type Moment, msBetween } from "../model/moment.ts";
import { type RunRecord, type TurnResult, withoutHistory } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import type { DiskSpace } from "../platform/disk-space.ts";
import type { HostFacts } from "../platform/host.ts";
import { conditionsOf, type Facts } from "../report/judge.ts";
import type { SavedReport } from "../report/saved.ts";
import type { View } from "../report/status.ts";
import { createTracker, type Turn } from "../report/tracker.ts";

/** Everything that is noted as it happens. */
export interface Knowledge {
  settings: Settings;
  usersAreInPlace: boolean;
  configMistakes: string | undefined;
  /** When the present run began, by the clock that never jumps; undefined between runs. */
  runningSinceMs: number | undefined;
  /** When the next run is due, by the same clock. */
  nextRunAtMs: number | undefined;
  host: HostFacts | undefined;
  disks: readonly DiskSpace[];
}

/** The health of one daemon. */
export interface Health {
  readonly knows: Knowledge;
  /** Takes over what an earlier process left. */
  recall(saved: SavedReport | undefined, believedAt: Moment | undefined): void;
  /** A turn has ended. */
  note(result: TurnResult): void;
  /** Judges anew; says what is newly raised and cleared. */
  look(): Turn;
  /** As of the last look. */
  view(): View;
  /** Milliseconds since the IAM was last believed; undefined when it never was. */
  ageMs(): number | undefined;
}

/** What does not change while a daemon runs. */
export interface HealthParts {
  readonly clock: Clock;
  readonly version: string;
  readonly configPath: string;
  /** Whether a condition is shown only when it has held for as long as the table says. */
  readonly isPatient: boolean;
}

/** A daemon that has not run yet. */
export function createHealth(parts: HealthParts, settings: Settings): Health {
  const { clock } = parts;
  const knows: Knowledge = {
    settings,
    usersAreInPlace: false,
    configMistakes: undefined,
    runningSinceMs: undefined,
    nextRunAtMs: undefined,
    host: undefined,
    disks: [],
  };
  const tracker = createTracker(parts.isPatient);
  let last: LastRun = { at: undefined, believedAt: undefined, failure: undefined, record: undefined };
  const ageMs = () => last.believedAt && msBetween(last.believedAt, clock.moment());
  return {
    knows,
    ageMs,
    recall(saved, believedAt) {
      last = { ...(saved ?? last), believedAt: believedAt ?? saved?.believedAt };
    },
    note(result) {
      last = afterTurn(last, result, clock.moment());
    },
    look() {
      const now = clock.monotonicMs();
      return tracker.look(conditionsOf(factsOf(knows, { last, ageMs: ageMs(), nowMs: now })), now);
    },
    view: () => viewOf(parts, knows, { last, ageMs: ageMs(), conditions: tracker.shown() }),
  };
}

function factsOf(
  knows: Knowledge,
  {
    last,
    ageMs,
    nowMs,
  }: { readonly last: LastRun; readonly ageMs: number | undefined; readonly nowMs: number },
): Facts {
  return {
    ...knows,
    failure: last.failure,
    record: last.record,
    ageMs,
    warnAfterMs: knows.settings.stale.warnAfter,
    runningMs: knows.runningSinceMs === undefined ? 0 : nowMs - knows.runningSinceMs,
  };
}

function viewOf(
  { clock, version, configPath }: HealthParts,
  knows: Knowledge,
  { last, ageMs, conditions }: { readonly last: LastRun } & Pick<View, "ageMs" | "conditions">,
): View {
  const { nextRunAtMs } = knows;
  return {
    ...knows,
    version,
    configPath,
    nowMs: clock.now(),
    isReady: knows.usersAreInPlace && last.record?.source !== "locked",
    conditions,
    failure: last.failure,
    record: last.record,
    lastRunAtMs: last.at?.wallMs,
    ageMs,
    nextRunInMs: nextRunAtMs === undefined ? undefined : nextRunAtMs - clock.monotonicMs(),
    isRunning: knows.runningSinceMs !== undefined,
  };
}

interface LastRun {
  readonly at: Moment | undefined;
  readonly believedAt: Moment | undefined;
  readonly failure: RunFailure | undefined;
  readonly record: RunRecord | undefined;
}

/** A run from memory says nothing of the IAM: why it was needed stays. */
function afterTurn(last: LastRun, result: TurnResult, at: Moment): LastRun {
  switch (result.kind) {
    case "unchanged":
      return { ...last, at, believedAt: at, failure: undefined };
    case "failed":
      return { ...last, at, failure: result.failure };
    case "done":
      // What was done is in the log; only what is still wrong is worth its memory.
      return result.record.source === "iam"
        ? { at, believedAt: at, failure: undefined, record: withoutHistory(result.record) }
        : { ...last, at, record: withoutHistory(result.record) };
  }
}
