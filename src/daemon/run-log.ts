/**
 * What a finished sync leaves in the log: what changed, what is newly wrong, and nothing when nothing is new.
 */

import { Failure, messageOf } from "../model/failure.ts";
import { PROBLEMS, type Problem, refusesRecord } from "../model/problem.ts";
import type { RunReport } from "../model/report.ts";
import type { Log } from "../platform/log.ts";
import { eventOf } from "../report/events.ts";

/** What is remembered from run to run, so that nothing is said twice. */
export interface Memory {
  /** Whether a sync has come to its end before. */
  hasReported: boolean;
  problems: ReadonlySet<string>;
  /** Runs that failed, one after the other, up to now. */
  failures: number;
}

/** Logs a run that came to its end, and what of it failed. */
export function logReport(log: Log, report: RunReport, memory: Memory): void {
  const failed = report.outcomes.filter((outcome) => outcome.result !== "done");
  const isFirst = !memory.hasReported;
  const recovered = memory.failures > 0 && failed.length === 0;
  report.plan.changes.forEach((change) => log.info("change", eventOf(change)));
  logProblems(log, report.problems, memory);
  for (const outcome of failed) {
    log.error("a step was not done", {
      kind: outcome.step.kind,
      why: "message" in outcome ? outcome.message : "",
    });
  }
  memory.hasReported = true;
  memory.failures = failed.length > 0 ? memory.failures + 1 : 0;
  if (report.plan.steps.length > 0 || recovered || isFirst) {
    const { served, seconds, pull } = report;
    log.info("in step", { ...served, seconds: Number(seconds.toFixed(3)), requests: pull.requests });
  }
}

/** Logs a run that could not go on. */
export function logFailure(log: Log, error: unknown, memory: Memory): void {
  memory.failures += 1;
  const code = error instanceof Failure ? error.code : "unexpected";
  log.error("sync failed", { code, failures: memory.failures, why: messageOf(error) });
}

function logProblems(log: Log, problems: readonly Problem[], memory: Memory): void {
  const now = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  for (const [key, problem] of now) {
    if (!memory.problems.has(key)) {
      const { code, subject, field, reason } = problem;
      const fields = { code, kind: subject.kind, subject: subject.name ?? subject.id, field, why: reason };
      log.warn(refusesRecord(problem) ? "a record is refused" : "look at this", {
        ...fields,
        remedy: PROBLEMS[code].remedy,
      });
    }
  }
  const cleared = [...memory.problems].filter((key) => !now.has(key)).length;
  if (cleared > 0) {
    log.info("problems are gone", { count: cleared });
  }
  memory.problems = new Set(now.keys());
}
