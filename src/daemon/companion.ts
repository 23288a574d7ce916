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
  /** As in a shell: 128 and more for a signal, 127 when it could not be started; undefined when it never ran. */
  exitCode(): number | undefined;
}

/** What it is run with. */
export interface Beside {
  /** For the command to end after SIGTERM, in milliseconds. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly onFailure: (failure: Failure) => void;
  /** It has not ended within the grace and is killed. */
  readonly onOverdue: () => void;
}

const NOT_STARTED = 127;

/** Disposing of it ends the command: SIGTERM, and SIGKILL when the grace is over. */
export function createCommandBeside(
  command: Command,
  { graceMs, clock, onFailure, onOverdue }: Beside,
): CommandBeside {
  const over = new AbortController();
  let companion: Companion | undefined;
  let outcome: Ended | Failure | undefined;
  const settle = (how: Ended | Failure) => {
    outcome = how;
    if (how instanceof Failure) {
      onFailure(how);
    }
    over.abort();
  };
  const overdue = () => {
    onOverdue();
    companion?.kill("SIGKILL");
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
      return outcome instanceof Failure ? NOT_STARTED : outcome && exitCodeOf(outcome);
    },
    async [Symbol.asyncDispose]() {
      if (companion !== undefined && outcome === undefined) {
        companion.kill("SIGTERM");
        await clock.sleep(graceMs, over.signal).then(overdue, () => undefined);
        await companion.ended.catch(() => undefined);
      }
    },
  };
}

function notStarted({ program }: Command, error: unknown): Failure {
  const message = `Starting ${program} failed: ${messageOf(error)}. Is it the full path of a program in this image?`;
  return new Failure("command-failed", message, { cause: error });
}
