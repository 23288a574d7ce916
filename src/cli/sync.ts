/**
 * `rollcall sync`: bring this node in step, once.
 */

import { runOnce } from "../daemon/run-once.ts";
import { refusesRecord } from "../model/problem.ts";
import type { RunReport } from "../model/report.ts";
import { renderChanges, renderFailures, renderProblems, renderSummary } from "../report/messages.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { jsonOfReport, toJson } from "./json.ts";
import { prepare } from "./prepare.ts";

/** Options of this command alone. */
export interface SyncOptions extends CommonOptions {
  readonly acceptRemovals?: string;
}

/** Runs once and says what was done; the exit code says how it ended. */
export async function sync(context: Context, options: SyncOptions): Promise<number> {
  const stages = await prepare(context, options);
  const report = await runOnce(stages, options.acceptRemovals, context.signal);
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson(jsonOfReport(report)));
  } else {
    printReport(context, report, options.all === true);
  }
  return exitCodeOf(report);
}

function printReport(context: Context, report: RunReport, all: boolean): void {
  const style = { colour: context.colour, all };
  const lines = [
    ...renderChanges(report.plan.changes, report.plan.steps, style),
    ...renderProblems(report.problems, style),
    ...(report.plan.steps.length === 0 ? ["Nothing to do: this node is in step."] : []),
    ...(report.setsOwners ? [] : ["Not running as root: the owners of files and homes were left alone."]),
    renderSummary(report),
  ];
  lines.forEach((line) => context.out(line));
  renderFailures(report.outcomes).forEach((line) => context.err(line));
}

function exitCodeOf({ outcomes, problems }: RunReport): number {
  if (outcomes.some((outcome) => outcome.result !== "done")) {
    return EXIT.failed;
  }
  return problems.some(refusesRecord) ? EXIT.refused : EXIT.ok;
}
