/**
 * Directories that Rollcall works in: made where they are missing, and never changed where they are not as they must be.
 */

import { dirname } from "node:path";
import { messageOf } from "../model/failure.ts";
import { refuseOpenDirectory, refuseToLeave, underRoot } from "../platform/files.ts";
import { isThere } from "../platform/system-files.ts";
import { type DirectoryChange, type Part } from "./change.ts";

/** One directory, and whatever is missing above it. */
export async function planDirectory(root: string, path: string, mode: number): Promise<Part> {
  await refuseToLeave(root, path);
  if (await isThere(underRoot(root, path))) {
    const fault = await refuseOpenDirectory(underRoot(root, path), mode).then(() => undefined, messageOf);
    return { changes: [], notes: [], left: fault === undefined ? [] : [`${fault}.`] };
  }
  const above = [];
  for (let parent = dirname(path); !(await isThere(underRoot(root, parent))); parent = dirname(parent)) {
    above.unshift(directory(parent, 0o755));
  }
  return { changes: [...above, directory(path, mode)], notes: [], left: [] };
}

/** One that is the system's: made open to all, and as closed as it is where it is there (Red Hat's sshd_config.d is root's alone). */
export async function planSystemDirectory(root: string, path: string): Promise<Part> {
  return planDirectory(root, path, (await isThere(underRoot(root, path))) ? 0o700 : 0o755);
}

function directory(path: string, mode: number): DirectoryChange {
  return { kind: "directory", path, mode };
}
