/**
 * The doctor's doors: what stat(2), getent(1), /proc and the system's own files say. Opens nothing for writing.
 */

import { constants } from "node:fs";
import { access, lstat, open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import { runTool } from "./child.ts";
import { ignoreAbsence, underRoot } from "./files.ts";
import { isOpenToOthers } from "./privileges.ts";
import { openSafeDirectory } from "./safe-directory.ts";
import { listNames } from "./system-files.ts";

/** What a directory is to those who pass through. */
export interface DirectoryStep {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
}

/** A path and everything above it, links followed, the path itself first; undefined where it is missing. */
export async function wayTo(root: string, path: string): Promise<readonly DirectoryStep[] | undefined> {
  const real = await realpath(underRoot(root, path)).catch(ignoreAbsence);
  if (real === undefined) {
    return undefined;
  }
  const top = await realpath(root);
  const steps: DirectoryStep[] = [];
  for (let current = real; ; current = dirname(current)) {
    const { uid, mode } = await stat(current);
    steps.push({ path: current, uid, mode: mode & 0o7777 });
    if (current === top || current === "/") {
      return steps;
    }
  }
}

/** Why this process could not write to a directory; undefined when it could, or when it will be made. */
export async function writeFault(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.W_OK);
    return undefined;
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") {
      return dirname(path) === path ? undefined : writeFault(dirname(path));
    }
    if (errorCodeOf(error) === "EROFS") {
      return "the file system is mounted read-only";
    }
    throw error;
  }
}

/** Whether a file system answers at all. By a child, which can be killed while it waits; a thread of this process cannot. */
export async function doesAnswer(path: string, timeoutMs: number): Promise<boolean> {
  const { code } = await runTool({ program: "stat", args: ["-L", "--", `${path}/.`] }, timeoutMs);
  return code !== undefined;
}

/** The first line that getent(1) prints; undefined when nobody is found. */
export async function getent(args: readonly string[], timeoutMs: number): Promise<string | undefined> {
  const { code, signal, out } = await runTool({ program: "getent", args }, timeoutMs);
  if (code === undefined) {
    throw new Error(
      `"getent ${args.join(" ")}" ended by ${signal ?? "a signal"}: a name service hangs or crashes`,
    );
  }
  const line = out.split("\n", 1)[0] ?? "";
  return code === 0 && line !== "" ? line : undefined;
}

/** Pids of running processes whose name is one of these, by name; empty where /proc shows none. */
export async function namesOfRunning(wanted: ReadonlySet<string>): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const names = new Set<string>();
  for (const pid of pids) {
    const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
    if (wanted.has(name)) {
      names.add(name);
    }
  }
  return [...names].sort();
}

/** For how long a process has been running, in seconds; undefined when it is gone (proc(5): the 22nd field of stat). */
export async function ageOfProcess(pid: number): Promise<number | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const startedTicks = Number(line.slice(line.lastIndexOf(")") + 2).split(" ")[19]);
  const upSeconds = Number((await readFile("/proc/uptime", "utf8")).split(" ", 1)[0]);
  return line === "" ? undefined : Math.max(0, Math.round(upSeconds - startedTicks / TICKS_PER_SECOND));
}

/** USER_HZ is the same on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The text of a file, links followed, never more than a few megabytes; undefined without one. */
export async function readBounded(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) =>
    errorCodeOf(error) === "ENOTDIR" ? undefined : ignoreAbsence(error),
  );
  if (handle === undefined) {
    return undefined;
  }
  await using file = handle;
  if (!(await file.stat()).isFile()) {
    return undefined;
  }
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_BYTES), position: 0 });
  return buffer.subarray(0, bytesRead).toString("latin1");
}

const MAX_BYTES = 4 * 1024 ** 2;

/** Whether a path leads to something; a link to nothing does not. */
export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(ignoreAbsence)) !== undefined;
}

/** What sshd would not run, as it looks at a program before it runs it; undefined when it would. */
export async function programFault(root: string, path: string): Promise<string | undefined> {
  try {
    const way = await wayTo(root, path);
    if (way === undefined) {
      return `${path} is not there`;
    }
    const open = way.find(({ uid, mode }) => uid !== 0 || (mode & 0o022) !== 0);
    if (open !== undefined) {
      return `${open.path} belongs to uid ${open.uid} with mode ${open.mode.toString(8)}`;
    }
    return ((way[0]?.mode ?? 0) & 0o111) === 0 ? `${path} is not executable` : undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Why no home can be made in a directory; undefined when one can. */
export async function homePlaceFault(root: string, path: string): Promise<string | undefined> {
  try {
    await using _place = await openSafeDirectory(root, path);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** A skeleton directory: what is in it, and whether others could have put it there; undefined without one. */
export async function skeletonAt(
  path: string,
): Promise<
  { readonly isDirectory: boolean; readonly isOpen: boolean; readonly entries: number } | undefined
> {
  const found = await lstat(path).catch(ignoreAbsence);
  if (found?.isDirectory() !== true) {
    return found && { isDirectory: false, isOpen: false, entries: 0 };
  }
  const entries = await Promise.all((await listNames(path)).map((name) => lstat(`${path}/${name}`)));
  const isOpen = [found, ...entries.filter((entry) => !entry.isSymbolicLink())].some(isOpenToOthers);
  return { isDirectory: true, isOpen, entries: entries.length };
}
