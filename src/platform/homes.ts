/**
 * The one door to home directories: looking at them, and building a new one beside its place.
 *
 * Never writes through a link, never changes what is already there. Until the moment a home is renamed into
 * place it belongs to root with mode 0700, so nobody can reach inside while it is filled.
 */

import { constants } from "node:fs";
import {
  type FileHandle,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import type { ObservedHome } from "../model/observed.ts";
import { inTime } from "./clock.ts";
import { ignoreAbsence, temporaryName, underRoot, writeWhole } from "./files.ts";
import { isRoot } from "./privileges.ts";
import { openSafeDirectory } from "./safe-directory.ts";

/** Where a home goes and what it starts with. */
export interface HomeSpec {
  readonly root: string;
  /** The path of the node, below `root`. */
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner;
  /** The skeleton directory on this machine; undefined or missing for an empty home. */
  readonly skeleton: string | undefined;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * What stands at each of these paths below `root`, by path. A file server that hangs holds up a thread for each question,
 * and there are four: after the first that is not answered in time nothing more is asked.
 */
export async function lookAtHomes(
  root: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, ObservedHome>> {
  const homes = new Map<string, ObservedHome>();
  let silence: string | undefined;
  for (const [parent, children] of Map.groupBy(paths, (path) => dirname(path))) {
    const found =
      silence === undefined ? await inTime(lookBelow(root, parent, children), ANSWER_MS) : undefined;
    silence ??= found === undefined ? parent : undefined;
    for (const path of children) {
      const reason = `${silence} does not answer; nothing in it was looked at, nor anything after it`;
      homes.set(path, found?.get(path) ?? { kind: "unreachable", reason, hangs: silence === parent });
    }
  }
  return homes;
}

/** A place of homes with a hundred thousand of them answers in seconds. */
const ANSWER_MS = 20_000;

async function lookBelow(
  root: string,
  parent: string,
  children: readonly string[],
): Promise<ReadonlyMap<string, ObservedHome>> {
  const homes = new Map<string, ObservedHome>();
  try {
    await using directory = await openSafeDirectory(root, parent);
    for (const path of children) {
      homes.set(path, await lookAt(directory.child(basename(path))));
    }
  } catch (error) {
    for (const path of children) {
      homes.set(path, await lookFromAfar(underRoot(root, path), messageOf(error)));
    }
  }
  return homes;
}

/** Builds a home and renames it into place; throws, leaving nothing behind, when something is there already. */
export async function buildHome(spec: HomeSpec): Promise<void> {
  await using parent = await openSafeDirectory(spec.root, dirname(spec.path));
  const target = parent.child(basename(spec.path));
  const temporary = parent.child(temporaryName());
  await mkdir(temporary, { mode: 0o700 });
  await using home = await open(temporary, DIRECTORY).catch(async (error: unknown) => {
    await rmdir(temporary);
    throw error;
  });
  try {
    await copySkeleton(spec.skeleton, temporary, spec.owner);
    if ((await lookAt(target)).kind !== "absent") {
      throw new Error(`${spec.path} appeared while the home was built; it is left alone`);
    }
    await home.chmod(spec.mode);
    await giveTo(home, spec.owner);
    await rename(temporary, target);
  } catch (error) {
    await removeHome(home, temporary);
    throw error;
  }
  await parent.handle.sync();
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const SOURCE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const SKELETON_FILE_BYTES = 16 * 1024 * 1024;

async function lookAt(path: string): Promise<ObservedHome> {
  try {
    const found = await lstat(path);
    return found.isDirectory() ? { kind: "directory", uid: found.uid } : { kind: "other" };
  } catch (error) {
    return errorCodeOf(error) === "ENOENT"
      ? { kind: "absent" }
      : { kind: "unreachable", reason: messageOf(error), hangs: false };
  }
}

/** A home that is there needs no safe way to it; one that is not cannot be made. */
async function lookFromAfar(path: string, reason: string): Promise<ObservedHome> {
  const home = await lookAt(path);
  return home.kind === "directory" ? home : { kind: "unreachable", reason, hangs: false };
}

async function copySkeleton(skeleton: string | undefined, home: string, owner: Owner): Promise<void> {
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

async function giveTo(handle: FileHandle, owner: Owner): Promise<void> {
  if (isRoot()) {
    await handle.chown(owner.uid, owner.gid);
  }
}

async function ownLink(path: string, owner: Owner): Promise<void> {
  if (isRoot()) {
    await lchown(path, owner.uid, owner.gid);
  }
}

/** Removes a home that was never moved into place; a file of that name is removed as well. */
export async function removeLeftover(root: string, path: string): Promise<void> {
  await using parent = await openSafeDirectory(root, dirname(path));
  const leftover = parent.child(basename(path));
  if ((await lookAt(leftover)).kind === "directory") {
    await using home = await open(leftover, DIRECTORY);
    await removeHome(home, leftover);
  } else {
    await unlink(leftover);
  }
}

/** Nobody but root may be inside while it is emptied. */
async function removeHome(home: FileHandle, path: string): Promise<void> {
  await giveTo(home, { uid: 0, gid: 0 });
  await home.chmod(0o700);
  await emptyDirectory(home);
  await rmdir(path);
}

/** By descriptor, so that no entry that is swapped for a link leads anywhere. */
async function emptyDirectory(directory: FileHandle): Promise<void> {
  const path = `/proc/self/fd/${directory.fd}`;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) {
      await using below = await open(child, DIRECTORY);
      await emptyDirectory(below);
      await rmdir(child);
    } else {
      await unlink(child);
    }
  }
}
