/**
 * What `sync` and `plan` say to people.
 *
 * In: the record of a run or a plan. Out: text, plain or coloured. Nothing here decides anything.
 */

import { styleText } from "node:util";
import { hintFor } from "../model/failure.ts";
import { countRefused, PROBLEMS, type Problem, refusesRecord } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import {
  countSteps,
  type PlanRecord,
  type RunRecord,
  type SlurmRecord,
  type StepRecord,
} from "../model/report.ts";
import { type DiffLine, diffLineOf, SIGN_COLOURS } from "./diff.ts";
import { printable } from "./words.ts";

/** How to print. */
export interface Style {
  readonly colour: boolean;
  /** Print everything, however long. */
  readonly all: boolean;
}

const SHOWN = 200;

/** The diff of a plan, under a heading; empty when nothing changes. */
export function renderChanges(
  { changes, unlisted, steps }: Pick<PlanRecord, "changes" | "unlisted" | "steps">,
  style: Style,
): string[] {
  const written = steps.length === 0 ? changes.filter(({ event }) => event.startsWith("slurm-")) : changes;
  if (written.length === 0 && steps.length === 0) {
    return [];
  }
  const lines = (style.all ? written : written.slice(0, SHOWN)).map(diffLineOf);
  const widths = { what: longest(lines, "what"), name: longest(lines, "name") };
  const shown = lines.map((line) => {
    const text = `  ${line.sign} ${line.what.padEnd(widths.what)}  ${line.name.padEnd(widths.name)}  ${line.detail}`;
    return style.colour ? styleText(SIGN_COLOURS[line.sign], text) : text;
  });
  return [
    "Changes:",
    ...shown,
    ...hiddenLines(written.length - shown.length, unlisted),
    ...(steps.length === 0 ? [] : [`Writes: ${describeSteps(steps)}`]),
  ];
}

/** What is not shown, and what cannot be shown because it was only counted. */
function hiddenLines(hidden: number, unlisted: PlanRecord["unlisted"]): string[] {
  const counted = Object.entries(unlisted).map(([event, count]) => `${count} of ${printable(event)}`);
  return [
    ...(hidden > 0 ? [`  … and ${hidden} more (--all shows them)`] : []),
    ...(counted.length > 0 ? [`  … and, counted but not listed, ${counted.join(", ")}`] : []),
  ];
}

/** Why Slurm is not in step; empty where it is. */
export function renderSlurmFailure({ slurm }: Pick<PlanRecord, "slurm">): string[] {
  const failure = slurm?.failure ?? null;
  return failure === null ? [] : [`rollcall: ${failure.message} [${failure.code}]`];
}

/** What was refused, replaced or dropped, and why; records first. */
export function renderProblems(problems: readonly Problem[], style: Style): string[] {
  const refused = problems.filter(refusesRecord);
  const others = problems.filter((problem) => !refusesRecord(problem));
  return [
    ...section("Refused, not on this node:", refused, style),
    ...section("Served, but look at this:", others, style),
  ];
}

/** Steps that did not end well; empty when all did. */
export function renderFailures(steps: readonly StepRecord[]): string[] {
  const failed = steps.filter(({ result }) => result === "failed");
  const skipped = steps.filter(({ result }) => result === "skipped");
  const reasons = [...new Set(skipped.map(({ message }) => message))].join("; ");
  return failed.length + skipped.length === 0
    ? []
    : [
        `rollcall: ${countSteps(failed)} step(s) failed, ${countSteps(skipped)} were not begun; the next sync does the rest [${failed.length > 0 ? "apply-failed" : "stopped"}]`,
        ...failed.map((step) => `  ${nameOf(step)}: ${step.message}${hintFor(step.message ?? "")}`),
        ...(skipped.length > 0 ? [`  not begun because ${reasons}`] : []),
      ];
}

/** The closing line of a sync. */
export function renderSummary({ served, problems, pull, seconds, slurm, source }: RunRecord): string {
  const refused = countRefused(problems);
  const news = pull.unchanged ? "nothing new at the IAM" : `${Math.ceil(pull.bytes / 1000)} kB`;
  const fetched = source === "iam" ? `${pull.requests} requests, ${news}` : "the IAM was not asked";
  return (
    `Served: ${served.users} users (${served.users - served.active} may not log in, ${served.keyless} without a key), ` +
    `${served.groups} groups, ${served.keys} keys; ` +
    `refused: ${refused}. ${seconds.toFixed(2)} s, ${fetched}.${slurm === null ? "" : describeSlurm(slurm)}`
  );
}

/** A line for each subject, its faults below it, and each remedy once. */
function section(heading: string, problems: readonly Problem[], style: Style): string[] {
  if (problems.length === 0) {
    return [];
  }
  const bySubject = [...Map.groupBy(problems, ({ subject }) => `${subject.kind} ${subject.id}`).values()];
  const shown = style.all ? bySubject : bySubject.slice(0, SHOWN);
  const hidden = bySubject.length - shown.length;
  const remedies = [...new Set(problems.map(({ code }) => code))].map(
    (code) => `  [${code}] ${PROBLEMS[code].remedy}`,
  );
  return [
    heading,
    ...shown.flatMap((ofOne) => subjectLines(ofOne, style)),
    ...(hidden > 0 ? [`  … and ${hidden} more (--all shows them)`] : []),
    ...remedies,
  ];
}

function subjectLines(problems: readonly Problem[], style: Style): string[] {
  const [first] = problems;
  const head = `  ${first?.subject.kind} ${quoted(first?.subject.name ?? first?.subject.id)}`;
  const faults = problems.map(({ field, reason, code }) => `      ${field}: ${reason} [${code}]`);
  return [style.colour ? styleText("yellow", head) : head, ...faults];
}

function describeSlurm({ cluster, changes, commands, seconds }: SlurmRecord): string {
  const where = cluster === null ? "Slurm" : `Slurm (${cluster})`;
  return ` ${where}: ${changes} changes, ${commands} commands, ${seconds.toFixed(2)} s.`;
}

function describeSteps(steps: readonly StepRecord[]): string {
  const maps = new Set(steps.flatMap(({ files }) => files ?? []));
  const ofKeys = steps.filter(({ kind }) => kind === "revoke-keys" || kind === "grant-keys");
  const listed = ofKeys.filter(({ count }) => count === undefined);
  const keyFiles = new Set(listed.map(({ user }) => user)).size + countSteps(ofKeys) - listed.length;
  const homes = countSteps(steps.filter((step) => step.kind === "create-home"));
  return [
    ...maps,
    ...(keyFiles > 0 ? [`${keyFiles} key file(s)`] : []),
    ...(homes > 0 ? [`${homes} home(s)`] : []),
  ].join(", ");
}

function nameOf({ kind, files, user, path, count }: StepRecord): string {
  if (count !== undefined) {
    return `${kind}, ${count} more, the first of them`;
  }
  return files === undefined ? `${kind} for ${quoted(path ?? user)}` : `publishing ${files[0]}`;
}

function longest(lines: readonly DiffLine[], field: "what" | "name"): number {
  return lines.reduce((width, line) => Math.max(width, line[field].length), 0);
}
