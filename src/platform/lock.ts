/**
 * One writer per node: a lock that the kernel gives back when its holder dies, however it dies.
 *
 * SQLite takes a POSIX lock (fcntl(2)) on an empty file; Node has no other way to one. Nothing is written into
 * the file. Who holds it is read from /proc/locks.
 */

import { constants } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { ensureOwnDirectory, ignoreAbsence } from "./files.ts";

const SQLITE_BUSY = 5;

/** Takes the lock of a directory, which is made if need be; throws with the pid of the holder when it is taken. */
export async function takeLock(directory: string, name: "sync" | "daemon"): Promise<Disposable> {
  await ensureOwnDirectory(directory, 0o755).catch((error: unknown) => {
    const message = `Making ${directory} for the lock of this node failed: ${messageOf(error)}${hintFor(messageOf(error))}. Nothing was changed.`;
    throw new Failure("node-unreadable", message, { cause: error });
  });
  const path = `${directory}/${name}.lock`;
  await makePrivateFile(path).catch((error: unknown) => {
    const message = `Taking the lock ${path} of this node failed: ${messageOf(error)}${hintFor(messageOf(error))}. Nothing was changed.`;
    throw new Failure("node-unreadable", message, { cause: error });
  });
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw isBusy(error) ? await heldByAnother(path, name) : error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

/** Whoever can open the file can lock it, so nobody else may; closed again before it is locked. */
async function makePrivateFile(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  await file.chmod(0o600);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

const ENDS = { sync: "wait for it to end", daemon: "stop that one first" } as const;

async function heldByAnother(path: string, name: "sync" | "daemon"): Promise<Failure> {
  const pid = await lockHolder(path);
  const who = pid === undefined || pid === 0 ? "another process" : `pid ${pid}`;
  return new Failure(
    "node-busy",
    `Another ${name} serves this node: ${who} holds ${path}. Nothing was changed; ${ENDS[name]}.`,
  );
}

/** The pid that holds a lock, 0 for one that cannot be seen from here; undefined when nobody does. Opens nothing. */
export async function lockHolder(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(ignoreAbsence);
  const locks = await readFile("/proc/locks", "utf8").catch(() => "");
  const pid = new RegExp(`WRITE +(\\d+) +[0-9a-f]+:[0-9a-f]+:${found?.ino} `).exec(locks)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
