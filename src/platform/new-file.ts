/**
 * Makes a file that an admin asked for, where none is yet.
 */

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { removeFile, writeWhole } from "./files.ts";

/** Makes a file where none is, readable by everybody; never replaces anything. */
export async function createFile(path: string, text: string): Promise<void> {
  await using file = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o644,
  );
  try {
    await file.chmod(0o644);
    await writeWhole(file, Buffer.from(text));
    await file.sync();
  } catch (error) {
    await removeFile(path);
    throw error;
  }
}
