/**
 * Whether what lies on this node is what was last published there: by size and time, by hash when in doubt.
 */

import { createHash } from "node:crypto";
import { PUBLISHED_FILE, parsePublished } from "../formats/published.ts";
import { MAP_NAMES, type Observed, type ObservedFile } from "../model/observed.ts";
import { indexFileName } from "../model/plan.ts";
import type { Difference, PublishedFile } from "../model/published.ts";
import { readPrivate } from "../platform/private-files.ts";

/** Where the files of this node lie, and where the list of them. */
export interface PublishedPlaces {
  readonly caches: { readonly directory: string };
  readonly keys: { readonly directory: string };
  readonly sudo: { readonly file: string };
}

/** What is on this node, by its path there. */
export type FilesByPath = Map<string, ObservedFile>;

/** The list as it was left; undefined when there is none to trust. */
export async function loadPublished(stateDirectory: string): Promise<readonly PublishedFile[] | undefined> {
  const bytes = await readPrivate(stateDirectory, PUBLISHED_FILE);
  return bytes && parsePublished(bytes);
}

/** Every map, index and key file, and the drop-in of sudoers(5). */
export function filesByPath(
  { maps, keyFiles, sudoers }: Pick<Observed, "maps" | "keyFiles" | "sudoers">,
  { caches, keys, sudo }: PublishedPlaces,
): FilesByPath {
  const files = new Map<string, ObservedFile>();
  for (const map of MAP_NAMES) {
    const { data, indexes } = maps[map];
    if (data !== undefined) {
      files.set(`${caches.directory}/${map}.cache`, data);
    }
    indexes.forEach((file, index) => files.set(`${caches.directory}/${indexFileName(map, index)}`, file));
  }
  keyFiles.forEach((file, name) => files.set(`${keys.directory}/${name}`, file));
  if (sudoers !== undefined) {
    files.set(sudo.file, sudoers);
  }
  return files;
}

/** How a file is now, for the list. */
export function publishedFileOf(path: string, file: ObservedFile): PublishedFile {
  const { bytes, mtimeMs, mode, uid, gid } = file;
  return { path, size: bytes.length, mtimeMs, sha256: hashOf(bytes), mode, uid, gid };
}

/**
 * What is not as it was left; key files that were never published count, other files beside the maps do not. A file
 * of the same size and time is taken for the same where times are trusted.
 */
export function differencesFrom(
  published: readonly PublishedFile[],
  files: FilesByPath,
  { keys, trustsTimes }: Pick<PublishedPlaces, "keys"> & { readonly trustsTimes: boolean },
): Difference[] {
  const known = new Set(published.map(({ path }) => path));
  const strangers = [...files].filter(([path]) => !known.has(path) && path.startsWith(`${keys.directory}/`));
  return [
    ...published.flatMap((left) => differenceOf(left, files.get(left.path), trustsTimes) ?? []),
    ...strangers.map(([path]) => ({ path, how: "not Rollcall's" }) as const),
  ];
}

function differenceOf(
  left: PublishedFile,
  file: ObservedFile | undefined,
  trustsTimes: boolean,
): Difference | undefined {
  const { path } = left;
  if (file === undefined) {
    return { path, how: "deleted" };
  }
  if (file.bytes.length !== left.size) {
    return { path, how: file.bytes.length === 0 ? "emptied" : "changed" };
  }
  const isInDoubt = !trustsTimes || file.mtimeMs !== left.mtimeMs;
  if (isInDoubt && hashOf(file.bytes) !== left.sha256) {
    return { path, how: "changed" };
  }
  const isAttributed = file.mode === left.mode && file.uid === left.uid && file.gid === left.gid;
  return isAttributed ? undefined : { path, how: "mode or owner changed" };
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
