/**
 * How a sync that was a process of its own came to its end.
 *
 * In: what it printed and its exit code. Out: the result of a turn.
 */

import { Failure, messageOf, type RunFailure } from "../model/failure.ts";
import type { PullStatistics, RunRecord, TurnResult } from "../model/report.ts";
import type { Finished } from "../platform/child.ts";

/** A sync prints one line of JSON: a record, or why there is none. */
export function resultOf({ code, signal, out, err }: Finished): TurnResult {
  const printed = parsed(out);
  if (printed?.error !== undefined) {
    return { kind: "failed", failure: printed.error };
  }
  if (printed?.unchanged !== undefined) {
    return { kind: "unchanged", pull: printed.unchanged };
  }
  if (printed?.record !== undefined) {
    return { kind: "done", record: printed.record };
  }
  const how = signal === undefined ? `with exit code ${code}` : `by ${signal}`;
  const message = `The sync ended ${how} and without a report. It said: ${err.trim() === "" ? "nothing" : err.trim()}`;
  return { kind: "failed", failure: { code: "unexpected", message } };
}

interface Printed {
  readonly record?: RunRecord | undefined;
  readonly unchanged?: PullStatistics | undefined;
  readonly error?: RunFailure | undefined;
}

function parsed(out: string): Printed | undefined {
  try {
    const value: RunRecord & Pick<Printed, "error" | "unchanged"> = JSON.parse(out);
    const { error, unchanged } = value;
    return error === undefined && unchanged === undefined ? { record: value } : { error, unchanged };
  } catch {
    return undefined;
  }
}

/** Told to end before it could say anything. */
export const STOPPED = {
  code: "stopped",
  message: "Stopped by a signal; the next sync does the rest.",
} as const;

/** For what went wrong in the daemon itself. */
export function failureOf(error: unknown, signal: AbortSignal): RunFailure {
  if (error instanceof Failure) {
    return { code: error.code, message: error.message };
  }
  return signal.aborted ? STOPPED : { code: "unexpected", message: messageOf(error) };
}
