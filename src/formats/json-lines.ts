/**
 * What Rollcall keeps for itself: a heading, then one value on each line, as JSON.
 *
 * The heading says what it is and how many lines follow, so that a file that lost its end is not taken for a whole one.
 */

import { parseJson } from "../model/json.ts";

const FORMAT = 1;

/** A file as it was read. */
export interface JsonLines {
  readonly heading: Readonly<Record<string, unknown>>;
  readonly lines: readonly unknown[];
}

/** The file; `kind` keeps one file from being read as another. */
export function renderJsonLines(kind: string, { heading, lines }: JsonLines): Uint8Array {
  const first = { rollcall: kind, format: FORMAT, lines: lines.length, ...heading };
  return Buffer.from([first, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** Undefined when it is another kind of file, or not whole. */
export function parseJsonLines(kind: string, bytes: Uint8Array): JsonLines | undefined {
  const [first = "", ...rest] = Buffer.from(bytes).toString("utf8").split("\n");
  const heading = parseJson(first);
  const isOurs = isRecord(heading) && heading["rollcall"] === kind && heading["format"] === FORMAT;
  return isOurs && rest.pop() === "" && heading["lines"] === rest.length
    ? { heading, lines: rest.map(parseJson) }
    : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
