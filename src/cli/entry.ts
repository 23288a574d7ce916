/**
 * From arguments to an exit code, and what happens to failures on the way.
 *
 * Loads only what the command needs: who logs in waits for `rollcall keys`.
 */

import { Failure, messageOf } from "../model/failure.ts";
import { type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Runs the command in the arguments; prints failures and never throws. */
export async function runProgram(context: Context): Promise<number> {
  try {
    return await runCommand(context);
  } catch (error) {
    context.redraw?.("");
    return printFailure(context, error);
  }
}

/** The line that sshd calls has no options, and reading it takes longer than the rest of the command. */
async function runCommand(context: Context): Promise<number> {
  const [command, user, ...more] = context.args;
  const isPlain = command === "keys" && user !== undefined && !user.startsWith("-") && more.length === 0;
  return isPlain
    ? (await import("./keys.ts")).keys(context, { root: "/" }, user)
    : (await import("./program.ts")).parseAndRun(context);
}

function printFailure(context: Context, error: unknown): number {
  const isStopped = context.signal.aborted && !(error instanceof Failure);
  const { code, message } = isStopped ? STOPPED : failureOf(error);
  if (context.args.includes("--json")) {
    context.out(toJson({ error: { code, message } }));
  }
  context.err(`rollcall: ${printable(message)} [${code}]`);
  return EXIT.failed;
}

/** A message may quote what a server said; nothing in it may steer the terminal. */
function printable(message: string): string {
  return message.replace(/[^\n\P{Cc}]/gu, "?");
}

const STOPPED = new Failure(
  "stopped",
  "Stopped by a signal; nothing was changed. The next sync starts anew.",
);

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof Failure) {
    return error;
  }
  const trace = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
  return { code: "unexpected", message: `This is a defect in Rollcall, please report it: ${trace}` };
}
