/**
 * A cheap look at many files: has anything about them changed?
 */

import { createHash, type Hash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** Files looked at before anybody else gets a turn. */
const BATCH = 500;

/**
 * One digest of what lstat(2) says of these files and of everything in these directories: inode, size, mode,
 * owner and both times. Reads no content and never throws; what cannot be looked at is as good as absent.
 * Synchronous in small batches, because ten thousand promises cost ten times what ten thousand calls do.
 */
export async function footprintOf(files: readonly string[], directories: readonly string[]): Promise<string> {
  const inside = directories.flatMap((directory) => namesIn(directory).map((name) => `${directory}/${name}`));
  const digest = createHash("sha256");
  for (const [position, path] of [...files, ...directories, ...inside].entries()) {
    addTo(digest, path);
    if (position % BATCH === BATCH - 1) {
      await setImmediate();
    }
  }
  return digest.digest("base64");
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function addTo(digest: Hash, path: string): void {
  let identity = "absent";
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    identity =
      found === undefined
        ? identity
        : `${found.ino} ${found.size} ${found.mode} ${found.uid} ${found.gid} ${found.mtimeMs} ${found.ctimeMs}`;
  } catch {
    identity = "unreachable";
  }
  digest.update(`${path}\0${identity}\0`);
}
