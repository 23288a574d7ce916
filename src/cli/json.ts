/**
 * The `--json` output of `sync` and `plan`: what scripts may rely on.
 */

import type { Planned } from "../daemon/run-once.ts";
import type { Change, Step } from "../model/plan.ts";
import { PROBLEMS, type Problem } from "../model/problem.ts";
import type { RunReport } from "../model/report.ts";
import { describeKey } from "../report/fingerprint.ts";

/** JSON on one line in which nothing unprintable is left: terminals obey more characters than JSON escapes. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

/** Everything a plan would do; keys appear by fingerprint, file contents by name. */
export function jsonOfPlan({ plan, planId, problems, refusal }: Planned) {
  return {
    planId,
    refusal: refusal ?? null,
    steps: plan.steps.map(jsonOfStep),
    changes: plan.changes.map(jsonOfChange),
    problems: problems.map(jsonOfProblem),
  };
}

/** Everything a sync did. */
export function jsonOfReport(report: RunReport) {
  const { plan, planId, problems, outcomes, served, pull, setsOwners, seconds } = report;
  return {
    planId,
    served,
    pull,
    setsOwners,
    seconds,
    steps: outcomes.map((outcome) => ({
      ...jsonOfStep(outcome.step),
      result: outcome.result,
      ...(outcome.result !== "done" && { message: outcome.message }),
    })),
    changes: plan.changes.map(jsonOfChange),
    problems: problems.map(jsonOfProblem),
  };
}

function jsonOfStep(step: Step) {
  if (step.kind === "publish-map") {
    const files = [step.data, ...step.indexes].map((image) => image.name);
    return { kind: step.kind, files, retired: step.retired };
  }
  return step.kind === "remove-leftover" ? step : { kind: step.kind, user: step.user };
}

function jsonOfChange(change: Change) {
  return "key" in change ? { ...change, key: describeKey(change.key) } : change;
}

function jsonOfProblem(problem: Problem) {
  return { ...problem, costs: PROBLEMS[problem.code].costs, remedy: PROBLEMS[problem.code].remedy };
}
