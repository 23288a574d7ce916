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
/** Of each reason: one that everybody has must not hide the others. */
const SHOWN_MEANT = 20;
const KEY_LENGTH = 160;

/** What differs, why, and the sum of it. */
export function renderComparison(comparison: Comparison, { all }: Pick<Style, "all">): string[] {
  const { there, here, deviations, losing, notes } = comparison;
  const byReason = Map.groupBy(deviations, ({ reason }) => reason);
  const open = byReason.get(undefined) ?? [];
  const meant = [...byReason].flatMap(([reason, some]) =>
    reason === undefined ? [] : [[reason, some] as const],
  );
  return [
    ...section("Not explained, look at these:", open, all ? open.length : SHOWN),
    ...meant.flatMap(([reason, some]) =>
      section(`Meant, ${reason}: ${titleOf(reason)}`, some, all ? some.length : SHOWN_MEANT),
    ),
    ...notes.map((note) => `Note: ${note}`),
    ...(losing.length === 0
      ? []
      : [
          `Could log in there and not here: ${losing.length} of ${there.users}: ${namesIn(losing, all ? losing.length : SHOWN_MEANT)}`,
        ]),
    `There: ${there.users} users, ${there.groups} groups; here: ${here.users} users, ${here.groups} groups. ` +
      `${deviations.length - open.length} difference(s) are meant, ${open.length} are not explained.`,
  ];
}

function namesIn(names: readonly string[], limit: number): string {
  const hidden = names.length - limit;
  return [...names.slice(0, limit).map(quoted), ...(hidden > 0 ? [`and ${hidden} more`] : [])].join(", ");
}

function section(heading: string, deviations: readonly Deviation[], limit: number): string[] {
  const hidden = deviations.length - limit;
  return deviations.length === 0
    ? []
    : [
        heading,
        ...deviations.slice(0, limit).map(lineOf),
        ...(hidden > 0 ? [`  … and ${hidden} more (--all shows them)`] : []),
      ];
}

function lineOf({ kind, name, field, there, here }: Deviation): string {
  return `  ${kind} ${quoted(name)}: ${wordsOf(field, there, here)}`;
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
