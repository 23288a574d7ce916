/**
 * Two texts, line by line: what goes, what comes, and a little of what stays around it.
 */

/** One line; `sign` is blank for what stays. */
export interface TextDiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

const CONTEXT = 1;
/** Beyond so many lines on both sides a table of all pairs would be too large. */
const MAX_LINES = 4000;

/** The lines of the difference; unprintable characters are shown as `?`. */
export function diffTexts(before: string, after: string): TextDiffLine[] {
  const all = diffLines(linesOf(before), linesOf(after));
  const isNear = (at: number) =>
    all.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== " ");
  return all
    .filter((_, at) => isNear(at))
    .map(({ sign, text }) => ({ sign, text: text.replaceAll(/[^\t\P{C}]/gu, "?") }));
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** Whatever both begin and end with is no matter for the table. */
function diffLines(before: readonly string[], after: readonly string[]): TextDiffLine[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) {
    tail += 1;
  }
  const old = before.slice(head, before.length - tail);
  const now = after.slice(head, after.length - tail);
  const isLarge = old.length > MAX_LINES || now.length > MAX_LINES;
  return [
    ...signed(" ", before.slice(0, head)),
    ...(isLarge ? [...signed("-", old), ...signed("+", now)] : walk(old, now, commonLengths(old, now))),
    ...signed(" ", before.slice(before.length - tail)),
  ];
}

function signed(sign: TextDiffLine["sign"], lines: readonly string[]): TextDiffLine[] {
  return lines.map((text) => ({ sign, text }));
}

/** By position in both: how many lines the rest of both has in common (Wagner and Fischer's table). */
function commonLengths(before: readonly string[], after: readonly string[]): Uint16Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const isSame = before[i] === after[j];
      const length = isSame
        ? at(table, i + 1, j + 1) + 1
        : Math.max(at(table, i + 1, j), at(table, i, j + 1));
      table[i]?.fill(length, j, j + 1);
    }
  }
  return table;
}

function at(table: readonly Uint16Array[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

function walk(
  before: readonly string[],
  after: readonly string[],
  table: readonly Uint16Array[],
): TextDiffLine[] {
  const lines: TextDiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old = "", now = ""] = [before[i], after[j]];
    if (i < before.length && j < after.length && old === now) {
      lines.push({ sign: " ", text: old });
      i += 1;
      j += 1;
    } else if (i < before.length && (j === after.length || at(table, i + 1, j) >= at(table, i, j + 1))) {
      lines.push({ sign: "-", text: old });
      i += 1;
    } else {
      lines.push({ sign: "+", text: now });
      j += 1;
    }
  }
  return lines;
}
