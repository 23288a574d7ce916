/**
 * `rollcall doctor`: everything between the IAM and a login, one line for each check.
 */

import { styleText } from "node:util";
import { examine } from "../daemon/doctor.ts";
import { printable } from "../report/words.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";
import { surroundingsFor } from "./prepare.ts";

/** Prints the diagnosis; exits with 1 when something is broken. Works without a configuration, and as an ordinary user as far as that goes. */
export async function doctor(context: Context, options: CommonOptions): Promise<number> {
  const around = surroundingsFor(context, options);
  const question = { version: context.version, configPath: configPath(options) };
  const diagnosis = await examine(question, around, context.signal);
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson(diagnosis));
  } else {
    linesOf(diagnosis, context.colour).forEach((line) => context.out(line));
  }
  context.endAnyway();
  return diagnosis.ok ? EXIT.ok : EXIT.failed;
}

type Diagnosis = Awaited<ReturnType<typeof examine>>;
type Checked = Diagnosis["checks"][number];

const MARKS = {
  ok: "✓",
  warning: "!",
  broken: "✖",
  "not-checked": "–",
} as const satisfies Record<Checked["verdict"], string>;
const COLOURS = { ok: "green", warning: "yellow", broken: "red", "not-checked": "gray" } as const;

/** Each group under its heading; a remedy stands below what it mends, and that of the first fault at the end again. */
function linesOf({ checks, counts }: Diagnosis, colour: boolean): string[] {
  const groups = Map.groupBy(checks, ({ group }) => group);
  const first = checks.find(({ verdict }) => verdict === "broken");
  const warnings = `${counts.warning} ${counts.warning === 1 ? "warning" : "warnings"}`;
  const unseen = counts["not-checked"] === 0 ? "" : `, ${counts["not-checked"]} not checked`;
  return [
    ...[...groups].flatMap(([group, ofGroup]) => [group, ...ofGroup.flatMap((one) => linesFor(one, colour))]),
    `${checks.length} checks: ${counts.ok} ok, ${warnings}, ${counts.broken} broken${unseen}`,
    ...(first === undefined
      ? []
      : [printable(`Begin with "${first.id}", on which others may depend: ${first.remedy ?? first.found}`)]),
  ];
}

function linesFor({ id, verdict, found, remedy }: Checked, colour: boolean): string[] {
  const what = verdict === "not-checked" ? `not checked: ${found}` : found;
  const text = printable(`  ${MARKS[verdict]} ${id.padEnd(WIDTH)}  ${what}`);
  const mend = remedy === undefined ? [] : [printable(`    ${" ".repeat(WIDTH)}  → ${remedy}`)];
  return [colour ? styleText(COLOURS[verdict], text) : text, ...mend];
}

/** Of the longest id. */
const WIDTH = 16;
