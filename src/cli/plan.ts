/**
 * `rollcall plan`: what a sync would do, and nothing of it done.
 */

import { planSurely } from "../daemon/run-once.ts";
import { wireStages } from "../daemon/wire.ts";
import { isIdle } from "../model/report.ts";
import { renderChanges, renderProblems, renderSlurmFailure } from "../report/messages.ts";
import { planRecordOf } from "../report/record.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";
import { prepare } from "./prepare.ts";

/** Prints the diff; exits with 0 for nothing to do and 2 for changes. */
export async function plan(context: Context, options: CommonOptions): Promise<number> {
  const { settings, around } = await prepare(context, options);
  const stages = wireStages(settings, around);
  const planned = await planSurely(stages, context.signal);
  const slurm = await stages.slurm?.look(planned.directory);
  const record = planRecordOf({ ...planned, slurm });
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson(record));
  } else {
    const style = { colour: context.colour, all: options.all === true };
    const lines = [
      ...renderChanges(record, style),
      ...renderProblems(record.problems, style),
      ...(isIdle(record) ? ["Nothing to do: this node is in step."] : []),
      ...(record.refusal === null ? [] : refusalLines(record.refusal, acceptCommand(options, record.planId))),
    ];
    lines.forEach((line) => context.out(line));
  }
  renderSlurmFailure(record).forEach((line) => context.err(line));
  context.endAnyway();
  return slurm?.failure !== undefined ? EXIT.failed : isIdle(record) ? EXIT.ok : EXIT.changes;
}

function refusalLines(refusal: string, command: string): string[] {
  return [`A sync would refuse this because ${refusal}.`, `To let exactly this through: ${command}`];
}

/** With the root and the configuration of this plan: without them it would be about another node. */
function acceptCommand({ root, config }: CommonOptions, planId: string): string {
  const where = [
    ...(root === "/" ? [] : ["--root", root]),
    ...(config === undefined ? [] : ["--config", config]),
  ];
  return ["rollcall sync", ...where, "--accept-removals", planId].join(" ");
}
