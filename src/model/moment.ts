/**
 * A moment that can be compared after a restart, and after the clock of this machine was set.
 */

/** When something happened: by the wall clock, and by a clock that never jumps but starts anew at each boot. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds since this machine booted, asleep or not. */
  readonly uptimeMs: number;
  /** Which boot that was (`/proc/sys/kernel/random/boot_id`). */
  readonly bootId: string;
}

/** Milliseconds from one moment to a later one. Within one boot, setting the clock changes nothing; never negative. */
export function msBetween(then: Moment, now: Moment): number {
  const isSameBoot = then.bootId !== "" && then.bootId === now.bootId && then.uptimeMs <= now.uptimeMs;
  return isSameBoot ? now.uptimeMs - then.uptimeMs : Math.max(0, now.wallMs - then.wallMs);
}
