/**
 * Cron expressions, with or without a field for seconds. Only computes: nothing is scheduled here.
 */

import { createTask, validate } from "node-cron";

/** Whether text is a cron expression. */
export function isCron(expression: string): boolean {
  return validate(expression);
}

/** The next moment an expression names, in milliseconds since 1970, by this machine's clock and time zone. */
export function nextCronMs(expression: string): number {
  const task = createTask(expression, () => undefined, { unref: true });
  void task.start();
  const next = task.getNextRun();
  void task.destroy();
  if (next === null) {
    throw new Error(`the cron expression ${expression} names no moment that is still to come`);
  }
  return next.getTime();
}
