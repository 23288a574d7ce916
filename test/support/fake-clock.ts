/**
 * A clock that only sleeping moves on, so that days pass in a moment.
 */

import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/platform/clock.ts";

export function createFakeClock(): Clock {
  let ms = 1_000_000;
  return {
    now: () => 1_700_000_000_000 + ms,
    monotonicMs: () => ms,
    moment: () => ({ wallMs: 1_700_000_000_000 + ms, uptimeMs: ms, bootId: "fake" }),
    every: () => () => undefined,
    async sleep(duration, signal) {
      await setImmediate();
      signal.throwIfAborted();
      ms += duration;
    },
  };
}
