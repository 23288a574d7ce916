/**
 * Where a daemon and its clients meet, and where its files lie. Light: a command that only asks loads no more than this.
 */

import type { Settings } from "../config/settings.ts";
import { type DiskSpace, readDiskSpace } from "../platform/disk-space.ts";
import { underRoot } from "../platform/files.ts";

/** Gone after a reboot, as what lies in it should be. */
export const RUN_DIRECTORY = "/run/rollcall";

/** Where the daemon listens below a root; `health` for everybody, `control` for root. */
export function socketPath(root: string, name: "health" | "control"): string {
  return underRoot(root, `${RUN_DIRECTORY}/${name}.sock`);
}

/** Where a full disk would keep changes from this node. */
export async function readDisks(
  { caches, keys, state }: Settings,
  root: string,
): Promise<readonly DiskSpace[]> {
  const found = await Promise.all(
    Object.entries({ caches, keys, state }).map(([name, { directory }]) =>
      readDiskSpace(name, underRoot(root, directory)),
    ),
  );
  return found.filter((disk) => disk !== undefined);
}
