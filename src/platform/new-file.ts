/**
 * Makes a file where none is yet, and fills it.
 */

import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";

/** How a file is opened that must not be there yet. */
export const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes a file where none is, readable by everybody; never replaces anything. */
export async function createFile(path: string, text: string): Promise<void> {
  await using file = await open(path, NEW_FILE, 0o644);
  try {
    await file.chmod(0o644);
    await writeWhole(file, Buffer.from(text));
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Fills a file from `start` on; each part at its own offset, so that a write that comes up short is simply gone on with. */
export async function writeWhole(file: FileHandle, bytes: Uint8Array, start = 0): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, start + written);
    written += bytesWritten;
  }
}
