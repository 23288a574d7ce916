/**
 * Directories that others can write to: in, a path; out, whether what lies there can be believed.
 */

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { errorCodeOf } from "../model/failure.ts";
import { ignoreAbsence } from "./files.ts";

/**
 * Whether anybody can replace what is in a directory. With the sticky bit, only what is their own; where it is mounted
 * read-only, as Kubernetes mounts a ConfigMap with mode 0777, nothing.
 */
export async function isOpenDirectory(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  return (mode & 0o002) !== 0 && (mode & 0o1000) === 0 && !(await isReadOnly(path));
}

/** Throws when anybody can add files to a directory, sticky or not; one that is missing is none. */
export async function refusePublicDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(ignoreAbsence);
  if (found !== undefined && (found.mode & 0o002) !== 0) {
    throw new Error(
      `Anybody can add files to ${path}, and so make themselves anybody. Run: chmod o-w ${path}`,
    );
  }
}

async function isReadOnly(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => false,
    (error: unknown) => errorCodeOf(error) === "EROFS",
  );
}
