/**
 * The one door to regular files: read whole, observed, staged, published, removed.
 *
 * Writing never touches a file in place. Reading never follows a link at the last step, and never opens what
 * is not a regular file.
 */

import { constants, type Stats } from "node:fs";
import {
  chmod,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCodeOf } from "../model/failure.ts";
import type { ObservedFile } from "../model/observed.ts";
import { NEW_FILE, writeWhole } from "./new-file.ts";
import { isOpenToOthers, isRoot } from "./privileges.ts";

/** What a file must look like before anybody can open it by name. */
export interface FileSpec {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** Set only when this process is root. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** A file that is written and synced under another name. Disposing of it unpublished removes it. */
export interface StagedFile extends AsyncDisposable {
  /** Where it lies until it is published. */
  readonly path: string;
  /** Renames it into place. The directory still has to be synced. */
  publish(): Promise<void>;
}

/** Joins a path of the node to the root it is served under. */
export function underRoot(root: string, path: string): string {
  return root === "/" ? path : join(root, path);
}

/** Throws when a link inside another root leads a path out of it, to this machine's own files. */
export async function refuseToLeave(root: string, path: string): Promise<void> {
  const inside = await realpath(root);
  let existing = underRoot(root, path);
  let found = await realpath(existing).catch(ignoreAbsence);
  while (found === undefined) {
    existing = dirname(existing);
    found = await realpath(existing).catch(ignoreAbsence);
  }
  if (inside !== "/" && found !== inside && !found.startsWith(`${inside}/`)) {
    throw new Error(`${path} leads out of ${root}, to ${found}: a link in there points to an absolute path`);
  }
}

/** The name under which a file or a home is built beside its place; user names never start with a dot. */
export function temporaryName(): string {
  // The global loads what it needs when it is used; node:crypto takes a tenth of the start of `rollcall keys`.
  return `.rollcall-${Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex")}`;
}

const TEMPORARY = /^\.rollcall-[0-9a-f]{12}$/;

/** The temporary names in a directory; with the node locked, all of them are leftovers. Empty without a directory. */
export async function listLeftovers(path: string): Promise<string[]> {
  const names = await readdir(path).catch(ignoreAbsence);
  return (names ?? []).filter((name) => TEMPORARY.test(name)).sort();
}

/** Writes and syncs a new file beside its place: owner and mode first, then the content. */
export function stageFile(spec: FileSpec): Promise<StagedFile> {
  return stageParts(spec, (file) => writeWhole(file, spec.bytes));
}

/** The same for content that is written bit by bit. */
export async function stageParts(
  spec: Omit<FileSpec, "bytes">,
  write: (file: FileHandle) => Promise<void>,
): Promise<StagedFile> {
  const temporary = join(dirname(spec.path), temporaryName());
  await using stack = new AsyncDisposableStack();
  const handle = await open(temporary, NEW_FILE, 0o600);
  stack.defer(() => removeFile(temporary));
  await fill(handle, spec, write);
  const cleanup = stack.move();
  return {
    path: temporary,
    async publish() {
      refuseToReplace(spec.path, await lstat(spec.path).catch(ignoreAbsence));
      await rename(temporary, spec.path);
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** Stages, publishes and syncs one file. */
export async function writeFile(spec: FileSpec): Promise<void> {
  await using staged = await stageFile(spec);
  await staged.publish();
  await syncDirectory(dirname(spec.path));
}

/** Removes a file; one that is gone already is no error. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ignoreAbsence);
}

/** Makes renames and removals in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync();
}

/** Makes a directory that only root writes to; one that is there must already be so, and as open as `mode`. */
export async function ensureOwnDirectory(path: string, mode: number): Promise<void> {
  const parent = dirname(path);
  const first = (await mkdir(parent, { recursive: true })) ?? path;
  // Others pass through what leads to it, whatever the umask of this process is.
  for (let made = parent; made.startsWith(first); made = dirname(made)) {
    await chmod(made, 0o755);
  }
  const isNew = await mkdir(path, { mode }).then(() => true, existsAlready);
  if (isNew) {
    await chmod(path, mode);
  }
  await refuseOpenDirectory(path, mode);
}

/** Throws when a directory is there and others can write to it, or it is less open than `mode`. */
export async function refuseOpenDirectory(path: string, mode: number): Promise<void> {
  const real = await realpath(path).catch(ignoreAbsence);
  const found = real === undefined ? undefined : await stat(real);
  if (
    real === undefined ||
    found === undefined ||
    ((await isOwnDirectory(real)) && (found.mode & mode) === mode)
  ) {
    return;
  }
  const octal = mode.toString(8).padStart(4, "0");
  const mend =
    real === path
      ? `Run: chown root ${real}; chmod ${octal} ${real}`
      : `The link leads to ${real}; make it a directory instead`;
  throw new Error(`${path} must be a directory that root owns, with mode ${octal}. ${mend}`);
}

/** Whether a path is a directory that root owns and nobody else writes to. */
export async function isOwnDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(ignoreAbsence);
  return found?.isDirectory() === true && !isOpenToOthers(found);
}

function existsAlready(error: unknown): false {
  if (errorCodeOf(error) !== "EEXIST") {
    throw error;
  }
  return false;
}

/** How a file is opened that is to be read: not through a link, and never waiting for a FIFO. */
export const TO_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads a regular file with what stat(2) says of it; undefined when there is none. */
export async function observeFile(path: string): Promise<ObservedFile | undefined> {
  const handle = await open(path, TO_READ).catch((error: unknown) => refuseLink(path, error));
  if (handle === undefined) {
    return undefined;
  }
  await using file = handle;
  const found = await file.stat();
  refuseOddity(path, found);
  return {
    bytes: await file.readFile(),
    mode: found.mode & 0o7777,
    uid: found.uid,
    gid: found.gid,
    mtimeMs: found.mtimeMs,
  };
}

/** For an error of open(2): undefined for what is not there; throws every other error again, and says so of a link. */
export function refuseLink(path: string, error: unknown): undefined {
  if (errorCodeOf(error) === "ELOOP") {
    throw new Error(`${path} is a symbolic link, so it is neither read nor replaced: move it away`);
  }
  return ignoreAbsence(error);
}

/** Throws for what can be opened and is no regular file. */
export function refuseOddity(path: string, found: Stats): void {
  if (!found.isFile()) {
    throw new Error(`${path} is not a regular file: move it away`);
  }
}

/** Bytes of a regular file; undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(ignoreAbsence);
  return found?.isFile() === true ? found.size : undefined;
}

/** Reads a text file that may be a link, as configuration and tokens may; with its mode and owner. Throws when it is larger than so many bytes. */
export async function readText(
  path: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<{ readonly text: string; readonly mode: number; readonly uid: number }> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const found = await file.stat();
  if (!found.isFile()) {
    throw new Error("it is not a regular file");
  }
  if (found.size > limit) {
    throw new Error(`it has ${found.size} bytes, more than ${limit}`);
  }
  return { text: await file.readFile("utf8"), mode: found.mode & 0o7777, uid: found.uid };
}

/** The names of the regular files in a directory, sorted; empty when there is no such directory. */
export async function listRegularFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(ignoreAbsence);
  return (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

async function fill(
  handle: FileHandle,
  spec: Omit<FileSpec, "bytes">,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  await using file = handle;
  if (isRoot()) {
    await file.chown(spec.owner.uid, spec.owner.gid);
  }
  await file.chmod(spec.mode);
  await write(file);
  await file.sync();
}

/** Throws when what lstat(2) says of a path is no regular file. */
export function refuseToReplace(path: string, found: Stats | undefined): void {
  if (found !== undefined && !found.isFile()) {
    throw new Error(`${path} is not a regular file, so it is not replaced: move it away`);
  }
}

/** For `catch`: undefined for what is not there; throws every other error again. */
export function ignoreAbsence(error: unknown): undefined {
  if (errorCodeOf(error) !== "ENOENT") {
    throw error;
  }
}
