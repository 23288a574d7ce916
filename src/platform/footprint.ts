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
  const digest = createHash("sha256");
  await addAll(digest, "", [...files, ...directories]);
  for (const directory of directories) {
    await addAll(digest, `${directory}/`, namesIn(directory));
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

/** What is said of a batch goes into the digest at once: each call costs as much as a look. */
async function addAll(digest: Hash, prefix: string, names: readonly string[]): Promise<void> {
  for (let start = 0; start < names.length; start += BATCH) {
    let text = "";
    for (const name of names.slice(start, start + BATCH)) {
      text += `${prefix}${name}\0${identityOf(prefix + name)}\0`;
    }
    digest.update(text);
    await setImmediate();
  }
}

function identityOf(path: string): string {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found === undefined
      ? "absent"
      : `${found.ino} ${found.size} ${found.mode} ${found.uid} ${found.gid} ${found.mtimeMs} ${found.ctimeMs}`;
  } catch {
    return "unreachable";
  }
}
