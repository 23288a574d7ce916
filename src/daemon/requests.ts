/**
 * What people, signals and changed files want of a running daemon, in line for its loop.
 */

import { isDeepStrictEqual } from "node:util";
import type { TurnResult } from "../model/report.ts";
import type { Asked } from "./decisions.ts";

/** Wishes that have not been fulfilled yet. */
export interface Requests {
  /** Wants a sync, and resolves with how the one ended that was begun after this call. */
  ask(asked: Asked): Promise<TurnResult>;
  /** Wants a sync and does not wait. */
  sync(): void;
  /** The configuration, or a file it names, may have changed. */
  reload(): void;
  /** What the next turn is for: everybody who waits for the same as the first in line. Undefined: the schedule alone. */
  takeSync(): Wanted | undefined;
  /** Whether anybody waits for a sync. */
  areWaiting(): boolean;
  /** True once for each time that a reload was wanted. */
  takeReload(): boolean;
}

/** A sync that is wanted. */
export interface Wanted {
  readonly asked: Asked;
  /** Tells everybody who waits. */
  readonly answer: (result: TurnResult) => void;
}

/** `wake` is called for each wish. */
export function createRequests(wake: () => void): Requests {
  let waiting: readonly Wanted[] = [];
  let isReloadWanted = false;
  const add = (one: Wanted) => {
    waiting = [...waiting, one];
    wake();
  };
  return {
    ask: (asked) => new Promise((answer) => add({ asked, answer })),
    sync: () => add({ asked: {}, answer: () => undefined }),
    reload() {
      isReloadWanted = true;
      wake();
    },
    takeSync() {
      const [first] = waiting;
      if (first === undefined) {
        return undefined;
      }
      const same = waiting.filter(({ asked }) => isSame(asked, first.asked));
      waiting = waiting.filter((one) => !same.includes(one));
      return { asked: first.asked, answer: (result) => same.forEach(({ answer }) => answer(result)) };
    },
    areWaiting: () => waiting.length > 0,
    takeReload() {
      const isWanted = isReloadWanted;
      isReloadWanted = false;
      return isWanted;
    },
  };
}

function isSame(one: Asked, other: Asked): boolean {
  return isDeepStrictEqual(
    [one.accepted, one.accepts, one.offline ?? false],
    [other.accepted, other.accepts, other.offline ?? false],
  );
}
