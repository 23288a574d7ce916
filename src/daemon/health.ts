/**
 * What the daemon knows of itself, gathered where it happens and judged in one place.
 *
 * In: how turns end, and what is wrong beside them. Out: a view, and what is newly wrong or right.
 */

import type { Settings } from "../config/settings.ts";
import type { RunFailure } from "../model/failure.ts";
import { type Moment, msBetween } from "../model/moment.ts";
import { type RunRecord, type TurnResult, worthKeeping } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import type { DiskSpace } from "../platform/disk-space.ts";
import type { HostFacts } from "../platform/host-facts.ts";
import { conditionsOf, type Facts } from "../report/judge.ts";
import { NO_PACE, type Pace, paceAfter } from "../report/pace.ts";
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
  /** As {@link View} has it. */
  askedBy: View["askedBy"];
  host: HostFacts | undefined;
  disks: readonly DiskSpace[];
}

/** The health of one daemon. */
export interface Health {
  readonly knows: Knowledge;
  /** Takes over what an earlier process left. */
  recall(saved: SavedReport | undefined, believedAt: Moment | undefined, pace: Pace): void;
  /** A turn has ended, after so many seconds. */
  note(result: TurnResult, seconds: number): void;
  /** How the last ones went. */
  pace(): Pace;
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
    askedBy: undefined,
    host: undefined,
    disks: [],
  };
  const tracker = createTracker(parts.isPatient);
  let last: LastRun = { at: undefined, believedAt: undefined, failure: undefined, record: undefined };
  let pace = NO_PACE;
  const ageMs = () => last.believedAt && msBetween(last.believedAt, clock.moment());
  return {
    knows,
    ageMs,
    pace: () => pace,
    recall(saved, believedAt, before) {
      pace = before;
      last = { ...(saved ?? last), believedAt: believedAt ?? saved?.believedAt };
    },
    note(result, seconds) {
      const at = clock.moment();
      pace = paceAfter(pace, result, { atMs: at.wallMs, seconds });
      last = afterTurn(last, result, at);
    },
    look() {
      const now = clock.monotonicMs();
      return tracker.look(conditionsOf(factsOf(knows, { last, ageMs: ageMs(), nowMs: now })), now);
    },
    view: () => viewOf(parts, knows, { last, pace, ageMs: ageMs(), conditions: tracker.shown() }),
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
  { last, ...known }: { readonly last: LastRun } & Pick<View, "ageMs" | "conditions" | "pace">,
): View {
  const { nextRunAtMs, settings } = knows;
  return {
    ...knows,
    version,
    configPath,
    nowMs: clock.now(),
    isReady: knows.usersAreInPlace && last.record?.source !== "locked",
    ...known,
    iamAddress: settings.iam.source === "scim" ? settings.iam.url : settings.iam.usersFile,
    failure: last.failure,
    record: last.record,
    lastRunAtMs: last.at?.wallMs,
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
        ? { at, believedAt: at, failure: undefined, record: worthKeeping(result.record, last.record) }
        : { ...last, at, record: worthKeeping(result.record, last.record) };
  }
}
