/**
 * A plan and a run as records: what `--json` prints, what the daemon hears from a sync, and what people are shown.
 *
 * In: a plan or a report. Out: plain data. The bytes of files and the text of keys stay behind.
 */

import type { Change, Plan, Step } from "../model/plan.ts";
import { PROBLEMS, type Problem } from "../model/problem.ts";
import type {
  ChangeTally,
  Outcome,
  PlanRecord,
  ProblemRecord,
  RunRecord,
  RunReport,
  SlurmRecord,
  SlurmReport,
  StepRecord,
} from "../model/report.ts";
import { diffLineOf } from "./diff.ts";
import { describeKey } from "./fingerprint.ts";

/** What a plan would do. */
export function planRecordOf(planned: {
  readonly plan: Plan;
  readonly planId: string;
  readonly problems: readonly Problem[];
  readonly refusal: string | undefined;
  readonly slurm: SlurmReport | undefined;
}): PlanRecord {
  const { plan, problems, slurm } = planned;
  return {
    planId: planned.planId,
    refusal: planned.refusal ?? null,
    steps: plan.steps.map(stepRecordOf),
    ...withSlurm(plan, problems, slurm),
  };
}

/** What a sync did. */
export function runRecordOf(report: RunReport): RunRecord {
  const { source, plan, planId, problems, outcomes, served, pull, setsOwners, seconds } = report;
  return {
    source,
    planId,
    served,
    pull,
    setsOwners,
    accepted: report.accepted,
    shutOut: report.shutOut,
    ledgerIsRebuilt: report.ledgerIsRebuilt,
    tally: tallyOf([...plan.changes, ...(report.slurm?.changes ?? [])]),
    historyGap: report.historyGap ?? null,
    seconds,
    steps: outcomes.map(outcomeRecordOf),
    ...withSlurm(plan, problems, report.slurm),
  };
}

/** Counted by the sign that a diff shows. */
function tallyOf(changes: readonly Change[]): ChangeTally {
  const signs = Map.groupBy(changes, (change) => diffLineOf(change).sign);
  const count = (sign: "+" | "-" | "~") => signs.get(sign)?.length ?? 0;
  return { added: count("+"), removed: count("-"), changed: count("~") };
}

function withSlurm(
  { changes }: Plan,
  problems: readonly Problem[],
  slurm: SlurmReport | undefined,
): Pick<PlanRecord, "changes" | "problems" | "slurm"> {
  return {
    changes: [...changes, ...(slurm?.changes ?? [])].map(withoutKey),
    problems: [...problems, ...(slurm?.problems ?? [])].map(problemRecordOf),
    slurm: slurm === undefined ? null : slurmRecordOf(slurm),
  };
}

function slurmRecordOf({ cluster, changes, failure, commands, seconds }: SlurmReport): SlurmRecord {
  return {
    cluster: cluster ?? null,
    changes: changes.length,
    failure: failure === undefined ? null : { code: failure.code, message: failure.message },
    commands,
    seconds,
  };
}

function outcomeRecordOf(outcome: Outcome): StepRecord {
  return {
    ...stepRecordOf(outcome.step),
    result: outcome.result,
    ...(outcome.result !== "done" && { message: outcome.message }),
  };
}

function stepRecordOf(step: Step): StepRecord {
  if (step.kind === "publish-map") {
    const files = [step.data, ...step.indexes].map((image) => image.name);
    return { kind: step.kind, files, retired: step.retired };
  }
  if (step.kind === "keep-ledger") {
    return { kind: step.kind, files: ["ledger"] };
  }
  if (step.kind === "write-sudo") {
    return { kind: step.kind, files: ["sudoers"] };
  }
  return step.kind === "remove-leftover" ? step : { kind: step.kind, user: step.user };
}

function withoutKey(change: Change): Change {
  return "key" in change ? { ...change, key: describeKey(change.key) } : change;
}

function problemRecordOf(problem: Problem): ProblemRecord {
  return { ...problem, costs: PROBLEMS[problem.code].costs, remedy: PROBLEMS[problem.code].remedy };
}
