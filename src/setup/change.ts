/**
 * What setup does to a node, as data: files with their content before and after, and directories.
 */

import { createHash } from "node:crypto";
import type { SetupRole } from "../formats/setup-record.ts";
import type { ObservedFile } from "../model/observed.ts";

/** A file that is made or changed. */
export interface FileChange {
  readonly kind: "file";
  /** On the node, without the root. */
  readonly path: string;
  readonly role: SetupRole;
  readonly before: ObservedFile | undefined;
  readonly after: Uint8Array;
  /** For `nsswitch`. */
  readonly databases: readonly string[];
}

/** A directory that is made. */
export interface DirectoryChange {
  readonly kind: "directory";
  readonly path: string;
  readonly mode: number;
}

export type Change = FileChange | DirectoryChange;

/** What one part of the wiring comes to. */
export interface Part {
  readonly changes: readonly Change[];
  /** What is worth knowing. */
  readonly notes: readonly string[];
  /** What has to be done by hand, and how. */
  readonly left: readonly string[];
}

/** A part in which there is nothing to do. */
export const NOTHING: Part = { changes: [], notes: [], left: [] };

/** A new file of root's, or the same one with other content. */
export function fileChange(
  path: string,
  role: SetupRole,
  { before, text, databases = [] }: { before?: ObservedFile | undefined; text: string; databases?: string[] },
): FileChange {
  return { kind: "file", path, role, before, after: Buffer.from(text, "latin1"), databases };
}

/** The text of a file, a character for each byte, so that whatever is in it comes out again. */
export function textOf({ bytes }: Pick<ObservedFile, "bytes">): string {
  return Buffer.from(bytes).toString("latin1");
}

/** SHA-256, as the record has it. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether a file has other bytes than before, or came or went. */
export function isOther(one: ObservedFile | undefined, other: ObservedFile | undefined): boolean {
  return one === undefined || other === undefined
    ? one !== other
    : digestOf(one.bytes) !== digestOf(other.bytes);
}
