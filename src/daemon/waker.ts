/**
 * A sleep that can be cut short.
 */

import type { Clock } from "../platform/clock.ts";

/** Sleeps one at a time. */
export interface Waker {
  /** Resolves after so long, or with true when woken, at once when that was since the last sleep. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<boolean>;
  readonly wake: () => void;
}

/** Makes one on a clock. */
export function createWaker(clock: Clock): Waker {
  let alarm = new AbortController();
  return {
    async sleep(ms, signal) {
      await clock.sleep(ms, AbortSignal.any([signal, alarm.signal])).catch((error: unknown) => {
        if (!signal.aborted && !alarm.signal.aborted) {
          throw error;
        }
      });
      const isWoken = alarm.signal.aborted;
      alarm = isWoken ? new AbortController() : alarm;
      return isWoken;
    },
    wake: () => alarm.abort(),
  };
}
