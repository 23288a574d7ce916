/**
 * Does what was planned: the record first, then each change, then a question to sshd, then its reload.
 *
 * In: the root and the changes. Whatever fails half-way is taken back at once; whoever is killed half-way leaves a record.
 */

import { dirname } from "node:path";
import { keyFilesOf, parseSshdSettings, settingOf } from "../formats/sshd-settings.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import {
  ensureOwnDirectory,
  listLeftovers,
  observeFile,
  removeFile,
  syncDirectory,
  underRoot,
  writeFile,
} from "../platform/files.ts";
import { readSshdSettings, type SshdAnswer } from "../platform/sshd.ts";
import { isSystemdRunning, type Reloaded, reloadSshd, reloadUnits } from "../platform/sshd-reload.ts";
import { removeEmptyDirectory } from "../platform/system-files.ts";
import { type Change, digestOf, type FileChange, isOther } from "./change.ts";
import { RECORD_DIRECTORY, recall, remember, withChanges } from "./memory.ts";

/** Root's, like the directories they are in. */
const ROOT = { uid: 0, gid: 0 };
const NEW_FILE_MODE = 0o644;

/** Makes the changes; says what was reloaded, and what could not be. Throws with everything as it was before. */
export async function carryOut(
  root: string,
  changes: readonly Change[],
  expected: string,
): Promise<Reloaded[]> {
  const earlier = await recall(root);
  const record = withChanges(earlier, changes);
  await remember(root, record).catch((error: unknown) => {
    const why = `${messageOf(error)}${hintFor(messageOf(error))}`;
    throw new Failure(
      "setup-refused",
      `Nothing was changed, because a record of it cannot be kept: ${why}.`,
      {
        cause: error,
      },
    );
  });
  const done: Change[] = [];
  try {
    for (const change of changes) {
      done.push(change);
      await make(root, change);
    }
    await confirm(root, changes, expected);
  } catch (error) {
    const why = `${messageOf(error)}${hintFor(messageOf(error))}`;
    const end = await takeBack(root, done).then(
      () => "and was taken back",
      (further: unknown) => `and so did taking it back (${messageOf(further)}); run "rollcall setup --undo"`,
    );
    await remember(root, end.startsWith("and was") ? earlier : record);
    throw new Failure("setup-refused", `Setup failed ${end}: ${why}`, { cause: error });
  }
  const reloaded = await reload(root, earlier.isDone ? changes : record.changes);
  await remember(root, { ...record, isDone: reloaded.every(({ ok }) => ok) });
  return reloaded;
}

/** Removes what setups that were killed left half-written beside these files. Only with the lock of the node. */
export async function clearLeftovers(root: string, paths: readonly string[]): Promise<void> {
  const directories = [...paths.map((path) => dirname(path)), RECORD_DIRECTORY];
  for (const directory of new Set(directories.map((path) => underRoot(root, path)))) {
    for (const name of await listLeftovers(directory)) {
      await removeFile(`${directory}/${name}`);
    }
  }
}

async function make(root: string, change: Change): Promise<void> {
  const path = underRoot(root, change.path);
  if (change.kind === "directory") {
    await ensureOwnDirectory(path, change.mode);
    await syncDirectory(dirname(path));
    return;
  }
  const now = await observeFile(path);
  if (isOther(now, change.before)) {
    throw new Error(`${path} was changed by somebody else meanwhile; run this again`);
  }
  const { before, after } = change;
  await writeFile({ path, bytes: after, mode: before?.mode ?? NEW_FILE_MODE, owner: before ?? ROOT });
}

async function takeBack(root: string, done: readonly Change[]): Promise<void> {
  for (const change of done.toReversed()) {
    const path = underRoot(root, change.path);
    if (change.kind === "directory") {
      await removeEmptyDirectory(path);
    } else {
      await takeBackFile(path, change);
    }
  }
}

async function takeBackFile(path: string, { before, after }: FileChange): Promise<void> {
  const now = await observeFile(path);
  if (now === undefined || digestOf(now.bytes) !== digestOf(after)) {
    return;
  }
  await (before === undefined ? removeFile(path) : writeFile({ path, ...before, owner: before }));
}

/** It was asked about copies; this is the configuration itself, before any sshd is told to read it. */
async function confirm(root: string, changes: readonly Change[], expected: string): Promise<void> {
  if (root !== "/" || !changes.some((change) => change.kind === "file" && change.role === "sshd")) {
    return;
  }
  const answer = await readSshdSettings();
  if (isRefusal(answer)) {
    throw new Error(`sshd does not take the new configuration: ${answer.said}`);
  }
  if (answer.ok && keyFilesOf(parseSshdSettings(answer.out))[0] !== expected) {
    throw new Error(`sshd -T does not have ${expected} first; set AuthorizedKeysFile by hand`);
  }
}

/** Where sshd is not installed, or never ran, it refuses nothing. */
function isRefusal(answer: SshdAnswer): answer is Extract<SshdAnswer, { ok: false }> {
  return !answer.ok && answer.why !== "absent" && !/no hostkeys available/.test(answer.said);
}

/** On this machine, and not below another root. */
export async function reload(
  root: string,
  changes: readonly { readonly kind: string; readonly role?: string }[],
): Promise<Reloaded[]> {
  const has = (role: string) => changes.some((change) => change.role === role);
  if (root !== "/") {
    return [];
  }
  const units = has("unit") && (await isSystemdRunning()) ? [await reloadUnits()] : [];
  return has("sshd") ? [...units, await reloadRunningSshd()] : units;
}

async function reloadRunningSshd(): Promise<Reloaded> {
  const answer = await readSshdSettings();
  if (isRefusal(answer)) {
    return {
      ok: false,
      todo: `sshd was not told to read its configuration, because it does not take it: ${answer.said}`,
    };
  }
  return reloadSshd(answer.ok ? settingOf(parseSshdSettings(answer.out), "pidfile") : undefined);
}
