/**
 * How this node is, as data: a part that anybody may see, and the whole for its admin.
 *
 * In: a view of the daemon. Out: JSON-ready values. The public part has codes, counts and times: no name, no
 * address, no key, no message that might quote one.
 */

import type { RunFailure } from "../model/failure.ts";
import { countRefused, countRefusedBy } from "../model/problem.ts";
import {
  type ChangeTally,
  type ProblemRecord,
  type RunRecord,
  type Served,
  type StepRecord,
  undoneSteps,
} from "../model/report.ts";
import type { DiskSpace } from "../platform/disk-space.ts";
import type { HostFacts } from "../platform/host-facts.ts";
import type { Pace, SyncFigures } from "./pace.ts";
import { isHealthy, type ShownCondition } from "./tracker.ts";

/** How the IAM is asked whether anything is new: by the ETag of each page, by totals and meta.lastModified, or by fetching both lists. */
export type AskedBy = "etags" | "times" | "lists";

/** What is known at one moment. Times are wall-clock milliseconds since 1970; ages and durations milliseconds. */
export interface View {
  readonly version: string;
  readonly nowMs: number;
  /** Users are in place, and not too old to be served. */
  readonly isReady: boolean;
  readonly conditions: readonly ShownCondition[];
  /** How the last run ended; undefined before the first. */
  readonly failure: RunFailure | undefined;
  readonly record: RunRecord | undefined;
  readonly lastRunAtMs: number | undefined;
  /** Since the IAM was last believed. */
  readonly ageMs: number | undefined;
  readonly nextRunInMs: number | undefined;
  readonly isRunning: boolean;
  readonly configPath: string;
  readonly configMistakes: string | undefined;
  readonly host: HostFacts | undefined;
  readonly disks: readonly DiskSpace[];
  readonly pace: Pace;
  /** `iam.url`, or the file with the users. */
  readonly iamAddress: string;
  /** Undefined without a daemon, for lists on disk, and until a sync has left the node in step. */
  readonly askedBy: AskedBy | undefined;
}

/** One sync in numbers. */
export interface ShownSync extends ChangeTally {
  /** When it ended; where no daemon runs, when it began. */
  readonly at: string;
  readonly result: SyncFigures["result"];
  /** Null where that is not known. */
  readonly seconds: number | null;
}

/** What anybody on this node may see. */
export interface PublicStatus {
  readonly version: string;
  readonly healthy: boolean;
  readonly ready: boolean;
  readonly conditions: readonly PublicCondition[];
  readonly served: Served | null;
  readonly refused: number;
  /** How many records by reason; one with two reasons counts for both. */
  readonly refusedBy: Readonly<Record<string, number>>;
  /** By code. */
  readonly problems: Readonly<Record<string, number>>;
  readonly source: RunRecord["source"] | null;
  readonly lastRun: string | null;
  /** Null before the first. */
  readonly lastSync: ShownSync | null;
  readonly lastSyncSecondsAgo: number | null;
  /** The last sync that changed something; null where none is remembered. */
  readonly lastChange: ShownSync | null;
  /** The last forty at most, the newest last. */
  readonly recent: readonly ShownSync[];
  readonly lastRunFailed: RunFailure["code"] | null;
  /** Seconds since the IAM was last believed. */
  readonly ageSeconds: number | null;
  readonly nextRunInSeconds: number | null;
  readonly running: boolean;
}

type PublicCondition = Omit<ShownCondition, "detail" | "forMs"> & { readonly forSeconds: number };

/** The same for root. */
export interface FullStatus extends Omit<PublicStatus, "problems" | "conditions"> {
  readonly conditions: readonly (PublicCondition & { readonly detail: string })[];
  readonly problems: readonly ProblemRecord[];
  readonly undone: readonly StepRecord[];
  readonly failure: RunFailure | null;
  /** Where its lists come from, when the record that changed last did so, and how it is asked for news; null where that is not known. */
  readonly iam: {
    readonly address: string;
    readonly newest: string | null;
    readonly askedBy: AskedBy | null;
  };
  readonly config: { readonly path: string; readonly mistakes: string | null };
  readonly host: HostFacts | null;
  readonly disks: readonly DiskSpace[];
}

/** For `health.sock`. */
export function publicStatusOf(view: View): PublicStatus {
  return {
    ...commonStatusOf(view),
    conditions: view.conditions.map(publicConditionOf),
    problems: countBy((view.record?.problems ?? []).map(({ code }) => code)),
  };
}

/** For `control.sock`, and for `rollcall status` as root. */
export function fullStatusOf(view: View): FullStatus {
  return {
    ...commonStatusOf(view),
    conditions: view.conditions.map((one) => ({ ...publicConditionOf(one), detail: one.detail })),
    problems: view.record?.problems ?? [],
    undone: view.record === undefined ? [] : undoneSteps(view.record),
    failure: view.failure ?? null,
    iam: {
      address: view.iamAddress,
      newest: view.record?.pull.newest ?? null,
      askedBy: view.askedBy ?? null,
    },
    config: { path: view.configPath, mistakes: view.configMistakes ?? null },
    host: view.host ?? null,
    disks: view.disks,
  };
}

function commonStatusOf(view: View): Omit<PublicStatus, "problems" | "conditions"> {
  const { record, lastRunAtMs, pace } = view;
  const last = lastSyncOf(view);
  return {
    version: view.version,
    healthy: isHealthy(view),
    ready: view.isReady,
    served: record?.served ?? null,
    refused: countRefused(record?.problems ?? []),
    refusedBy: countRefusedBy(record?.problems ?? []),
    source: record?.source ?? null,
    lastRun: lastRunAtMs === undefined ? null : new Date(lastRunAtMs).toISOString(),
    lastSync: last ?? null,
    lastSyncSecondsAgo: seconds(last && view.nowMs - Date.parse(last.at)),
    lastChange: (pace.lastChange && shownSync(pace.lastChange)) ?? null,
    recent: pace.recent.map(shownSync),
    lastRunFailed: view.failure?.code ?? null,
    ageSeconds: seconds(view.ageMs),
    nextRunInSeconds: seconds(view.nextRunInMs),
    running: view.isRunning,
  };
}

/** Of the daemon, unless a sync by hand came after it. */
function lastSyncOf({ pace, record, failure, lastRunAtMs }: View): ShownSync | undefined {
  const last = pace.recent.at(-1);
  if (lastRunAtMs === undefined || (last !== undefined && last.atMs >= lastRunAtMs)) {
    return last && shownSync(last);
  }
  const at = new Date(lastRunAtMs).toISOString();
  return failure === undefined && record !== undefined
    ? { at, result: "done", seconds: rounded(record.seconds), ...record.tally }
    : { at, result: "failed", seconds: null, added: 0, removed: 0, changed: 0 };
}

function shownSync({ atMs, ...figures }: SyncFigures): ShownSync {
  return { at: new Date(atMs).toISOString(), ...figures, seconds: rounded(figures.seconds) };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function publicConditionOf({ code, severity, title, remedy, forMs }: ShownCondition): PublicCondition {
  return { code, severity, title, remedy, forSeconds: Math.round(forMs / 1000) };
}

/** How often each word occurs. */
export function countBy(words: readonly string[]): Readonly<Record<string, number>> {
  const groups = Map.groupBy([...words].sort(), (word) => word);
  return Object.fromEntries([...groups].map(([word, all]) => [word, all.length] as const));
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.max(0, Math.round(ms / 1000));
}
