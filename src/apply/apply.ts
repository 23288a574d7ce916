/**
 * Carries out a plan, step by step, in its order.
 *
 * In: steps and a handler for each kind. Out: how each step ended. A step that fails costs as little as can
 * be: one user's keys or home stop nobody else, but nothing is built on a ledger or a map that could not be written.
 */

import { messageOf } from "../model/failure.ts";
import type { GrantKeys, Plan, PublishMap, Step } from "../model/plan.ts";
import type { Outcome } from "../model/report.ts";
import { giveBack } from "../platform/host.ts";
import type { Handlers } from "./handlers.ts";

/** Never throws for a step: the outcomes say what happened. Stops between steps, or batches of them, when the signal aborts. */
export async function applyPlan(
  plan: Plan,
  handlers: Handlers,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let obstacle: string | undefined;
  for (let next = 0; next < plan.steps.length; next = outcomes.length) {
    const batch = batchAt(plan.steps, next);
    const reason = signal.aborted ? "the run was stopped" : obstacle;
    const ended =
      reason === undefined
        ? await carryOut(batch, handlers)
        : batch.map((step) => ({ step, result: "skipped", message: reason }) as const);
    outcomes.push(...ended);
    obstacle ??= ended.map(obstacleAfter).find((one) => one !== undefined);
  }
  return outcomes;
}

/** Keys that are given together; the signal is looked at between two batches. */
const MAX_BATCH = 500;

/** One step, or as many grants as follow each other. */
function batchAt(steps: readonly Step[], start: number): readonly Step[] {
  let end = start + 1;
  while (isGrant(steps[start]) && isGrant(steps[end]) && end - start < MAX_BATCH) {
    end += 1;
  }
  return steps.slice(start, end);
}

function isGrant(step: Step | undefined): step is GrantKeys {
  return step?.kind === "grant-keys";
}

/** Why nothing can be built on a step that failed; undefined when it concerned one user alone. */
function obstacleAfter({ step, result }: Outcome): string | undefined {
  if (result === "failed" && step.kind === "keep-ledger") {
    return "the ledger could not be kept, and nobody is given an id that it does not have";
  }
  // Whatever else is taken away does not wait for keys, and those that are left are taken away again at the end.
  return result === "failed" && step.kind === "publish-map" && step.keys !== "revoked"
    ? `${step.data.name} could not be published`
    : undefined;
}

async function carryOut(steps: readonly Step[], handlers: Handlers): Promise<readonly Outcome[]> {
  try {
    const failures = await handle(steps, handlers);
    return steps.map((step, nth) => outcomeOf(step, failures[nth]));
  } catch (error) {
    return steps.map((step) => outcomeOf(step, error));
  }
}

function outcomeOf(step: Step, failure: unknown): Outcome {
  return failure === undefined
    ? { step, result: "done" }
    : { step, result: "failed", message: messageOf(failure) };
}

async function handle(steps: readonly Step[], handlers: Handlers): Promise<readonly unknown[]> {
  const [step] = steps;
  if (step === undefined || step.kind === "grant-keys") {
    return handlers["grant-keys"](steps.filter(isGrant));
  }
  await handleOne(step, handlers);
  return [];
}

function handleOne(step: Exclude<Step, GrantKeys>, handlers: Handlers): Promise<void> {
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
      return handlers[step.kind](step).then(() => letGo(step));
    case "create-home":
      return handlers[step.kind](step);
  }
}

/** A plan lives to the end of a sync, which has more to write; what is on disk need not be in memory as well. */
function letGo({ data, indexes }: PublishMap): void {
  [data, ...indexes].forEach(({ bytes }) => giveBack(bytes));
}
