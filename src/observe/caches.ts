/**
 * The cache maps and indexes on disk.
 */

import type { IndexName, MapName, ObservedFile, ObservedMap } from "../model/observed.ts";
import { indexFileName } from "../model/plan.ts";
import { fileSize, observeFile } from "../platform/files.ts";
import { refusePublicDirectory } from "../platform/open-directory.ts";

const INDEX_NAMES: readonly IndexName[] = ["ixname", "ixuid", "ixgid"];

/** Reads every map in one directory; what is missing is simply not there. Throws when others can add files to it. */
export async function observeCaches(directory: string): Promise<Readonly<Record<MapName, ObservedMap>>> {
  await refusePublicDirectory(directory);
  const [group, passwd, shadow, sshkey] = await Promise.all([
    observeMap(directory, "group"),
    observeMap(directory, "passwd"),
    observeMap(directory, "shadow"),
    observeMap(directory, "sshkey"),
  ]);
  return { group, passwd, shadow, sshkey };
}

async function observeMap(directory: string, map: MapName): Promise<ObservedMap> {
  const indexes = new Map<IndexName, ObservedFile>();
  for (const index of INDEX_NAMES) {
    const file = await observeFile(`${directory}/${indexFileName(map, index)}`);
    if (file !== undefined) {
      indexes.set(index, file);
    }
  }
  return { data: await observeFile(`${directory}/${map}.cache`), indexes };
}

/** Every file a map may consist of. */
export function mapFileNames(map: MapName): string[] {
  return [`${map}.cache`, ...INDEX_NAMES.map((index) => indexFileName(map, index))];
}

/** Whether a passwd map with anybody in it is in place. */
export async function servesSomebody(directory: string): Promise<boolean> {
  // Whatever stands in the way, nobody is served from there.
  const size = await fileSize(`${directory}/passwd.cache`).catch(() => undefined);
  return (size ?? 0) > 0;
}
