/**
 * A large file that this program keeps for itself, written and read in parts: the whole of it is never in memory.
 *
 * In: parts; or nothing. Out: the file has them, durably, or is the one it was; or lines. One that is missing, or open to others, is
 * as if it were not there.
 */

import { type FileHandle, open } from "node:fs/promises";
import {
  ensureOwnDirectory,
  ignoreAbsence,
  isOwnDirectory,
  stageParts,
  syncDirectory,
  TO_READ,
} from "./files.ts";
import { writeWhole } from "./new-file.ts";
import { isOpenToOthers } from "./privileges.ts";

/** What is to be kept, and what must happen before what was kept is gone. */
export interface Keeping {
  /** Each must last until the next but one is asked for. */
  readonly parts: Iterable<Uint8Array>;
  readonly beforeReplacing: () => Promise<unknown>;
}

/**
 * Replaces a file by these parts, unless it holds them already: then nothing is touched. They are made once; what the
 * old file has in common with them at the start is copied from it.
 */
export async function keepPrivate(
  directory: string,
  name: string,
  { parts, beforeReplacing }: Keeping,
): Promise<void> {
  await using before = await openPrivate(directory, name);
  const feed = feedOf(parts);
  let same = 0;
  let part = feed.next();
  while (part !== undefined && (await feed.during(holds(before, part, same)))) {
    same += part.length;
    part = feed.next();
  }
  if (part === undefined && before !== undefined && (await before.stat()).size === same) {
    return;
  }
  await beforeReplacing();
  await ensureOwnDirectory(directory, 0o700);
  let end = same;
  await using staged = await stageParts(specOf(directory, name), async (file) => {
    await (before === undefined ? undefined : copyStart(before, file, same));
    for (; part !== undefined; part = feed.next()) {
      await feed.during(writeWhole(file, part, end));
      end += part.length;
    }
  });
  await staged.publish();
  await syncDirectory(directory);
}

/** Replaces a file by these parts, whatever it holds; they may be made out of its lines. Each must last until the next is asked for. */
export async function replacePrivate(
  directory: string,
  name: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<void> {
  await using staged = await stageParts(specOf(directory, name), async (file) => {
    let end = 0;
    for await (const part of parts) {
      await writeWhole(file, part, end);
      end += part.length;
    }
  });
  await staged.publish();
  await syncDirectory(directory);
}

/** Parts one after the other. The next one is made during what is done with this one, which mostly waits for the disk. */
function feedOf(parts: Iterable<Uint8Array>) {
  const rest = parts[Symbol.iterator]();
  let ahead: IteratorResult<Uint8Array, unknown> | undefined;
  const make = () => {
    ahead ??= rest.next();
  };
  return {
    next() {
      const { done, value } = ahead ?? rest.next();
      ahead = undefined;
      return done === true ? undefined : value;
    },
    async during<Result>(doing: Promise<Result>): Promise<Result> {
      const [result] = await Promise.all([doing, Promise.resolve().then(make)]);
      return result;
    },
  };
}

function specOf(directory: string, name: string) {
  return { path: `${directory}/${name}`, mode: 0o600, owner: { uid: 0, gid: 0 } };
}

const BLOCK_BYTES = 1024 * 1024;

async function holds(file: FileHandle | undefined, bytes: Uint8Array, start: number): Promise<boolean> {
  if (file === undefined) {
    return false;
  }
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, bytes.length));
  for (let at = 0; at < bytes.length; at += block.length) {
    const part = bytes.subarray(at, at + block.length);
    const { bytesRead } = await file.read(block, 0, part.length, start + at);
    if (bytesRead !== part.length || !block.subarray(0, bytesRead).equals(part)) {
      return false;
    }
  }
  return true;
}

async function copyStart(from: FileHandle, to: FileHandle, length: number): Promise<void> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let copied = 0;
  while (copied < length) {
    const { bytesRead } = await from.read(block, 0, Math.min(block.length, length - copied), copied);
    if (bytesRead === 0) {
      throw new Error("it became shorter while it was read");
    }
    await writeWhole(to, block.subarray(0, bytesRead), copied);
    copied += bytesRead;
  }
}

/**
 * The lines of a file, each with its line break, the last perhaps without; none when there is no file to trust. Each is
 * overwritten when the next is asked for.
 */
export async function* readPrivateLines(directory: string, name: string): AsyncGenerator<Buffer> {
  await using file = await openPrivate(directory, name).catch(() => undefined);
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  for (;;) {
    if (filled === block.length) {
      block = Buffer.concat([block], 2 * block.length);
    }
    const bytesRead = await readBehind(file, block, filled);
    const end = filled + bytesRead;
    let start = 0;
    for (
      let at = block.indexOf(LINE_BREAK, filled);
      at >= 0 && at < end;
      at = block.indexOf(LINE_BREAK, start)
    ) {
      yield block.subarray(start, at + 1);
      start = at + 1;
    }
    block.copyWithin(0, start, end);
    filled = end - start;
    if (bytesRead === 0) {
      break;
    }
  }
  if (filled > 0) {
    yield block.subarray(0, filled);
  }
}

const LINE_BREAK = 0x0a;

async function readBehind(file: FileHandle | undefined, block: Buffer, filled: number): Promise<number> {
  const read = await file?.read(block, filled, block.length - filled, null);
  return read?.bytesRead ?? 0;
}

async function openPrivate(directory: string, name: string): Promise<FileHandle | undefined> {
  if (!(await isOwnDirectory(directory))) {
    return undefined;
  }
  const file = await open(`${directory}/${name}`, TO_READ).catch(ignoreAbsence);
  const found = await file?.stat();
  if (found === undefined || (found.isFile() && !isOpenToOthers(found))) {
    return file;
  }
  await file?.close();
  return undefined;
}
