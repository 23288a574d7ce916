/**
 * Fills a new home from the skeleton directory: regular files, directories and links, each given to its owner.
 *
 * Follows no link, and never opens what could hold it up (a FIFO, a device).
 */

import { constants } from "node:fs";
import { type FileHandle, lchown, mkdir, open, readdir, readlink, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { ignoreAbsence } from "./files.ts";
import { NEW_FILE, writeWhole } from "./new-file.ts";
import { isRoot } from "./privileges.ts";
import { DIRECTORY } from "./safe-directory.ts";

/** Whom a home is given to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const SOURCE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const SKELETON_FILE_BYTES = 16 * 1024 * 1024;

/** Copies what is in the skeleton, where there is one, into a home that is root's own still. */
export async function copySkeleton(skeleton: string | undefined, home: string, owner: Owner): Promise<void> {
  const source = skeleton === undefined ? undefined : await open(skeleton, DIRECTORY).catch(ignoreAbsence);
  if (source !== undefined) {
    await using directory = source;
    await copyEntries(directory, home, owner);
  }
}

/** Copies what is directly in a directory, and below. The new tree is still root's own, so its paths are safe. */
async function copyEntries(source: FileHandle, target: string, owner: Owner): Promise<void> {
  const path = `/proc/self/fd/${source.fd}`;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const from = join(path, entry.name);
    const to = join(target, entry.name);
    if (entry.isSymbolicLink()) {
      await symlink(await readlink(from), to);
      await ownLink(to, owner);
    } else if (entry.isDirectory()) {
      await copyDirectory(from, to, owner);
    } else if (entry.isFile()) {
      await copyFile(from, to, owner);
    }
  }
}

async function copyDirectory(from: string, to: string, owner: Owner): Promise<void> {
  await using source = await open(from, DIRECTORY);
  await mkdir(to, { mode: 0o700 });
  await copyEntries(source, to, owner);
  await using made = await open(to, DIRECTORY);
  await made.chmod((await source.stat()).mode & 0o777);
  await giveTo(made, owner);
}

async function copyFile(from: string, to: string, owner: Owner): Promise<void> {
  await using source = await open(from, SOURCE);
  const found = await source.stat();
  if (!found.isFile() || found.size > SKELETON_FILE_BYTES) {
    throw new Error(`the skeleton entry ${basename(from)} is not a regular file of at most 16 MiB`);
  }
  await using made = await open(to, NEW_FILE, 0o600);
  await writeWhole(made, await source.readFile());
  await made.chmod(found.mode & 0o777);
  await giveTo(made, owner);
}

/** Without privileges owners are left alone. */
export async function giveTo(handle: FileHandle, owner: Owner): Promise<void> {
  if (isRoot()) {
    await handle.chown(owner.uid, owner.gid);
  }
}

async function ownLink(path: string, owner: Owner): Promise<void> {
  if (isRoot()) {
    await lchown(path, owner.uid, owner.gid);
  }
}
