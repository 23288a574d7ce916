/**
 * The one door to home directories: looking at them, and building a new one beside its place.
 *
 * Never writes through a link, never changes what is already there. Until the moment a home is renamed into
 * place it belongs to root with mode 0700, so nobody can reach inside while it is filled.
 */

import { type FileHandle, lstat, mkdir, open, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import type { ObservedHome } from "../model/observed.ts";
import { inTime } from "./clock.ts";
import { temporaryName, underRoot } from "./files.ts";
import { type Look, lookByThread } from "./look-thread.ts";
import { DIRECTORY, openSafeDirectory } from "./safe-directory.ts";
import { copySkeleton, giveTo, type Owner } from "./skeleton.ts";

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
  try {
    await using directory = await openSafeDirectory(root, parent);
    return await lookAtAll(children, (path) => directory.child(basename(path)));
  } catch (error) {
    const homes = await lookAtAll(children, (path) => underRoot(root, path));
    return new Map([...homes].map(([path, home]) => [path, asFromAfar(home, messageOf(error))]));
  }
}

/** Starting a thread costs as much as so many looks without one. */
const MANY = 1000;

async function lookAtAll(
  paths: readonly string[],
  placeOf: (path: string) => string,
): Promise<ReadonlyMap<string, ObservedHome>> {
  const looks = paths.length < MANY ? undefined : await lookByThread(paths, placeOf).catch(() => undefined);
  const homes = new Map<string, ObservedHome>();
  for (const [nth, path] of paths.entries()) {
    const look = looks?.[nth];
    homes.set(path, look === undefined ? await lookAt(placeOf(path)) : homeOf(look));
  }
  return homes;
}

function homeOf(look: Look): ObservedHome {
  if (typeof look === "number") {
    return { kind: "directory", uid: look };
  }
  return typeof look === "string" ? HOMELESS[look] : { kind: "unreachable", ...look, hangs: false };
}

const HOMELESS = { absent: { kind: "absent" }, other: { kind: "other" } } as const;

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
function asFromAfar(home: ObservedHome, reason: string): ObservedHome {
  return home.kind === "directory" ? home : { kind: "unreachable", reason, hangs: false };
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
