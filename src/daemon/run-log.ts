/**
 * What the daemon leaves in the log: what changed, what is newly wrong, and nothing when nothing is new.
 */

import type { RunFailure } from "../model/failure.ts";
import { countUnlisted } from "../model/listed.ts";
import { type Problem, refusesRecord } from "../model/problem.ts";
import { isWhole, type ProblemRecord, type RunRecord, undoneSteps } from "../model/report.ts";
import type { Log } from "../platform/log.ts";
import type { Turn } from "../report/tracker.ts";

/** What is remembered from run to run, so that nothing is said twice. */
export interface Memory {
  /** Whether a sync has come to its end before. */
  hasReported: boolean;
  problems: ReadonlySet<string>;
  /** Runs that failed, one after the other, up to now. */
  failures: number;
}

/** Logs a run that came to its end, and what of it failed. */
export function logRecord(log: Log, record: RunRecord, memory: Memory): void {
  const failed = undoneSteps(record);
  // A run from memory is no news of the IAM: what failed before has still failed.
  const isNews = record.source === "iam";
  const recovered = isNews && memory.failures > 0 && failed.length === 0;
  record.changes.forEach((change) => log.info("change", { ...change }));
  if (countUnlisted(record) > 0) {
    log.info("more changes than are listed", { ...record.unlisted });
  }
  record.accepted.forEach((what) =>
    log.warn("accepted by a person, against what this node remembers", { what }),
  );
  logProblems(log, record.problems, memory);
  for (const { kind, message, count } of failed) {
    log.error("a step was not done", { kind, why: message, ...(count !== undefined && { steps: count }) });
  }
  if (record.historyGap !== null) {
    log.warn("the history could not be written", { why: record.historyGap });
  }
  if (record.steps.length > 0 || recovered || !memory.hasReported) {
    const { served, seconds, pull, source } = record;
    const fields = { ...served, seconds: Number(seconds.toFixed(3)), requests: pull.requests };
    log.info(IN_STEP[source], fields);
  }
  memory.hasReported = true;
  if (isNews) {
    memory.failures = isWhole(record) ? 0 : memory.failures + 1;
  }
}

const IN_STEP: Readonly<Record<RunRecord["source"], string>> = {
  iam: "in step",
  memory: "in step with what the IAM said when it was last believed",
  locked: "locked: nobody has a key until the IAM is believed again",
};

/** Logs that there was nothing new, if that is news itself. */
export function logUnchanged(log: Log, memory: Memory): void {
  if (memory.failures > 0) {
    log.info(IN_STEP.iam);
  }
  memory.failures = 0;
}

/** Logs a run that could not go on. */
export function logFailure(log: Log, { code, message }: RunFailure, memory: Memory): void {
  memory.failures += 1;
  log.error("sync failed", { code, failures: memory.failures, why: message });
}

/** Logs what a look at the conditions found new. */
export function logConditions(log: Log, { raised, cleared }: Turn): void {
  for (const { code, severity, title, remedy } of raised) {
    const level = severity === "critical" ? "error" : severity === "degraded" ? "warn" : "info";
    log[level]("condition raised", { code, severity, title, remedy });
  }
  cleared.forEach((code) => log.info("condition cleared", { code }));
}

function logProblems(log: Log, problems: readonly ProblemRecord[], memory: Memory): void {
  const now = new Map(problems.map((problem) => [keyOf(problem), problem]));
  for (const [key, problem] of now) {
    if (!memory.problems.has(key)) {
      const { code, subject, field, reason, remedy } = problem;
      const fields = { code, kind: subject.kind, subject: subject.name ?? subject.id, field, why: reason };
      log.warn(refusesRecord(problem) ? "a record is refused" : "look at this", { ...fields, remedy });
    }
  }
  const cleared = [...memory.problems].filter((key) => !now.has(key)).length;
  if (cleared > 0) {
    log.info("problems are gone", { count: cleared });
  }
  memory.problems = new Set(now.keys());
}

function keyOf({ code, subject, field, reason }: Problem): string {
  return JSON.stringify([code, subject, field, reason]);
}
