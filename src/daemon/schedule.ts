/**
 * When the next sync is due. Pure: the clock and the dice are arguments.
 */

const RETRY_MS = 30_000;
/** Asking costs an IAM little, and a node should know within a minute that it is back. */
const MAX_BACKOFF_MS = 60_000;

/**
 * How long to wait, in milliseconds. After failures sooner than a long interval and later than a short one:
 * from half a minute, or the interval if that is shorter, doubled each time up to a minute, with jitter.
 */
export function waitMs(
  regularMs: number,
  failures: number,
  { splay, random }: { splay: number; random: number },
): number {
  if (failures === 0) {
    return regularMs + splay * random;
  }
  const backoff = Math.min(MAX_BACKOFF_MS, Math.min(RETRY_MS, regularMs) * 2 ** Math.min(failures - 1, 20));
  return backoff * (0.5 + 0.5 * random);
}
