/**
 * A file of whole lines that only grows, in a directory that nobody else can write to: the door to what must never be rewritten.
 *
 * In: a line. Out: it is on disk, whole, behind all earlier ones; or an error, and the file is as it was. Half a line that a
 * killed process left is cut off first. Never grows beyond its bound: a full file is set aside, in place of the one before.
 */

import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { readDiskSpace } from "./disk-space.ts";
import { ensureOwnDirectory, fileSize, observeFile, syncDirectory } from "./files.ts";
import { writeWhole } from "./new-file.ts";
import { isOpenToOthers } from "./privileges.ts";

/** Where lines go, and how many of them. */
export interface LineFile {
  readonly directory: string;
  readonly name: string;
  /** Of one of the two files. */
  readonly maxBytes: number;
  /** What others need of the file system comes first: with less than this left, nothing is written. */
  readonly spareBytes: number;
}

/** Appends a line, which ends with a line break. One process at a time. */
export async function appendLine(file: LineFile, line: Uint8Array): Promise<void> {
  await ensureOwnDirectory(file.directory, 0o700);
  await refuseWithoutSpace(file, line.length);
  const path = `${file.directory}/${file.name}`;
  await setAsideWhenFull(file, line.length);
  await using handle = await openOwn(path);
  const { size } = await handle.stat();
  const end = await endOfWholeLines(handle, size);
  if (end < size) {
    await handle.truncate(end);
  }
  try {
    await writeWhole(handle, line, end);
    await handle.sync();
  } catch (error) {
    // What others write now may need the room.
    await handle.truncate(end).catch(() => undefined);
    throw error;
  }
  if (size === 0) {
    await syncDirectory(file.directory);
  }
}

/** What `takeBackLine` looks at: enough for the longest lines. */
const TAIL_BYTES = 4 * 1024 ** 2;

/** Takes the last line away again, if it is this one and the whole lines before it make it worthless. Says whether it did. */
export async function takeBackLine(
  { directory, name }: Pick<LineFile, "directory" | "name">,
  line: Uint8Array,
  isWorthless: (before: Uint8Array) => boolean,
): Promise<boolean> {
  await using handle = await openOwn(`${directory}/${name}`);
  const { size } = await handle.stat();
  const end = size - line.length;
  const start = Math.max(0, end - TAIL_BYTES);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  if (end < 0 || bytesRead < size - start || !buffer.subarray(end - start).equals(line)) {
    return false;
  }
  const whole = start === 0 ? 0 : buffer.indexOf(LINE_BREAK) + 1;
  if (!isWorthless(buffer.subarray(whole, end - start))) {
    return false;
  }
  await handle.truncate(end);
  await handle.sync();
  return true;
}

/** Everything in both files, the older first, each without half a line at its end; throws when one cannot be trusted. */
export async function readLines({
  directory,
  name,
}: Pick<LineFile, "directory" | "name">): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const path of [asideOf(`${directory}/${name}`), `${directory}/${name}`]) {
    const found = await observeFile(path);
    if (found !== undefined && isOpenToOthers(found)) {
      throw new Error(`${path} can be changed by others, so it is not believed; remove it`);
    }
    const bytes = found?.bytes ?? new Uint8Array();
    parts.push(bytes.subarray(0, bytes.lastIndexOf(LINE_BREAK) + 1));
  }
  return Buffer.concat(parts);
}

const LINE_BREAK = 0x0a;

function asideOf(path: string): string {
  return `${path}.1`;
}

async function refuseWithoutSpace({ directory, spareBytes }: LineFile, bytes: number): Promise<void> {
  const space = await readDiskSpace("", directory);
  if (space !== undefined && space.freeBytes < spareBytes + bytes) {
    throw new Error(
      `${Math.floor(space.freeBytes / 1024)} KiB are free in ${directory}, and that is left to the accounts; free some space`,
    );
  }
}

async function setAsideWhenFull({ directory, name, maxBytes }: LineFile, bytes: number): Promise<void> {
  const path = `${directory}/${name}`;
  const size = (await fileSize(path)) ?? 0;
  if (size > 0 && size + bytes > maxBytes) {
    await rename(path, asideOf(path));
  }
}

/** Never through a link, never what is no regular file; private from the first moment. */
async function openOwn(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags, 0o600);
  const found = await handle.stat();
  if (found.isFile() && !isOpenToOthers(found)) {
    return handle;
  }
  await handle.close();
  throw new Error(
    found.isFile()
      ? `${path} can be changed by others, so nothing is added to it; remove it`
      : `${path} is not a regular file: move it away`,
  );
}

const CHUNK_BYTES = 64 * 1024;

/** Looks backwards for the last line break. */
async function endOfWholeLines(handle: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; end -= CHUNK_BYTES) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    const last = buffer.subarray(0, bytesRead).lastIndexOf(LINE_BREAK);
    if (last >= 0) {
      return start + last + 1;
    }
  }
  return 0;
}
