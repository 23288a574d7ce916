/**
 * The one door to time.
 */

import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Moment } from "../model/moment.ts";

/** What the rest of the program knows of time. */
export interface Clock {
  /** Milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since some moment; never jumps. */
  monotonicMs(): number;
  /** Now, in a form that can be kept on disk. */
  moment(): Moment;
  /** Calls back again and again, without keeping the process alive for it, until the returned function is called. */
  every(ms: number, callback: () => void): () => void;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The real one. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  moment: () => ({ wallMs: Date.now(), uptimeMs: Math.round(uptime() * 1000), bootId: bootId() }),
  every: (ms, callback) => {
    const timer = setInterval(callback, ms).unref();
    return () => clearInterval(timer);
  },
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};

/** Without /proc there is no telling one boot from another, and only the wall clock counts. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** The answer; undefined when there is none after so many milliseconds. What it waits for goes on by itself. */
export async function inTime<Answer>(answer: Promise<Answer>, ms: number): Promise<Answer | undefined> {
  const end = new AbortController();
  const late = systemClock.sleep(ms, end.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    end.abort();
  }
}
