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

function directory(path: string, mode: number): DirectoryChange {
  return { kind: "directory", path, mode };
}
