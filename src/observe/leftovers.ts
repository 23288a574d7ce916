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
  const parents = new Set([...written, ...directory.users.map((user) => dirname(user.home))]);
  const found: string[] = [];
  for (const parent of parents) {
    const names = await listLeftovers(underRoot(root, parent));
    found.push(...names.map((name) => `${parent}/${name}`));
  }
  return found;
}
