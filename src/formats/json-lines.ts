/**
 * What Rollcall keeps for itself: a heading, then one value on each line, as JSON.
 *
 * The heading says what it is and how many lines follow, so that a file that lost its end is not taken for a whole one.
 */

import { parseJson } from "../model/json.ts";
import { renderLines } from "./lines.ts";

const FORMAT = 1;

/** A file as it was read. */
export interface JsonLines {
  readonly heading: Readonly<Record<string, unknown>>;
  readonly lines: readonly unknown[];
}

/** The file; `kind` keeps one file from being read as another. */
export function renderJsonLines(kind: string, { heading, lines }: JsonLines): Uint8Array {
  return renderJsonLinesOf(kind, heading, { items: lines, textOf: (line) => JSON.stringify(line) });
}

/** The same of many: each of them is a line of JSON by itself. */
export function renderJsonLinesOf<Item>(
  kind: string,
  heading: JsonLines["heading"],
  { items, textOf }: { readonly items: readonly Item[]; readonly textOf: (item: Item) => string },
): Uint8Array {
  const first = { rollcall: kind, format: FORMAT, lines: items.length, ...heading };
  return renderLines(items, textOf, { head: JSON.stringify(first) }).file;
}

/** Undefined when it is another kind of file, or not whole. */
export function parseJsonLines(kind: string, bytes: Uint8Array): JsonLines | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = file.indexOf(LINE_FEED);
  const heading = parseJson(file.toString("utf8", 0, Math.max(0, end)));
  const isOurs = isRecord(heading) && heading["rollcall"] === kind && heading["format"] === FORMAT;
  const lines = isOurs ? valuesIn(file.subarray(end + 1)) : undefined;
  return isOurs && lines !== undefined && lines.length === heading["lines"] ? { heading, lines } : undefined;
}

const [LINE_FEED = 0, COMMA = 0, OPEN = 0, CLOSE = 0] = Buffer.from("\n,[]");

/** Of lines that each end with a line feed. All at once, which takes a third of the time; one by one where a line is no JSON. */
function valuesIn(lines: Buffer): readonly unknown[] | undefined {
  if (lines.length === 0 || lines.at(-1) !== LINE_FEED) {
    return lines.length === 0 ? [] : undefined;
  }
  const list = Buffer.concat([Buffer.of(OPEN), lines]);
  let count = 0;
  for (let at = 1; at < list.length; at += 1) {
    if (list[at] === LINE_FEED) {
      list[at] = COMMA;
      count += 1;
    }
  }
  list[list.length - 1] = CLOSE;
  const values = parseJson(list.toString());
  return Array.isArray(values) && values.length === count
    ? values
    : lines.toString().split("\n").slice(0, -1).map(parseJson);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
