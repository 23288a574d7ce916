/**
 * The list of published files on disk: one of them on each line, and what came later behind them.
 *
 * The heading says how many lines the list had when it was written whole. A line that was added since stands for its file
 * in place of any line before it, and one with the path alone takes the file off the list.
 */

import { parseJson } from "../model/json.ts";
import type { PublishedFile } from "../model/published.ts";
import { renderJsonLinesOf } from "./json-lines.ts";

/** The file's name in the state directory. */
export const PUBLISHED_FILE = "published";

const KIND = "published";
const FORMAT = 1;

/** The whole file, in the order given. */
export function renderPublished(files: readonly PublishedFile[]): Uint8Array {
  return renderJsonLinesOf(KIND, {}, { items: files, textOf: textOfFile });
}

/** What is to be added to the file: these files as they are now, by path; undefined for one that is off the list. */
export function renderNews(files: ReadonlyMap<string, PublishedFile | undefined>): Uint8Array {
  const lines = [...files].map(([path, file]) =>
    file === undefined ? JSON.stringify([path]) : textOfFile(file),
  );
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}

function textOfFile({ path, size, mtimeMs, sha256, mode, uid, gid }: PublishedFile): string {
  return JSON.stringify([path, size, mtimeMs, sha256, mode, uid, gid]);
}

/**
 * The list in a file; undefined when anything about it is not as it was written. Half a line at its end is of a process
 * that was killed, and stands for nothing.
 */
export function parsePublished(bytes: Uint8Array): PublishedFile[] | undefined {
  const files = new Map<string, PublishedFile>();
  let missing: number | undefined;
  for (const line of wholeLines(bytes)) {
    const value = parseJson(line);
    if (missing === undefined) {
      missing = linesIn(value);
      if (missing === undefined) {
        return undefined;
      }
      continue;
    }
    missing -= 1;
    const entry = parseEntry(value);
    if (entry === undefined) {
      return undefined;
    }
    if ("size" in entry) {
      files.set(entry.path, entry);
    } else {
      files.delete(entry.path);
    }
  }
  return missing !== undefined && missing <= 0 ? [...files.values()] : undefined;
}

function* wholeLines(bytes: Uint8Array): Iterable<string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let end = buffer.indexOf(LINE_FEED); end >= 0; end = buffer.indexOf(LINE_FEED, start)) {
    yield buffer.toString("utf8", start, end);
    start = end + 1;
  }
}

const LINE_FEED = 0x0a;

/** How many lines follow a heading at least; undefined when it is none of ours. */
function linesIn(value: unknown): number | undefined {
  const isHeading =
    typeof value === "object" &&
    value !== null &&
    "rollcall" in value &&
    value.rollcall === KIND &&
    "format" in value &&
    value.format === FORMAT &&
    "lines" in value;
  return isHeading && typeof value.lines === "number" ? value.lines : undefined;
}

function parseEntry(line: unknown): PublishedFile | Pick<PublishedFile, "path"> | undefined {
  if (!Array.isArray(line) || (line.length !== 7 && line.length !== 1)) {
    return undefined;
  }
  const [path, size, mtimeMs, sha256, mode, uid, gid]: unknown[] = line;
  if (line.length === 1) {
    return typeof path === "string" ? { path } : undefined;
  }
  return typeof path === "string" &&
    typeof size === "number" &&
    typeof mtimeMs === "number" &&
    typeof sha256 === "string" &&
    typeof mode === "number" &&
    typeof uid === "number" &&
    typeof gid === "number"
    ? { path, size, mtimeMs, sha256, mode, uid, gid }
    : undefined;
}
