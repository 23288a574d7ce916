/**
 * Carries out a plan, step by step, in its order.
 *
 * In: steps and a handler for each kind. Out: how each step ended. A step that fails costs as little as can
 * be: one user's keys or home stop nobody else, but nothing is built on a ledger or a map that could not be written.
 */

import { messageOf } from "../model/failure.ts";
import type { Plan, Step } from "../model/plan.ts";
import type { Outcome } from "../model/report.ts";
import type { Handlers } from "./handlers.ts";

/** Never throws for a step: the outcomes say what happened. Stops between steps when the signal aborts. */
export async function applyPlan(
  plan: Plan,
  handlers: Handlers,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let obstacle: string | undefined;
  for (const step of plan.steps) {
    if (signal.aborted) {
      outcomes.push({ step, result: "skipped", message: "the run was stopped" });
      continue;
    }
    if (obstacle !== undefined) {
      outcomes.push({ step, result: "skipped", message: obstacle });
      continue;
    }
    const outcome = await carryOut(step, handlers);
    outcomes.push(outcome);
    if (outcome.result === "failed") {
      obstacle = obstacleAfter(step);
    }
  }
  return outcomes;
}

/** Why nothing can be built on a step that failed; undefined when it concerned one user alone. */
function obstacleAfter(step: Step): string | undefined {
  if (step.kind === "keep-ledger") {
    return "the ledger could not be kept, and nobody is given an id that it does not have";
  }
  // Whatever else is taken away does not wait for keys, and those that are left are taken away again at the end.
  return step.kind === "publish-map" && step.keys !== "revoked"
    ? `${step.data.name} could not be published`
    : undefined;
}

async function carryOut(step: Step, handlers: Handlers): Promise<Outcome> {
  try {
    await handle(step, handlers);
    return { step, result: "done" };
  } catch (error) {
    return { step, result: "failed", message: messageOf(error) };
  }
}

function handle(step: Step, handlers: Handlers): Promise<void> {
  switch (step.kind) {
    case "remove-leftover":
      return handlers[step.kind](step);
    case "revoke-keys":
      return handlers[step.kind](step);
    case "end-sessions":
      return handlers[step.kind](step);
    case "write-sudo":
      return handlers[step.kind](step);
    case "keep-ledger":
      return handlers[step.kind](step);
    case "publish-map":
      return handlers[step.kind](step);
    case "create-home":
      return handlers[step.kind](step);
    case "grant-keys":
      return handlers[step.kind](step);
  }
}
