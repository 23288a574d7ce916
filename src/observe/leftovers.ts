/**
 * What a sync that was killed left half-made: temporary files, and homes that were never moved into place.
 */

import { listLeftovers, underRoot } from "../platform/files.ts";

/** Their paths on the node, in every directory where a sync writes. */
export async function observeLeftovers(
  root: string,
  written: readonly string[],
  placesOfHomes: ReadonlySet<string>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const parent of written) {
    found.push(...(await leftoversIn(root, parent)));
  }
  for (const parent of placesOfHomes) {
    // A place of homes that cannot be read is reported with the homes in it.
    found.push(...(await leftoversIn(root, parent).catch(() => [])));
  }
  return found;
}

async function leftoversIn(root: string, parent: string): Promise<string[]> {
  const names = await listLeftovers(underRoot(root, parent));
  return names.map((name) => `${parent}/${name}`);
}
