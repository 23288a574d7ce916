/**
 * Takes back what the record of setup has, in reverse: the same bytes, mode and owner as before, or nothing at all.
 *
 * What somebody edited since is theirs: Rollcall's own words are taken out of it, and all else stays.
 */

import { dirname } from "node:path";
import { removeCache } from "../formats/nsswitch.ts";
import type { Original, RecordedChange, RecordedFile, SetupRecord } from "../formats/setup-record.ts";
import { withoutKeyFiles } from "../formats/sshd-config.ts";
import type { ObservedFile } from "../model/observed.ts";
import { observeFile, removeFile, syncDirectory, underRoot, writeFile } from "../platform/files.ts";
import { isThere, lookAtSystemFile, removeEmptyDirectory } from "../platform/system-files.ts";
import { isOther, textOf } from "./change.ts";
import { isKnown, isOriginal } from "./memory.ts";

/** What undoing does to one thing that setup changed. */
export type Undoing =
  | { readonly kind: "restore"; readonly path: string; readonly now: ObservedFile; readonly to: Original }
  | { readonly kind: "remove"; readonly path: string; readonly now: ObservedFile }
  | { readonly kind: "remove-directory"; readonly path: string }
  /** `isOver`: there is nothing to come back to. */
  | { readonly kind: "leave"; readonly path: string; readonly why: string; readonly isOver: boolean };

/** Looks at everything in the record. */
export async function planUndo(root: string, { changes }: SetupRecord): Promise<Undoing[]> {
  const undoings: Undoing[] = [];
  for (const change of changes.toReversed()) {
    undoings.push(...(await undoingsOf(root, change)));
  }
  return undoings;
}

async function undoingsOf(root: string, change: RecordedChange): Promise<Undoing[]> {
  const { path } = change;
  if (change.kind === "directory") {
    return (await isThere(underRoot(root, path))) ? [{ kind: "remove-directory", path }] : [];
  }
  const found = await lookAtSystemFile(underRoot(root, path));
  if (found.kind === "link" || found.kind === "odd") {
    const why = found.kind === "link" ? `it is a link to ${found.target} now` : found.why;
    return [{ kind: "leave", path, why, isOver: found.kind === "link" }];
  }
  const now = found.kind === "file" ? found.file : undefined;
  if (isOriginal(change, now)) {
    return [];
  }
  if (now === undefined) {
    return [{ kind: "leave", path, why: "somebody removed it since", isOver: true }];
  }
  return (await isEnabled(root, change))
    ? [
        {
          kind: "leave",
          path,
          why: "the service is enabled. Run: systemctl disable --now rollcall",
          isOver: false,
        },
      ]
    : undoFile(change, now);
}

/** A unit that is gone while links to it stay would be an error of systemd's for ever. */
async function isEnabled(root: string, { role }: RecordedFile): Promise<boolean> {
  const link = "/etc/systemd/system/multi-user.target.wants/rollcall.service";
  return role === "unit" && (await isThere(underRoot(root, link)));
}

function undoFile(change: RecordedFile, now: ObservedFile): Undoing[] {
  const { path, original } = change;
  if (isKnown(change, now) && !change.isEdited) {
    return original === undefined
      ? [{ kind: "remove", path, now }]
      : [{ kind: "restore", path, now, to: original }];
  }
  const text = textOf(now);
  const without = withoutOurs(change, text);
  if (without === text) {
    return [{ kind: "leave", path, why: "it was edited since", isOver: true }];
  }
  return original === undefined && without === ""
    ? [{ kind: "remove", path, now }]
    : [
        { kind: "restore", path, now, to: { ...now, bytes: Buffer.from(without, "latin1") } },
        {
          kind: "leave",
          path,
          why: "it was edited since, so only what setup put in was taken out",
          isOver: true,
        },
      ];
}

function withoutOurs({ role, databases }: RecordedFile, text: string): string {
  return role === "nsswitch" ? removeCache(text, databases) : role === "sshd" ? withoutKeyFiles(text) : text;
}

/** Does it, and makes it durable. */
export async function undo(root: string, undoing: Undoing): Promise<void> {
  const path = underRoot(root, undoing.path);
  if (
    (undoing.kind === "restore" || undoing.kind === "remove") &&
    isOther(await observeFile(path), undoing.now)
  ) {
    throw new Error("somebody else changed it meanwhile");
  }
  switch (undoing.kind) {
    case "restore":
      return writeFile({ path, bytes: undoing.to.bytes, mode: undoing.to.mode, owner: undoing.to });
    case "remove":
      await removeFile(path);
      return syncDirectory(dirname(path));
    case "remove-directory":
      return removeEmptyDirectory(path);
    case "leave":
  }
}
