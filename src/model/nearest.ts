/**
 * Finds what somebody probably meant.
 */

import { quoted } from "./quoted.ts";

/** The candidate with the fewest edits from a word; undefined when even that is another word. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lowered = word.toLowerCase();
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(lowered, candidate.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance);
  return best !== undefined && best.distance <= Math.max(2, Math.floor(word.length / 3))
    ? best.candidate
    : undefined;
}

/** For the end of a message about a name that is not there: `; did you mean "research"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? "" : `; did you mean ${quoted(meant)}?`;
}

/** All of them, the most alike first. */
export function byLikeness(
  word: string,
  candidates: readonly string[],
  keyOf = (text: string) => text,
): string[] {
  const wanted = keyOf(word).toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, keyOf(candidate).toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance: insertions, deletions and replacements. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const replace = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
