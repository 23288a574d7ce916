/**
 * The memory of what setup changed: written and synced before the first change, and kept until all of it is undone.
 */

import { dirname } from "node:path";
import {
  parseSetupRecord,
  type RecordedChange,
  type RecordedFile,
  renderSetupRecord,
  SETUP_RECORD,
  type SetupRecord,
} from "../formats/setup-record.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { ObservedFile } from "../model/observed.ts";
import {
  ensureOwnDirectory,
  refuseToLeave,
  removeFile,
  syncDirectory,
  underRoot,
} from "../platform/files.ts";
import { readKept, writePrivate } from "../platform/private-files.ts";
import { isThere, removeEmptyDirectory } from "../platform/system-files.ts";
import { type Change, digestOf, type FileChange } from "./change.ts";

/** The state directory of a node without a configuration; setup runs before there is one. */
export const STATE = "/var/lib/rollcall";
/** Where the record is. */
export const RECORD_DIRECTORY = `${STATE}/setup`;

/** What was changed before; nothing without a record. Throws when there is one that cannot be read, or leads out of the root. */
export async function recall(root: string): Promise<SetupRecord> {
  await refuseOutside(root, RECORD_DIRECTORY);
  const record = await read(root);
  for (const { path } of record.changes) {
    await refuseOutside(root, dirname(path));
  }
  return record;
}

/** What is written, removed or put back below another root is in there, whatever links became of its directories since. */
export async function refuseOutside(root: string, path: string): Promise<void> {
  if (root !== "/") {
    await refuseToLeave(root, path).catch((error: unknown) => {
      throw new Failure("setup-refused", `Nothing was changed: ${messageOf(error)}.`, { cause: error });
    });
  }
}

async function read(root: string): Promise<SetupRecord> {
  const path = underRoot(root, `${RECORD_DIRECTORY}/${SETUP_RECORD}`);
  const bytes = await readKept(dirname(path), SETUP_RECORD);
  if (bytes === undefined && !(await isThere(path))) {
    return { isDone: true, changes: [] };
  }
  const record = bytes === undefined ? undefined : parseSetupRecord(bytes);
  if (record === undefined) {
    throw new Failure(
      "setup-refused",
      `The record of an earlier setup, ${path}, ${bytes === undefined ? "can be changed by others than root" : "is damaged"}, so nothing was changed. The originals are in it as base64; put them back by hand, then remove it.`,
    );
  }
  return record;
}

/** Replaces the record; one without changes goes, with its directory. */
export async function remember(root: string, record: SetupRecord): Promise<void> {
  const directory = underRoot(root, RECORD_DIRECTORY);
  if (record.changes.length > 0) {
    await ensureOwnDirectory(underRoot(root, STATE), 0o700);
    await writePrivate(directory, SETUP_RECORD, renderSetupRecord(record));
    for (const above of [STATE, dirname(STATE)]) {
      await syncDirectory(underRoot(root, above));
    }
    return;
  }
  await removeFile(`${directory}/${SETUP_RECORD}`);
  await removeEmptyDirectory(directory);
}

/** What there was, with what is about to be changed: the first original of each file stays. */
export function withChanges({ changes }: SetupRecord, planned: readonly Change[]): SetupRecord {
  const kept = changes.map((earlier) => {
    const again = planned.find(({ path }) => path === earlier.path);
    return earlier.kind === "file" && again?.kind === "file" ? writtenAgain(earlier, again) : earlier;
  });
  const added = planned.filter(({ path }) => !changes.some((earlier) => earlier.path === path));
  return { isDone: false, changes: [...kept, ...added.map(recorded)] };
}

function recorded(change: Change): RecordedChange {
  if (change.kind === "directory") {
    return { kind: "directory", path: change.path };
  }
  const { kind, path, role, before: original, after, databases } = change;
  return { kind, path, role, original, written: [digestOf(after)], isEdited: false, databases };
}

function writtenAgain(earlier: RecordedFile, { before, after, databases }: FileChange): RecordedFile {
  const digest = digestOf(after);
  return {
    ...earlier,
    written: [...new Set([...earlier.written, digest])],
    isEdited: earlier.isEdited || !isKnown(earlier, before),
    databases: [...new Set([...earlier.databases, ...databases])],
  };
}

/** Whether a file is as setup found it or as setup left it. */
export function isKnown(file: RecordedFile, now: ObservedFile | undefined): boolean {
  return isOriginal(file, now) || (now !== undefined && file.written.includes(digestOf(now.bytes)));
}

/** Whether a file has the bytes that it had before the first setup, or is as absent. */
export function isOriginal({ original }: RecordedFile, now: ObservedFile | undefined): boolean {
  return original === undefined || now === undefined
    ? original === now
    : digestOf(original.bytes) === digestOf(now.bytes);
}
