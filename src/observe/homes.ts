/**
 * What stands where the homes of active users should be.
 */

import type { Directory } from "../model/directory.ts";
import type { ObservedHome } from "../model/observed.ts";
import { lookAtHomes } from "../platform/homes.ts";

/** By path below `root`; only the homes that a plan may care about. */
export function observeHomes(root: string, directory: Directory): Promise<ReadonlyMap<string, ObservedHome>> {
  const active = directory.users.filter((user) => user.active);
  return lookAtHomes(
    root,
    active.map((user) => user.home),
  );
}
