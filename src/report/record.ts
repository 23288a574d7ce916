/**
 * A plan and a run as records: what `--json` prints, what the daemon hears from a sync, and what people are shown.
 *
 * In: a plan or a report. Out: plain data. The bytes of files and the text of keys stay behind.
 */

import { boundedList, type Listed } from "../model/listed.ts";
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
import { SIGNS } from "./diff.ts";
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
  // Whoever is asked to accept what is taken away sees all of it.
  const { changes, unlisted } = allChanges(plan, slurm);
  return {
    planId: planned.planId,
    refusal: planned.refusal ?? null,
    steps: summedUp(plan.steps.map(stepRecordOf)),
    changes: changes.map(withoutKey),
    unlisted,
    ...withSlurm(problems, slurm),
  };
}

/** What a sync did. */
export function runRecordOf(report: RunReport): RunRecord {
  const { source, plan, planId, problems, outcomes, served, pull, setsOwners, seconds } = report;
  const all = allChanges(plan, report.slurm);
  const { changes, unlisted } = boundedList(all);
  return {
    source,
    planId,
    served,
    pull,
    setsOwners,
    accepted: report.accepted,
    shutOut: report.shutOut,
    ledgerIsRebuilt: report.ledgerIsRebuilt,
    tally: tallyOf(all),
    historyGap: report.historyGap ?? null,
    seconds,
    steps: summedUp(outcomes.map(outcomeRecordOf)),
    changes: changes.map(withoutKey),
    unlisted,
    ...withSlurm(problems, report.slurm),
  };
}

/** What a sync did that changed keys alone: of all else, what the record before it said. */
export function recordOfKeys({
  last,
  changes,
  outcomes,
  ...report
}: Pick<RunReport, "outcomes" | "pull" | "setsOwners" | "historyGap" | "seconds"> & {
  readonly last: RunRecord;
  readonly changes: readonly Change[];
}): RunRecord {
  const keys = changes.filter(({ event }) => event === "key-granted").length;
  const gone = changes.filter(({ event }) => event === "key-revoked").length;
  return {
    ...last,
    isOfKeys: true,
    // Only the IAM can have had such news.
    source: "iam",
    served: { ...last.served, keys: last.served.keys + keys - gone },
    pull: report.pull,
    setsOwners: report.setsOwners,
    accepted: [],
    tally: tallyOf({ changes, unlisted: {} }),
    historyGap: report.historyGap ?? null,
    seconds: report.seconds,
    steps: summedUp(outcomes.map(outcomeRecordOf)),
    changes: changes.map(withoutKey),
    unlisted: {},
  };
}

/** Counted by the sign that a diff shows. */
function tallyOf({ changes, unlisted }: Listed): ChangeTally {
  const tally = { "+": 0, "-": 0, "~": 0 };
  for (const { event } of changes) {
    tally[SIGNS[event]] += 1;
  }
  for (const [event, sign] of Object.entries(SIGNS)) {
    tally[sign] += unlisted[event] ?? 0;
  }
  return { added: tally["+"], removed: tally["-"], changed: tally["~"] };
}

/** Of both parts. */
function allChanges({ changes, unlisted }: Plan, slurm: SlurmReport | undefined): Listed {
  return { changes: [...changes, ...(slurm?.changes ?? [])], unlisted };
}

function withSlurm(
  problems: readonly Problem[],
  slurm: SlurmReport | undefined,
): Pick<PlanRecord, "problems" | "slurm"> {
  return {
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

/** Of so many steps of one kind with the same end, each is listed; beyond them they are counted. */
const LISTED_ALIKE = 1000;

function summedUp(steps: readonly StepRecord[]): StepRecord[] {
  const alike = Map.groupBy(steps, ({ kind, result = "planned" }) => `${kind} ${result}`);
  const isAll = [...alike.values()].every(({ length }) => length <= LISTED_ALIKE);
  if (isAll) {
    return [...steps];
  }
  return [...alike.values()].flatMap((ofOne) => {
    const rest = ofOne.slice(LISTED_ALIKE);
    const [first] = rest;
    return first === undefined ? ofOne : [...ofOne.slice(0, LISTED_ALIKE), sumOf(first, rest.length)];
  });
}

function sumOf({ kind, result, message }: StepRecord, count: number): StepRecord {
  return {
    kind,
    count,
    ...(result !== undefined && { result }),
    ...(message !== undefined && { message }),
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
