/**
 * The command of `rollcall run -- COMMAND…`, as in a login pod: started once users are in place, stopped with the daemon.
 *
 * In: a command. Out: its exit code, which becomes the daemon's own.
 */

import { Failure, messageOf } from "../model/failure.ts";
import { type Command, type Companion, type Ended, exitCodeOf, startCompanion } from "../platform/child.ts";
import type { Clock } from "../platform/clock.ts";

/** At most one command, which may not have started yet. */
export interface CommandBeside extends AsyncDisposable {
  /** Starts it, the first time; later calls do nothing. */
  start(): void;
  /** Passes a signal on. */
  kill(signal: NodeJS.Signals): void;
  /** Aborts when the command has ended by itself, or could not be started. */
  readonly ended: AbortSignal;
  /** 128 and more for a signal, as in a shell; undefined when it never ran. Throws when it could not be started. */
  exitCode(): number | undefined;
}

/** Time for the command to end after SIGTERM, in milliseconds. */
export interface Grace {
  readonly graceMs: number;
  readonly clock: Clock;
}

/** Disposing of it ends the command: SIGTERM, and SIGKILL when the grace is over. */
export function createCommandBeside(command: Command, { graceMs, clock }: Grace): CommandBeside {
  const over = new AbortController();
  let companion: Companion | undefined;
  let outcome: Ended | Failure | undefined;
  const settle = (how: Ended | Failure) => {
    outcome = how;
    over.abort();
  };
  return {
    ended: over.signal,
    start() {
      if (companion === undefined) {
        companion = startCompanion(command);
        companion.ended.then(settle, (error: unknown) => settle(notStarted(command, error)));
      }
    },
    kill: (signal) => companion?.kill(signal),
    exitCode() {
      if (outcome instanceof Failure) {
        throw outcome;
      }
      return outcome && exitCodeOf(outcome);
    },
    async [Symbol.asyncDispose]() {
      if (companion !== undefined && outcome === undefined) {
        companion.kill("SIGTERM");
        await clock.sleep(graceMs, over.signal).then(
          () => companion?.kill("SIGKILL"),
          () => undefined,
        );
        await companion.ended.catch(() => undefined);
      }
    },
  };
}

function notStarted({ program }: Command, error: unknown): Failure {
  const message = `Starting ${program} failed: ${messageOf(error)}. Is it the full path of a program in this image?`;
  return new Failure("command-failed", message, { cause: error });
}
