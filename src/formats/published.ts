/**
 * The list of published files on disk: one of them on each line.
 */

import type { PublishedFile } from "../model/published.ts";
import { parseJsonLines, renderJsonLines } from "./json-lines.ts";

/** The file's name in the state directory. */
export const PUBLISHED_FILE = "published";

/** The file, in the order given. */
export function renderPublished(files: readonly PublishedFile[]): Uint8Array {
  const lines = files.map(({ path, size, mtimeMs, sha256, mode, uid, gid }) => [
    path,
    size,
    mtimeMs,
    sha256,
    mode,
    uid,
    gid,
  ]);
  return renderJsonLines("published", { heading: {}, lines });
}

/** The list in a file; undefined when anything about it is not as it was written. */
export function parsePublished(bytes: Uint8Array): PublishedFile[] | undefined {
  const lines = parseJsonLines("published", bytes)?.lines;
  const files = lines?.flatMap((line) => parseFile(line) ?? []);
  return files?.length === lines?.length ? files : undefined;
}

function parseFile(line: unknown): PublishedFile | undefined {
  if (!Array.isArray(line) || line.length !== 7) {
    return undefined;
  }
  const [path, size, mtimeMs, sha256, mode, uid, gid]: unknown[] = line;
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
