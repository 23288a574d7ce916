/**
 * The cache maps and indexes on disk.
 */

import {
  type IndexName,
  MAP_NAMES,
  type MapName,
  type ObservedFile,
  type ObservedMap,
} from "../model/observed.ts";
import { indexFileName } from "../model/plan.ts";
import { fileSize, observeFile } from "../platform/files.ts";
import { refusePublicDirectory } from "../platform/open-directory.ts";

const INDEX_NAMES: readonly IndexName[] = ["ixname", "ixuid", "ixgid"];

/** Reads these maps in one directory; what is missing, or not asked for, is simply not there. Throws when others can add files to it. */
export async function observeCaches(
  directory: string,
  asked: readonly MapName[] = MAP_NAMES,
): Promise<Readonly<Record<MapName, ObservedMap>>> {
  await refusePublicDirectory(directory);
  const observe = async (map: MapName) => (asked.includes(map) ? observeMap(directory, map) : NOT_THERE);
  const [group, passwd, shadow, sshkey] = await Promise.all([
    observe("group"),
    observe("passwd"),
    observe("shadow"),
    observe("sshkey"),
  ]);
  return { group, passwd, shadow, sshkey };
}

const NOT_THERE: ObservedMap = { data: undefined, indexes: new Map() };

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
