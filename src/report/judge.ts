/**
 * Which conditions hold.
 *
 * In: facts. Out: codes, each with what to know about it. Pure: time comes with the facts.
 */

import type { FailureCode, RunFailure } from "../model/failure.ts";
import { countRefused } from "../model/problem.ts";
import { type RunRecord, undoneSteps } from "../model/report.ts";
import type { DiskSpace } from "../platform/disk-space.ts";
import type { ConditionCode } from "./conditions.ts";

const MINUTE_MS = 60_000;

/** Which condition a failed run raises. */
const RAISED_BY: Readonly<Record<FailureCode | "unexpected", ConditionCode | undefined>> = {
  "config-unreadable": "config-refused",
  "config-invalid": "config-refused",
  "token-unreadable": "token-unusable",
  "token-exposed": "token-unusable",
  "iam-unreachable": "iam-unreachable",
  "iam-untrusted": "iam-untrusted",
  "iam-unreadable": "iam-unreadable",
  "iam-refused": "iam-refused",
  "iam-invalid": "iam-invalid",
  "iam-incomplete": "iam-incomplete",
  "iam-too-large": "iam-too-large",
  "node-unreadable": "node-unreadable",
  "node-busy": "node-busy",
  "removals-refused": "removals-refused",
  "apply-failed": "apply-failed",
  "state-unwritable": "state-unwritable",
  // Without a memory there is nothing to serve; that nobody is in place says it already.
  "nothing-remembered": undefined,
  // No sync: a person wires a node and reads the answer.
  "setup-refused": undefined,
  // An admin's typing mistake, answered at once.
  "nothing-held": undefined,
  "slurm-missing": "slurm-missing",
  "slurm-unanswered": "slurm-unanswered",
  "slurm-denied": "slurm-denied",
  "slurm-cluster-unknown": "slurm-cluster-unknown",
  "slurm-refused": "slurm-refused",
  "slurm-removals-refused": "slurm-removals-refused",
  // Of a command that only an admin runs.
  "import-unreadable": undefined,
  "import-refused": undefined,
  "import-unwritable": undefined,
  "daemon-lost": undefined,
  "command-failed": undefined,
  stopped: undefined,
  unexpected: "sync-crashed",
};

/** What conditions are judged by. Ages and durations in milliseconds. */
export interface Facts {
  readonly usersAreInPlace: boolean;
  /** Of the last run; undefined when it came to its end. */
  readonly failure: RunFailure | undefined;
  /** Of the last run that came to its end. */
  readonly record: RunRecord | undefined;
  /** What is wrong with a configuration that is not in force for that reason. */
  readonly configMistakes: string | undefined;
  /** Since the IAM was last believed; undefined when it never was. */
  readonly ageMs: number | undefined;
  readonly warnAfterMs: number;
  /** For how long the present run has been going on; 0 when there is none. */
  readonly runningMs: number;
  readonly disks: readonly DiskSpace[];
}

/** Every condition that holds, however short, with what to know about it. The detail may name people and places. */
export function conditionsOf(facts: Facts): ReadonlyMap<ConditionCode, string> {
  const { failure, record } = facts;
  const failed = failure && RAISED_BY[failure.code];
  const slurm = record?.slurm?.failure ?? undefined;
  const slurmFailed = slurm && RAISED_BY[slurm.code];
  const undone = record === undefined ? [] : undoneSteps(record);
  const refused = countRefused(record?.problems ?? []);
  const full = facts.disks.filter(isNearlyFull);
  const held: readonly (readonly [ConditionCode, string, boolean])[] = [
    ["users-missing", "", !facts.usersAreInPlace],
    ["logins-locked", "", record?.source === "locked"],
    [failed ?? "sync-crashed", failure?.message ?? "", failed !== undefined],
    ["apply-failed", undone.map(({ message }) => message).join("; "), undone.length > 0],
    ["sync-stuck", `running for ${minutes(facts.runningMs)}`, facts.runningMs > STUCK_MS],
    ["config-refused", facts.configMistakes ?? "", facts.configMistakes !== undefined],
    [
      "directory-stale",
      `last heard ${minutes(facts.ageMs ?? 0)} ago`,
      (facts.ageMs ?? 0) > facts.warnAfterMs,
    ],
    [slurmFailed ?? "slurm-refused", slurm?.message ?? "", slurmFailed !== undefined],
    ["disk-low", full.map(describeDisk).join("; "), full.length > 0],
    ["logins-withheld", `${record?.shutOut} shut out`, (record?.shutOut ?? 0) > 0],
    ["history-unwritable", record?.historyGap ?? "", (record?.historyGap ?? null) !== null],
    ["ledger-rebuilt", "", record?.ledgerIsRebuilt === true],
    ["records-refused", `${refused} refused`, refused > 0],
  ];
  return new Map(held.filter(([, , holds]) => holds).map(([code, detail]) => [code, detail]));
}

/** A sync of a hundred thousand users with all its retries is shorter. */
const STUCK_MS = 10 * MINUTE_MS;

/** Less than 1 % and 64 MiB, or hardly a file more: the next publish may not fit. */
export function isNearlyFull({ sizeBytes, freeBytes, inodes, freeInodes }: DiskSpace): boolean {
  const isShortOfSpace = freeBytes < Math.min(64 * 1024 ** 2, sizeBytes / 20);
  return isShortOfSpace || (inodes > 0 && freeInodes < 64);
}

/** `/etc: 12 MiB, 40 files left`. */
export function describeDisk({ path, freeBytes, freeInodes, inodes }: DiskSpace): string {
  const files = inodes > 0 ? `, ${freeInodes} files` : "";
  return `${path}: ${Math.floor(freeBytes / 1024 ** 2)} MiB${files} left`;
}

function minutes(ms: number): string {
  return `${Math.floor(ms / MINUTE_MS)} min`;
}
