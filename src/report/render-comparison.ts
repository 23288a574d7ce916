/**
 * A comparison with the maps of another tool, for people.
 *
 * In: the comparison. Out: lines; what needs a look comes first. Every value from outside is quoted.
 */

import { type Comparison, type Deviation, INTENDED, type Reason } from "../model/comparison.ts";
import { PROBLEMS } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { Style } from "./messages.ts";

const SHOWN = 200;
const KEY_LENGTH = 160;

/** What differs, why, and the sum of it. */
export function renderComparison(comparison: Comparison, { all }: Pick<Style, "all">): string[] {
  const { there, here, deviations, notes } = comparison;
  const open = deviations.filter(({ reason }) => reason === undefined);
  const meant = deviations.filter(({ reason }) => reason !== undefined);
  const reasons = new Set(meant.flatMap(({ reason }) => reason ?? []));
  return [
    ...section("Not explained, look at these:", open, all),
    ...section("Meant to differ:", meant, all),
    ...[...reasons].map((reason) => `  [${reason}] ${titleOf(reason)}`),
    ...notes.map((note) => `Note: ${note}`),
    `There: ${there.users} users, ${there.groups} groups; here: ${here.users} users, ${here.groups} groups. ` +
      `${meant.length} difference(s) are meant, ${open.length} are not explained.`,
  ];
}

function section(heading: string, deviations: readonly Deviation[], all: boolean): string[] {
  if (deviations.length === 0) {
    return [];
  }
  const shown = all ? deviations : deviations.slice(0, SHOWN);
  const hidden = deviations.length - shown.length;
  return [
    heading,
    ...shown.map(lineOf),
    ...(hidden > 0 ? [`  … and ${hidden} more (--all shows them)`] : []),
  ];
}

function lineOf({ kind, name, field, there, here, reason }: Deviation): string {
  const why = reason === undefined ? "" : ` [${reason}]`;
  return `  ${kind} ${quoted(name)}: ${wordsOf(field, there, here)}${why}`;
}

function wordsOf(field: string, there: string | undefined, here: string | undefined): string {
  const what = field === "record" ? "" : `${field} `;
  if (there === undefined || here === undefined) {
    const [where, value] = there === undefined ? ["here", here] : ["there", there];
    // A key is its description; its type may be as long as somebody likes.
    return `${what}only ${where}: ${field === "key" ? value?.slice(0, KEY_LENGTH) : quoted(value)}`;
  }
  return `${what}${quoted(there)} there, ${quoted(here)} here`;
}

function titleOf(reason: Reason): string {
  return isIntended(reason) ? INTENDED[reason] : `${PROBLEMS[reason].title}.`;
}

function isIntended(reason: Reason): reason is keyof typeof INTENDED {
  return Object.hasOwn(INTENDED, reason);
}
