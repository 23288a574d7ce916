/**
 * Whether what lies on this node is what was last published there: by size and time, by hash when in doubt.
 */

import { hash } from "node:crypto";
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

/** What of a node is on the list. */
export type NodeFiles = Pick<Observed, "maps" | "keyFiles" | "sudoers">;

/** The list as it was left; undefined when there is none to trust. */
export async function loadPublished(stateDirectory: string): Promise<readonly PublishedFile[] | undefined> {
  const bytes = await readPrivate(stateDirectory, PUBLISHED_FILE);
  return bytes && parsePublished(bytes);
}

/** Every map and index, and the drop-in of sudoers(5), by path. */
export function otherFiles({ maps, sudoers }: NodeFiles, { caches, sudo }: PublishedPlaces) {
  const files = new Map<string, ObservedFile>();
  for (const map of MAP_NAMES) {
    const { data, indexes } = maps[map];
    if (data !== undefined) {
      files.set(`${caches.directory}/${map}.cache`, data);
    }
    indexes.forEach((file, index) => files.set(`${caches.directory}/${indexFileName(map, index)}`, file));
  }
  if (sudoers !== undefined) {
    files.set(sudo.file, sudoers);
  }
  return files;
}

/** The user whose key file a path is; undefined for every other path. */
export function keyOwnerOf(path: string, { keys }: Pick<PublishedPlaces, "keys">): string | undefined {
  const prefix = `${keys.directory}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
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
  files: NodeFiles,
  places: PublishedPlaces & { readonly trustsTimes: boolean },
): Difference[] {
  const others = otherFiles(files, places);
  const listed = new Set<string>();
  const touched: Difference[] = [];
  for (const left of published) {
    const user = keyOwnerOf(left.path, places);
    const file = user === undefined ? others.get(left.path) : files.keyFiles.get(user);
    const difference = differenceOf(left, file, places.trustsTimes);
    if (difference !== undefined) {
      touched.push(difference);
    }
    if (user !== undefined) {
      listed.add(user);
    }
  }
  const strangers = [...files.keyFiles.keys()].filter((user) => !listed.has(user));
  return [
    ...touched.sort((left, right) => (left.path < right.path ? -1 : 1)),
    ...strangers.map(
      (user) => ({ path: `${places.keys.directory}/${user}`, how: "not Rollcall's" }) as const,
    ),
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
  return hash("sha256", bytes, "hex");
}
