/**
 * Whether a login shell is there, as sshd looks before it lets anybody in.
 */

import { lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCodeOf } from "../model/failure.ts";
import { ignoreAbsence, underRoot } from "./files.ts";

/** Why sshd would not take it; undefined when it would, or when nobody can tell from here. */
export async function shellFault(root: string, path: string): Promise<string | undefined> {
  const place = underRoot(root, path);
  try {
    const found = await stat(place);
    return found.isFile() && (found.mode & 0o111) !== 0 ? undefined : "is not a program that can be run";
  } catch (error) {
    // Below another root its directory may not be mounted, and an absolute link leads elsewhere.
    const isVisible = (await stat(dirname(place)).catch(() => undefined)) !== undefined;
    const link = await lstat(place).catch(ignoreAbsence);
    return errorCodeOf(error) === "ENOENT" && isVisible && link === undefined
      ? "is not installed on this node"
      : undefined;
  }
}
