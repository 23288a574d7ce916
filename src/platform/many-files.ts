/**
 * Many small files of one directory: written together, so that what is dear is paid once for all of them, and read.
 *
 * The calls are synchronous, at a tenth of the price of asynchronous ones, so this is for a directory that is local and
 * root's own; others get a turn between a few hundred files.
 */

import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { ObservedFile } from "../model/observed.ts";
import { runTool } from "./child.ts";
import {
  type FileSpec,
  refuseLink,
  refuseOddity,
  refuseToReplace,
  syncDirectory,
  TO_READ,
  temporaryName,
} from "./files.ts";
import { NEW_FILE } from "./new-file.ts";
import { isRoot } from "./privileges.ts";

/** A file on its way. */
interface Staged {
  readonly spec: FileSpec;
  /** Where it lies until it is renamed. */
  readonly temporary: string;
  failure: unknown;
}

/**
 * Writes, syncs and renames files, a few hundred of them, and syncs the directory once. Out: for each of them why it is not
 * in place; undefined where it is, whole and on disk. One that cannot be written costs no other.
 */
export async function writeFiles(directory: string, specs: readonly FileSpec[]): Promise<readonly unknown[]> {
  const files = specs.map(
    (spec): Staged => ({ spec, temporary: join(dirname(spec.path), temporaryName()), failure: undefined }),
  );
  each(files, stage);
  await makeDurable(directory, files);
  each(files, publish);
  await syncDirectory(directory).catch((error: unknown) =>
    each(files, () => {
      throw error;
    }),
  );
  return files.map(({ failure }) => failure);
}

/** Does the next step for those that have got so far. */
function each(files: readonly Staged[], act: (file: Staged) => void): void {
  for (const file of files) {
    if (file.failure === undefined) {
      try {
        act(file);
      } catch (error) {
        giveUp(file, error);
      }
    }
  }
}

function giveUp(file: Staged, error: unknown): void {
  file.failure = error;
  try {
    unlinkSync(file.temporary);
  } catch {
    // It was never made, or has its name already; what is left the next sync removes.
  }
}

/** Owner and mode first, then the content. */
function stage({ spec, temporary }: Staged): void {
  const fd = openSync(temporary, NEW_FILE, 0o600);
  try {
    if (isRoot()) {
      fchownSync(fd, spec.owner.uid, spec.owner.gid);
    }
    fchmodSync(fd, spec.mode);
    for (let written = 0; written < spec.bytes.length; ) {
      written += writeSync(fd, spec.bytes, written, spec.bytes.length - written, written);
    }
  } finally {
    closeSync(fd);
  }
}

function publish({ spec, temporary }: Staged): void {
  refuseToReplace(spec.path, lstatSync(spec.path, { throwIfNoEntry: false }));
  renameSync(temporary, spec.path);
}

/** One syncfs(2) costs as much as a few fsync(2), and Node has it only as sync(1). */
const TOGETHER = 16;
const SYNC_LIMIT_MS = 60_000;

/** All at once where they are many; one by one where that fails, so that only what is not on disk counts as failed. */
async function makeDurable(directory: string, files: readonly Staged[]): Promise<void> {
  const staged = files.filter(({ failure }) => failure === undefined);
  if (staged.length >= TOGETHER && (await syncFileSystemOf(directory))) {
    return;
  }
  for (const file of staged) {
    await syncFile(file.temporary).catch((error: unknown) => giveUp(file, error));
  }
}

function syncFileSystemOf(directory: string): Promise<boolean> {
  return runTool({ program: "sync", args: ["--file-system", directory] }, SYNC_LIMIT_MS).then(
    ({ code }) => code === 0,
    () => false,
  );
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path);
  await file.sync();
}

/** Files read before anybody else gets a turn. */
const TURN = 500;

/** Reads regular files, by name; what is not there is left out. Throws where one cannot be read. */
export async function observeFiles(
  directory: string,
  names: Iterable<string>,
): Promise<Map<string, ObservedFile>> {
  const files = new Map<string, ObservedFile>();
  let looks = 0;
  for (const name of names) {
    const file = observe(`${directory}/${name}`);
    if (file !== undefined) {
      files.set(name, file);
    }
    looks += 1;
    await (looks % TURN === 0 ? setImmediate() : undefined);
  }
  return files;
}

function observe(path: string): ObservedFile | undefined {
  const fd = openRegular(path);
  if (fd === undefined) {
    return undefined;
  }
  try {
    const found = fstatSync(fd);
    refuseOddity(path, found);
    const { size, mode, uid, gid, mtimeMs } = found;
    return { bytes: readBytes(fd, size), mode: mode & 0o7777, uid, gid, mtimeMs };
  } finally {
    closeSync(fd);
  }
}

function openRegular(path: string): number | undefined {
  try {
    return openSync(path, TO_READ);
  } catch (error) {
    return refuseLink(path, error);
  }
}

/** So small ones share memory. */
function readBytes(fd: number, size: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  for (let got = -1; got !== 0 && filled < size; filled += got) {
    got = readSync(fd, bytes, filled, size - filled, filled);
  }
  return bytes.subarray(0, filled);
}
