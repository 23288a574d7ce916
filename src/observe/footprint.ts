/**
 * A digest of what a plan depends on, cheap enough to take before each run: has anybody touched this node?
 *
 * Homes are left out: they may lie on a server far away, and a full run looks at them anyway.
 */

import { basename, dirname } from "node:path";
import { MAP_NAMES } from "../model/observed.ts";
import { underRoot } from "../platform/files.ts";
import { footprintOf } from "../platform/footprint.ts";
import { type TouchWatch, watchTouches } from "../platform/watch.ts";
import { mapFileNames } from "./caches.ts";
import type { ObserveSettings } from "./observe.ts";

/** Changes when a local account, a map, an index, a key file, the sudo drop-in or one of `others` is edited, replaced or removed. */
export async function observeFootprint(
  { root, caches, keys, sudo }: ObserveSettings,
  others: readonly string[],
): Promise<string> {
  const maps = MAP_NAMES.flatMap(mapFileNames).map((name) => `${caches.directory}/${name}`);
  const files = [...LOCAL_FILES, sudo.file, ...maps, ...others].map((path) => underRoot(root, path));
  return footprintOf(files, [underRoot(root, keys.directory)]);
}

const LOCAL_FILES = ["/etc/passwd", "/etc/group", "/etc/shells"];

/** Tells at no cost whether any of that may have changed; a directory that is replaced as a whole is missed. */
export function watchFootprint({ root, caches, keys, sudo }: ObserveSettings): TouchWatch {
  const names = new Set([...LOCAL_FILES.map((path) => basename(path)), ...MAP_NAMES.flatMap(mapFileNames)]);
  return watchTouches([
    ...[...new Set(["/etc", caches.directory])].map((path) => ({ path: underRoot(root, path), names })),
    { path: underRoot(root, keys.directory), names: undefined },
    { path: underRoot(root, dirname(sudo.file)), names: new Set([basename(sudo.file)]) },
  ]);
}
