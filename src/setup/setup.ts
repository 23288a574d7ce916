/**
 * Setup and its undoing as a whole: what would be done, and done.
 *
 * In: where everything is. Out: what is different, as a diff, and what has to be done by hand. Only with the lock of the
 * node is anything written, and what is written is planned under that lock.
 */

import type { SetupRecord } from "../formats/setup-record.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { underRoot } from "../platform/files.ts";
import type { Reloaded } from "../platform/sshd-reload.ts";
import { removeEmptyDirectory } from "../platform/system-files.ts";
import { carryOut, clearLeftovers, reload } from "./carry-out.ts";
import { type Change, type Part, textOf } from "./change.ts";
import { diffTexts, type TextDiffLine } from "./diff.ts";
import { recall, remember, STATE } from "./memory.ts";
import { type Places, planSetup } from "./plan.ts";
import { planUndo, type Undoing, undo } from "./undo.ts";

/** One file or directory that is different afterwards. */
export interface Shown {
  readonly path: string;
  readonly what: "new file" | "changed" | "removed" | "new directory" | "removed if it is empty";
  readonly diff: readonly TextDiffLine[];
}

/** What setup or its undoing comes to. */
export interface Outcome {
  readonly shown: readonly Shown[];
  readonly notes: readonly string[];
  /** What has to be done by hand. */
  readonly left: readonly string[];
  /** How those who read the files were told. */
  readonly reloaded: readonly string[];
  /** An earlier setup wrote everything, and those who read it were not told. */
  readonly isPending: boolean;
}

/** What a setup would do; a setup that was killed before sshd was told counts as something to do. */
export async function previewSetup(places: Places): Promise<Outcome> {
  const { isDone } = await recall(places.root);
  const { changes, notes, left } = await planned(places);
  const pending = isDone ? [] : ["An earlier setup did not come to its end: this one goes on with it."];
  const shown = changes.map(showChange);
  return { shown, notes: [...pending, ...notes], left, reloaded: [], isPending: !isDone };
}

function planned(places: Places): Promise<Part> {
  return planSetup(places).catch((error: unknown) => {
    throw refusal("Looking at this node for setup failed, so nothing was changed", error);
  });
}

/** What the node is to blame for; a defect of this program stays one. */
function refusal(what: string, error: unknown): Error {
  const why = messageOf(error);
  return error instanceof Failure || error instanceof TypeError
    ? error
    : new Failure("setup-refused", `${what}: ${why}${hintFor(why)}.`, { cause: error });
}

/** Wires the node. */
export function performSetup(places: Places): Promise<Outcome> {
  return wire(places).catch((error: unknown) => {
    throw refusal("Setup did not come to its end; when that is mended, run it again", error);
  });
}

async function wire(places: Places): Promise<Outcome> {
  const { root } = places;
  const record = await recall(root);
  await clearLeftovers(root, pathsOf(record));
  const { changes, notes, left } = await planned(places);
  const isIdle = changes.length === 0 && record.isDone;
  const reloaded = isIdle ? [] : await carryOut(root, changes, `${places.keysDirectory}/%u`);
  return { shown: changes.map(showChange), notes, ...told(reloaded, left) };
}

/** What an undoing would do. */
export async function previewUndo(root: string): Promise<Outcome> {
  const undoings = await planUndo(root, await recall(root)).catch((error: unknown) => {
    throw refusal("Looking at this node failed, so nothing was changed", error);
  });
  return {
    shown: undoings.flatMap(showUndoing),
    notes: notesOf(undoings),
    left: leftOf(undoings),
    reloaded: [],
    isPending: false,
  };
}

/** Unwires the node. Whoever is killed here can do it again: the record goes last. */
export function performUndo(root: string): Promise<Outcome> {
  return unwire(root).catch((error: unknown) => {
    throw refusal("Undoing did not come to its end; when that is mended, run it again", error);
  });
}

async function unwire(root: string): Promise<Outcome> {
  const record = await recall(root);
  await clearLeftovers(root, pathsOf(record));
  const undoings = await planUndo(root, record);
  const isLast = ({ path }: Undoing) => `${STATE}/`.startsWith(`${path}/`);
  for (const undoing of undoings.filter((one) => !isLast(one))) {
    await undo(root, undoing);
  }
  const reloaded = await reload(root, record.changes);
  const remaining = undoings.flatMap((one) => (one.kind === "leave" && !one.isOver ? [one.path] : []));
  const changes = record.changes.filter(({ path }) => remaining.includes(path));
  await remember(root, { isDone: true, changes });
  for (const { path } of undoings.filter(isLast)) {
    await removeEmptyDirectory(underRoot(root, path));
  }
  return {
    shown: undoings.flatMap(showUndoing),
    notes: notesOf(undoings),
    ...told(reloaded, leftOf(undoings)),
  };
}

function pathsOf({ changes }: SetupRecord): string[] {
  return changes.filter(({ kind }) => kind === "file").map(({ path }) => path);
}

function told(
  reloaded: readonly Reloaded[],
  left: readonly string[],
): Pick<Outcome, "left" | "reloaded" | "isPending"> {
  return {
    isPending: reloaded.some(({ ok }) => !ok),
    left: [...left, ...reloaded.flatMap((one) => (one.ok ? [] : [`${one.todo}.`]))],
    reloaded: reloaded.flatMap((one) => (one.ok ? [one.how] : [])),
  };
}

function showChange(change: Change): Shown {
  if (change.kind === "directory") {
    return { path: change.path, what: "new directory", diff: [] };
  }
  const { path, before, after } = change;
  const diff = diffTexts(before === undefined ? "" : textOf(before), textOf({ bytes: after }));
  return { path, what: before === undefined ? "new file" : "changed", diff };
}

function showUndoing(undoing: Undoing): Shown[] {
  const { path } = undoing;
  switch (undoing.kind) {
    case "restore":
      return [{ path, what: "changed", diff: diffTexts(textOf(undoing.now), textOf(undoing.to)) }];
    case "remove":
      return [{ path, what: "removed", diff: diffTexts(textOf(undoing.now), "") }];
    case "remove-directory":
      return [{ path, what: "removed if it is empty", diff: [] }];
    case "leave":
      return [];
  }
}

function notesOf(undoings: readonly Undoing[]): string[] {
  return undoings.flatMap((one) => (one.kind === "leave" && one.isOver ? [`${one.path}: ${one.why}.`] : []));
}

function leftOf(undoings: readonly Undoing[]): string[] {
  return undoings.flatMap((one) =>
    one.kind === "leave" && !one.isOver ? [`${one.path} is still there: ${one.why}, then this again.`] : [],
  );
}
