/**
 * The chain of one person as text: a line for each link, and a closing one that says what it comes to.
 *
 * In: an explanation. Out: lines. Nothing here decides anything.
 */

import { styleText } from "node:util";
import { quoted } from "../model/quoted.ts";
import type { Explanation, Link } from "./explain.ts";
import type { LinkState } from "./link.ts";
import type { Style } from "./messages.ts";
import { printable } from "./words.ts";

const MARKS = { yes: "✓", no: "✖", warning: "!", "not-needed": "–" } as const satisfies Record<
  LinkState,
  string
>;
const COLOURS = { yes: "green", no: "red", warning: "yellow", "not-needed": "gray" } as const;

/** The remedy of the first broken link is the closing line's; those of others stand behind them. */
export function renderExplanation(explanation: Explanation, { colour }: Pick<Style, "colour">): string[] {
  const { links, firstBroken } = explanation;
  const width = Math.max(...links.map(({ link }) => link.length));
  return [
    ...links.map((link) => {
      const text = lineOf(link, { width, isFirst: link.link === firstBroken });
      return colour ? styleText(COLOURS[link.state], text) : text;
    }),
    closingLine(explanation),
  ];
}

function lineOf(
  { link, state, value, source, remedy }: Link,
  { width, isFirst }: { readonly width: number; readonly isFirst: boolean },
): string {
  const mend = remedy === undefined || isFirst ? "" : `. ${remedy}`;
  return printable(`  ${MARKS[state]} ${link.padEnd(width)}  ${value} (${source})${mend}`);
}

function closingLine({ user, firstBroken, wayOut, links }: Explanation): string {
  const who = /^[\w.@-]+$/.test(user) ? user : quoted(user);
  const broken = links.find(({ link }) => link === firstBroken);
  if (broken === undefined) {
    const marked = links.some(({ state }) => state === "warning") ? "; look at what is marked with !" : "";
    return `${who} can log in here${marked}, if the name service and sshd read these files: "rollcall doctor" looks.`;
  }
  const remedy = broken.remedy ?? broken.value;
  const choice =
    wayOut === null || remedy.includes(wayOut)
      ? remedy
      : `To take them off: ${wayOut} To keep them: ${remedy}`;
  return printable(
    wayOut === null
      ? `Rollcall does not let ${who} in here. The first broken link is "${broken.link}": ${remedy}`
      : `${who} can still log in here, and should not: this node has them from an earlier sync. The first broken link is "${broken.link}": ${choice}`,
  );
}
