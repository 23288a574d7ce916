/**
 * What this program keeps for itself between runs: files in a directory that nobody else can write to.
 *
 * All of it can be lost: a file that is missing, or open to others, is as if it were not there.
 */

import { readdir } from "node:fs/promises";
import { errorCodeOf } from "../model/failure.ts";
import { ensureOwnDirectory, isOwnDirectory, observeFile, writeFile } from "./files.ts";
import { isOpenToOthers } from "./privileges.ts";

/** The bytes of a file; undefined when there is none to trust, or it cannot be read. */
export function readPrivate(directory: string, name: string): Promise<Buffer | undefined> {
  return readKept(directory, name).catch(() => undefined);
}

/** The same for what is not lightly lost: throws when it is there and cannot be read. */
export async function readKept(directory: string, name: string): Promise<Buffer | undefined> {
  if (!(await isOwnDirectory(directory))) {
    return undefined;
  }
  const file = await observeFile(`${directory}/${name}`);
  return file === undefined || isOpenToOthers(file) ? undefined : Buffer.from(file.bytes);
}

/** Replaces a file, readable by its owner alone; makes the directory, 0700, if need be. */
export async function writePrivate(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  await ensureOwnDirectory(directory, 0o700);
  await writeFile({ path: `${directory}/${name}`, bytes, mode: 0o600, owner: { uid: 0, gid: 0 } });
}

/** Whether a directory is there that this user may not look into. */
export async function isDenied(directory: string): Promise<boolean> {
  return readdir(directory).then(
    () => false,
    (error: unknown) => errorCodeOf(error) === "EACCES",
  );
}
