/**
 * The tables of the README that the code knows better: each stands between two comments, and is written anew there.
 */

import { EXIT_WORDS, exitLines } from "../../src/cli/words.ts";
import { CHECKS } from "../../src/doctor/checks.ts";
import { FAILURES } from "../../src/model/failure.ts";
import { PROBLEMS } from "../../src/model/problem.ts";
import { CONDITIONS } from "../../src/report/conditions.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import type { View } from "../../src/report/status.ts";
import type { Section } from "./keys.ts";
import type { ArgumentShape, ProgramShape } from "./program.ts";

type Row = readonly string[];

/** How long a condition holds before it is shown, in words. */
export function shownAfter(ms: number): string {
  if (ms === 0) {
    return "at once";
  }
  return ms < 60_000 ? `after ${ms / 1000} s` : `after ${ms / 60_000} min`;
}

/** By the name between the comments. */
export async function renderTables(
  program: ProgramShape,
  sections: readonly Section[],
): Promise<Readonly<Record<string, string>>> {
  const keys = sections.flatMap((section) => section.keys);
  return {
    commands: block(
      program.commands.map(({ name, arguments: given, description }) => [
        ["rollcall", name, ...given.map(placeholder)].join(" "),
        description,
      ]),
    ),
    keys: table(
      ["key", "default", "meaning"],
      keys.map(({ key, fallback, meaning }) => [
        code(key),
        fallback === undefined ? "–" : code(fallback),
        meaning,
      ]),
    ),
    exits: table(["exit code", "meaning"], exitLines(EXIT_WORDS)),
    failures: table(
      ["failure", "what it means"],
      Object.entries(FAILURES).map(([name, meaning]) => [code(name), meaning]),
    ),
    problems: problemTable(),
    conditions: conditionTable(),
    checks: checkTable(),
    metrics: table(["metric", "what it is"], await metricRows()),
  };
}

function placeholder({ name, choices: [first] }: ArgumentShape): string {
  return name === "command" ? "[-- COMMAND]" : (first ?? name.toUpperCase());
}

function checkTable(): string {
  const groups = Map.groupBy(CHECKS, ([, group]) => group);
  const rows = [...groups].map(
    ([group, checks]): Row => [group, checks.map(([id, , title]) => `${code(id)} (${title})`).join(", ")],
  );
  return table(["about", "checks"], rows);
}

function problemTable(): string {
  const rows = Object.entries(PROBLEMS).map(([name, { costs, title, remedy }]) => [
    code(name),
    costs,
    `${title}.`,
    remedy,
  ]);
  return table(["problem", "costs", "what it means", "what to do"], rows);
}

function conditionTable(): string {
  const rows = Object.entries(CONDITIONS).map(([name, { severity, shownAfterMs, title, remedy }]) => [
    code(name),
    severity,
    shownAfter(shownAfterMs),
    `${title}.`,
    remedy,
  ]);
  return table(["condition", "severity", "shown", "what it means", "what to do"], rows);
}

/** The README with its tables written anew. */
export function withTables(readme: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((text, [name, content]) => {
    const begin = `<!-- ${name}: made by "npm run words" -->\n`;
    const end = `<!-- end of ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) {
      throw new Error(`README.md has no place for the table "${name}": ${begin.trim()} … ${end}`);
    }
    return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
  }, readme);
}

function table(header: Row, rows: readonly Row[]): string {
  return [header, header.map(() => "---"), ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |\n`)
    .join("");
}

function block(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return ["```", ...rows.map(([term, words]) => `${term.padEnd(width)}  ${words}`), "```", ""].join("\n");
}

function cell(words: string): string {
  return words.replaceAll("|", "\\|");
}

function code(word: string): string {
  return `\`${word}\``;
}

/** A daemon that has seen nothing yet: enough for the registry to say what it has. */
export const NOTHING_YET: View = {
  version: "",
  nowMs: 0,
  isReady: false,
  conditions: [],
  failure: undefined,
  record: undefined,
  lastRunAtMs: undefined,
  ageMs: undefined,
  nextRunInMs: undefined,
  isRunning: false,
  configPath: "",
  configMistakes: undefined,
  host: undefined,
  disks: [],
  pace: { recent: [], lastChange: undefined },
  iamAddress: "",
  askedBy: undefined,
};

async function metricRows(): Promise<Row[]> {
  const registered = await createMetrics("").render(NOTHING_YET, 0);
  return [...registered.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name = "", help = ""]) => [
    code(name),
    help,
  ]);
}
