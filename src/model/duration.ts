/**
 * Durations as people write them: a number and a unit.
 */

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** What a duration looks like: `500ms`, `30s`, `10m`, `1h`, `90d`. */
export const DURATION = /^\d{1,6}(?:ms|s|m|h|d)$/;

/** Milliseconds; undefined where it is none. */
export function durationMs(text: string): number | undefined {
  const unitMs = UNITS_MS[text.replace(/^\d+/, "")];
  return unitMs === undefined || !DURATION.test(text) ? undefined : Number.parseInt(text, 10) * unitMs;
}
