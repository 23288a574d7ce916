/**
 * Opens a directory in which only root can have put what is there, and works in it by descriptor.
 *
 * In: a root and an absolute path below it. Out: an open directory. Every directory on the way must belong to
 * root (or to the user this process runs as) and be writable by nobody else, so that no other user can swap a
 * component for a link; a link is followed only when it stands in such a directory and has such an owner.
 * Names below the descriptor are reached through /proc/self/fd, which stays on the same directory whatever
 * happens to its path.
 */

import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { errorCodeOf } from "../model/failure.ts";
import { isOpenToOthers, isTrustedOwner } from "./privileges.ts";

/** How a directory is opened that must be one. */
export const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const MAX_LINKS = 40;

/** An open directory; disposing closes it. */
export interface SafeDirectory extends AsyncDisposable {
  readonly handle: FileHandle;
  /** The path of a name directly in it. */
  child(name: string): string;
}

/** Opens it component by component; throws with the component that is missing or not safe. */
export async function openSafeDirectory(root: string, path: string): Promise<SafeDirectory> {
  let current = await openTrusted(root, root);
  try {
    const pending = components(path);
    let links = 0;
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      const target = await trustedLink(current.child(name), path);
      links += target === undefined ? 0 : 1;
      if (links > MAX_LINKS) {
        throw new Error(`${path} goes through too many links`);
      }
      const next = target === undefined ? await openTrusted(current.child(name), path) : undefined;
      const restart = target?.startsWith("/") ? await openTrusted(root, root) : undefined;
      pending.unshift(...components(target ?? ""));
      current = await replaced(current, next ?? restart);
    }
    return current;
  } catch (error) {
    await current[Symbol.asyncDispose]();
    throw error;
  }
}

/** A link may lead on, but never up and out: `..` has no place in a path that is checked step by step. */
function components(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) {
    throw new Error(`${path} contains "..", which is not followed here`);
  }
  return names;
}

async function replaced(current: SafeDirectory, next: SafeDirectory | undefined): Promise<SafeDirectory> {
  if (next === undefined) {
    return current;
  }
  await current[Symbol.asyncDispose]();
  return next;
}

async function openTrusted(path: string, asked: string): Promise<SafeDirectory> {
  const handle = await open(path, path === asked ? DIRECTORY & ~constants.O_NOFOLLOW : DIRECTORY);
  const found = await handle.stat();
  if (isOpenToOthers(found)) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
    await handle.close();
    throw new Error(
      `a directory on the way to ${asked} belongs to uid ${found.uid} with mode ${mode}; root must own it and alone write to it`,
    );
  }
  return {
    handle,
    child: (name) => `/proc/self/fd/${handle.fd}/${name}`,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** Where a trusted link leads; undefined when it is no link. */
async function trustedLink(path: string, asked: string): Promise<string | undefined> {
  const found = await lstat(path).catch((error: unknown) => {
    throw errorCodeOf(error) === "ENOENT" ? new Error(`${asked} does not exist`, { cause: error }) : error;
  });
  if (!found.isSymbolicLink()) {
    return undefined;
  }
  if (!isTrustedOwner(found.uid)) {
    throw new Error(`${asked} goes through a link that belongs to uid ${found.uid}`);
  }
  return readlink(path);
}
