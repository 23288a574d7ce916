/**
 * `rollcall plan`: what a sync would do, and nothing of it done.
 */

import { planSurely } from "../daemon/run-once.ts";
import { renderChanges, renderProblems } from "../report/messages.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { jsonOfPlan, toJson } from "./json.ts";
import { prepare } from "./prepare.ts";

/** Prints the diff; exits with 0 for nothing to do and 2 for changes. */
export async function plan(context: Context, options: CommonOptions): Promise<number> {
  const stages = await prepare(context, options);
  const planned = await planSurely(stages, context.signal);
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson(jsonOfPlan(planned)));
  } else {
    const style = { colour: context.colour, all: options.all === true };
    const lines = [
      ...renderChanges(planned.plan.changes, planned.plan.steps, style),
      ...renderProblems(planned.problems, style),
      ...(planned.plan.steps.length === 0 ? ["Nothing to do: this node is in step."] : []),
      ...(planned.refusal === undefined
        ? []
        : refusalLines(planned.refusal, acceptCommand(options, planned.planId))),
    ];
    lines.forEach((line) => context.out(line));
  }
  return planned.plan.steps.length === 0 ? EXIT.ok : EXIT.changes;
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
