/**
 * Files that belong to the system and not to this program: what stands at a path, and whether it may be replaced.
 *
 * Nothing here writes, except that a directory can be removed when nothing is in it.
 */

import { constants } from "node:fs";
import { lstat, open, readdir, readlink, rmdir, stat } from "node:fs/promises";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import type { ObservedFile } from "../model/observed.ts";
import { ignoreAbsence, observeFile } from "./files.ts";
import { isOpenToOthers } from "./privileges.ts";

/** What stands at a path; `odd` with the reason why it is neither replaced nor put back. */
export type SystemFile =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly file: ObservedFile }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "odd"; readonly why: string };

/** Looks, without following a link at the last step. */
export async function lookAtSystemFile(path: string): Promise<SystemFile> {
  const found = await lstat(path).catch(absence);
  if (found === undefined) {
    return { kind: "absent" };
  }
  if (found.isSymbolicLink()) {
    return { kind: "link", target: await readlink(path) };
  }
  if (!found.isFile()) {
    return { kind: "odd", why: "it is not a regular file" };
  }
  if (isOpenToOthers(found)) {
    const mode = (found.mode & 0o7777).toString(8).padStart(4, "0");
    return { kind: "odd", why: `it belongs to uid ${found.uid} with mode ${mode}, so others can change it` };
  }
  const file = await observeFile(path);
  const why = await faultOf(path);
  return file === undefined
    ? { kind: "absent" }
    : why === undefined
      ? { kind: "file", file }
      : { kind: "odd", why };
}

/** An immutable file cannot be opened for writing, not even by root; opening alone changes nothing. */
async function faultOf(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    await handle.close();
    return undefined;
  } catch (error) {
    const isImmutable = errorCodeOf(error) === "EPERM";
    return isImmutable
      ? "it is immutable (lsattr shows it; chattr -i)"
      : `it cannot be written: ${messageOf(error)}`;
  }
}

/** The text of a configuration, a character for each byte; follows links, as the program does whose it is. */
export async function readSystemText(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(absence);
  if (handle === undefined) {
    return undefined;
  }
  await using file = handle;
  if (!(await file.stat()).isFile()) {
    throw new Error("it is not a regular file");
  }
  return await file.readFile("latin1");
}

/** The names in a directory, sorted by bytes; empty without one. */
export async function listNames(path: string): Promise<string[]> {
  const names = (await readdir(path).catch(absence)) ?? [];
  return names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

/** Whether anything is there, be it a link to nothing. */
export async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(absence)) !== undefined;
}

/** Why root must not run it; undefined when it is a program that nobody else can change. */
export async function programFault(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(absence);
  if (found === undefined || !found.isFile() || (found.mode & 0o111) === 0) {
    return `there is no program ${path}`;
  }
  return isOpenToOthers(found) ? `others can change ${path}` : undefined;
}

/** Removes a directory, and leaves one in which something is. */
export async function removeEmptyDirectory(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errorCodeOf(error) ?? "")) {
      ignoreAbsence(error);
    }
  });
}

function absence(error: unknown): undefined {
  if (errorCodeOf(error) !== "ENOTDIR") {
    ignoreAbsence(error);
  }
}
