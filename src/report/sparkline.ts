/**
 * A row of numbers as a small picture.
 */

const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const STROKES = ["_", ".", ":", "-", "=", "+", "*", "#"];

/** One character for each value, undefined ones as `x`; the lowest is nothing, and whatever is more than nothing shows. */
export function sparkline(values: readonly (number | undefined)[], isUnicode: boolean): string {
  const levels = isUnicode ? BLOCKS : STROKES;
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      const share = value === undefined || most === 0 ? 0 : value / most;
      return value === undefined ? "x" : levels[Math.ceil(share * (levels.length - 1))];
    })
    .join("");
}
