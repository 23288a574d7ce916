/**
 * How one run went: what `sync` and `plan` print and what later runs remember.
 */

import type { RunFailure } from "./failure.ts";
import type { Change, Plan, Step } from "./plan.ts";
import type { Cost, Problem } from "./problem.ts";

/** How one step ended. A step is skipped when an earlier one it depends on failed. */
export type Outcome =
  | { readonly step: Step; readonly result: "done" }
  | { readonly step: Step; readonly result: "failed"; readonly message: string }
  | { readonly step: Step; readonly result: "skipped"; readonly message: string };

/** What the pull cost. */
export interface PullStatistics {
  readonly requests: number;
  readonly bytes: number;
  /** Answers by HTTP status; under `none` the requests that got none worth reading, under `given-up` those that nobody wanted any more. */
  readonly statuses: Readonly<Record<string, number>>;
  /** True when a list came in pages that are numbered by position, which move while the list changes. */
  readonly mayShift: boolean;
  /** True when every page was answered with 304 and the saved lists were used. */
  readonly unchanged: boolean;
  /** Only the records that changed last were asked for; absent where more was. */
  readonly isOfLatest?: true;
  /** The latest `meta.lastModified` of all records, in ISO 8601; absent where none came. */
  readonly newest?: string;
}

/** A directory in numbers. */
export interface Served {
  readonly users: number;
  readonly active: number;
  /** Active, but without a key in the IAM. */
  readonly keyless: number;
  readonly groups: number;
  readonly keys: number;
}

/**
 * Whom a run served: who is in the IAM now, or who was there when it was last believed. `locked` is the latter
 * without any key, because that was too long ago.
 */
export type Source = "iam" | "memory" | "locked";

/** How many changes of which kind. */
export interface ChangeTally {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** What Slurm's part of a run came to. */
export interface SlurmReport {
  /** Undefined where Slurm did not say. */
  readonly cluster: string | undefined;
  /** What was changed; for a plan, what would be. */
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  /** Why not everything was done. */
  readonly failure: RunFailure | undefined;
  /** How often a tool of Slurm was run, and how long all of it took. */
  readonly commands: number;
  readonly seconds: number;
}

/** One finished run. */
export interface RunReport {
  readonly source: Source;
  readonly plan: Plan;
  /** Identifies the removals of this plan, for `--accept-removals`. */
  readonly planId: string;
  readonly problems: readonly Problem[];
  readonly outcomes: readonly Outcome[];
  readonly served: Served;
  readonly pull: PullStatistics;
  /** False when owners of files and homes were left alone, because this process is not root. */
  readonly setsOwners: boolean;
  /** `user:NAME` and `group:NAME`: taken as the IAM has them, because a person has said so. */
  readonly accepted: readonly string[];
  /** How many people whom this node knows, and the IAM has, are refused now. */
  readonly shutOut: number;
  /** True for a day after the ledger had to be made anew from the maps. */
  readonly ledgerIsRebuilt: boolean;
  /** Undefined where slurm.enabled is off. */
  readonly slurm: SlurmReport | undefined;
  /** Why the history lacks what this run changed; undefined when it does not. */
  readonly historyGap: string | undefined;
  readonly seconds: number;
}

/** One step as people and scripts see it: what it concerns, never what it writes. */
export interface StepRecord {
  readonly kind: Step["kind"];
  /** Stands for so many steps of one kind that ended alike, beyond those that are listed; absent for one. */
  readonly count?: number;
  readonly user?: string;
  readonly path?: string;
  readonly files?: readonly string[];
  readonly retired?: readonly string[];
  /** How it ended; absent while it is only planned. */
  readonly result?: Outcome["result"];
  readonly message?: string;
}

/** A problem with everything an admin needs to act on it. */
export interface ProblemRecord extends Problem {
  readonly costs: Cost;
  readonly remedy: string;
}

/** What a plan came to, without the bytes of any file; a key in a change is its description. */
export interface PlanRecord {
  readonly planId: string;
  /** Why the fuse blows; null when it holds. */
  readonly refusal: string | null;
  readonly steps: readonly StepRecord[];
  /** Those of Slurm come last. */
  readonly changes: readonly Change[];
  /** How many more there are, by event. */
  readonly unlisted: Readonly<Record<string, number>>;
  readonly problems: readonly ProblemRecord[];
  /** Null where slurm.enabled is off. */
  readonly slurm: SlurmRecord | null;
}

/** Slurm's part as people and scripts see it: how many of the changes are its, and why not all of them were made. */
export interface SlurmRecord extends Pick<SlurmReport, "commands" | "seconds"> {
  readonly cluster: string | null;
  readonly changes: number;
  readonly failure: RunFailure | null;
}

/** What `sync --json` prints: a finished run, without the bytes of any file. */
export interface RunRecord extends Omit<PlanRecord, "refusal"> {
  /** Only keys were new and were looked at; of all else this says what the sync before it said. Absent for all others. */
  readonly isOfKeys?: true;
  readonly source: Source;
  readonly served: Served;
  readonly pull: PullStatistics;
  readonly setsOwners: boolean;
  readonly accepted: readonly string[];
  readonly shutOut: number;
  readonly ledgerIsRebuilt: boolean;
  /** Also where the changes themselves are no longer kept. */
  readonly tally: ChangeTally;
  /** Null when the history lacks nothing. */
  readonly historyGap: string | null;
  readonly seconds: number;
}

/** How one turn of the daemon ended. */
export type TurnResult =
  | { readonly kind: "done"; readonly record: RunRecord }
  | { readonly kind: "failed"; readonly failure: RunFailure }
  /** Neither the IAM nor the node has changed since the last run, so there was none. */
  | { readonly kind: "unchanged"; readonly pull: PullStatistics };

/** The steps of a run that failed or were not begun. */
export function undoneSteps({ steps }: Pick<RunRecord, "steps">): readonly StepRecord[] {
  return steps.filter(({ result }) => result !== "done");
}

/** How many steps these stand for. */
export function countSteps(steps: readonly StepRecord[]): number {
  return steps.reduce((sum, { count = 1 }) => sum + count, 0);
}

/** True when every step of a run was carried out, and Slurm is in step. */
export function isWhole(record: RunRecord): boolean {
  return undoneSteps(record).length === 0 && (record.slurm?.failure ?? null) === null;
}

/** True when there was nothing to change, on the node and in Slurm, and nothing kept anybody from looking. */
export function isIdle({ steps, slurm }: Pick<PlanRecord, "steps" | "slurm">): boolean {
  return steps.length === 0 && (slurm === null || (slurm.changes === 0 && slurm.failure === null));
}

/**
 * What is worth remembering of a run: the log has the changes; what was not done is what is still wrong. Where the IAM sent no
 * list, because nothing was new, what was known of the list is still so.
 */
export function worthKeeping(record: RunRecord, before: RunRecord | undefined): RunRecord {
  const newest = record.pull.newest ?? (record.pull.unchanged ? before?.pull.newest : undefined);
  const pull = { ...record.pull, ...(newest !== undefined && { newest }) };
  const { isOfKeys: _, ...rest } = record;
  return { ...rest, pull, changes: [], unlisted: {}, steps: undoneSteps(record) };
}
