/**
 * The one door to time.
 */

import { setTimeout as sleep } from "node:timers/promises";

/** What the rest of the program knows of time. */
export interface Clock {
  /** Milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since some moment; never jumps. */
  monotonicMs(): number;
  /** Calls back again and again, without keeping the process alive for it, until the returned function is called. */
  every(ms: number, callback: () => void): () => void;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The real one. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  every: (ms, callback) => {
    const timer = setInterval(callback, ms).unref();
    return () => clearInterval(timer);
  },
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};
