/**
 * What `setup` changed, so that it can be undone: one file or directory on each line, in the order of the changes.
 */

import { parseJsonLines, renderJsonLines } from "./json-lines.ts";

/** The record's name in its directory. */
export const SETUP_RECORD = "record";

/** What stood in a file before the first change to it. */
export interface Original {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** How to undo a file that somebody edited since: take Rollcall's words out, or leave it. */
export const SETUP_ROLES = ["nsswitch", "sshd", "unit", "config"] as const;
export type SetupRole = (typeof SETUP_ROLES)[number];

/** A file that setup wrote or is about to write. */
export interface RecordedFile {
  readonly kind: "file";
  readonly path: string;
  readonly role: SetupRole;
  /** Undefined when there was no such file. */
  readonly original: Original | undefined;
  /** SHA-256 of everything that setup ever wrote there. */
  readonly written: readonly string[];
  /** Whether it was edited by hand between two setups. */
  readonly isEdited: boolean;
  /** For `nsswitch`: the databases that got `cache`. */
  readonly databases: readonly string[];
}

/** A directory that setup made or is about to make. */
export interface RecordedDirectory {
  readonly kind: "directory";
  readonly path: string;
}

export type RecordedChange = RecordedFile | RecordedDirectory;

/** The whole record. */
export interface SetupRecord {
  /** False until sshd and the service manager have taken it up. */
  readonly isDone: boolean;
  readonly changes: readonly RecordedChange[];
}

/** The file. */
export function renderSetupRecord({ isDone, changes }: SetupRecord): Uint8Array {
  const lines = changes.map((change) =>
    change.kind === "directory"
      ? change
      : { ...change, original: change.original === undefined ? null : packed(change.original) },
  );
  return renderJsonLines("setup", { heading: { isDone }, lines });
}

/** The record in a file; undefined when anything about it is not as it was written. */
export function parseSetupRecord(bytes: Uint8Array): SetupRecord | undefined {
  const { heading, lines } = parseJsonLines("setup", bytes) ?? { heading: {}, lines: [] };
  const changes = lines.flatMap((line) => parseChange(line) ?? []);
  const { isDone } = heading;
  return typeof isDone === "boolean" && changes.length === lines.length ? { isDone, changes } : undefined;
}

function packed({ bytes, ...rest }: Original) {
  return { ...rest, base64: Buffer.from(bytes).toString("base64") };
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseChange(line: unknown): RecordedChange | undefined {
  if (!isFields(line) || typeof line["path"] !== "string") {
    return undefined;
  }
  const { path, kind, isEdited } = line;
  if (kind === "directory") {
    return { kind, path };
  }
  const role = SETUP_ROLES.find((known) => known === line["role"]);
  const original = line["original"] === null ? undefined : parseOriginal(line["original"]);
  const [written, databases] = [textsOf(line["written"]), textsOf(line["databases"])];
  return kind === "file" &&
    role !== undefined &&
    original !== "unreadable" &&
    written !== undefined &&
    databases !== undefined &&
    typeof isEdited === "boolean"
    ? { kind, path, role, original, written, isEdited, databases }
    : undefined;
}

function parseOriginal(value: unknown): Original | "unreadable" {
  if (!isFields(value)) {
    return "unreadable";
  }
  const { base64, mode, uid, gid } = value;
  return typeof base64 === "string" &&
    typeof mode === "number" &&
    typeof uid === "number" &&
    typeof gid === "number"
    ? { bytes: Buffer.from(base64, "base64"), mode, uid, gid }
    : "unreadable";
}

function textsOf(value: unknown): string[] | undefined {
  const texts = Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined;
  return Array.isArray(value) && texts?.length === value.length ? texts : undefined;
}
