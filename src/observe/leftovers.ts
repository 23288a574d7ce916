/**
 * What a sync that was killed left half-made: temporary files, and homes that were never moved into place.
 */

import { dirname } from "node:path";
import type { Directory } from "../model/directory.ts";
import { listLeftovers, underRoot } from "../platform/files.ts";

/** Their paths on the node, in every directory where a sync of this directory writes. */
export async function observeLeftovers(
  root: string,
  written: readonly string[],
  directory: Directory,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const parent of written) {
    found.push(...(await leftoversIn(root, parent)));
  }
  for (const parent of new Set(directory.users.map((user) => dirname(user.home)))) {
    // A place of homes that cannot be read is reported with the homes in it.
    found.push(...(await leftoversIn(root, parent).catch(() => [])));
  }
  return found;
}

async function leftoversIn(root: string, parent: string): Promise<string[]> {
  const names = await listLeftovers(underRoot(root, parent));
  return names.map((name) => `${parent}/${name}`);
}
