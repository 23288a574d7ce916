/**
 * Tells the service manager that this process is alive, and stops telling when its loop does not go round.
 */

import type { Clock } from "../platform/clock.ts";
import type { Notifier } from "../platform/notify.ts";

/** Stops telling when disposed of. */
export interface Pulse extends Disposable {
  /** The loop has come this far. */
  readonly beat: () => void;
}

/** Longer than any sync takes with all its retries. */
const STUCK_MS = 45 * 60_000;

/** Says "alive" while the loop goes round and this process is not blocked. */
export function startPulse({
  notifier,
  clock,
}: {
  readonly notifier: Notifier;
  readonly clock: Clock;
}): Pulse {
  let lastBeatMs = clock.monotonicMs();
  const tell = () => clock.monotonicMs() - lastBeatMs < STUCK_MS && notifier.alive();
  const stop =
    notifier.aliveEveryMs === undefined ? () => undefined : clock.every(notifier.aliveEveryMs, tell);
  return {
    beat: () => {
      lastBeatMs = clock.monotonicMs();
    },
    [Symbol.dispose]: stop,
  };
}
