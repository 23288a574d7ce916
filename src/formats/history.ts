/**
 * The history on disk: a line of JSON for what a sync is about to change, and one for how it ended.
 *
 * In: entries. Out: lines, each whole or none; or entries again, with the number of lines that are none. Everything that is
 * no printable ASCII is escaped, so that no name can end a line or steer a terminal that shows the file.
 */

import * as z from "zod";
import type { HistoryChange, HistoryEnd, HistoryEntry, PastSync } from "../model/history.ts";
import { REASONS } from "../model/history.ts";
import { parseJson } from "../model/json.ts";
import { MAX_LISTED } from "../model/listed.ts";

const FORMAT = 1;

/** In the state directory; the older half has `.1` behind its name. */
export const HISTORY_FILE = "history";

const MAX_LISTED_BYTES = 1024 ** 2;

/** The line of one entry. */
export function renderEntry(entry: HistoryEntry): Uint8Array {
  const { listed, unlisted } = bounded(entry);
  const { sync, atMs, source, hasAcceptedRemovals } = entry;
  return lineOf({
    history: FORMAT,
    sync,
    at: atMs,
    source,
    ...(hasAcceptedRemovals && { accepted: true }),
    changes: listed,
    ...(Object.keys(unlisted).length > 0 && { unlisted }),
  });
}

/** The line of one end. */
export function renderEnd({ sync, undone }: HistoryEnd): Uint8Array {
  return lineOf({ history: FORMAT, sync, undone });
}

function bounded({ changes, unlisted }: HistoryEntry) {
  const counts = new Map(Object.entries(unlisted));
  const listed: unknown[] = [];
  let bytes = 0;
  for (const { change, reason, version } of changes) {
    const shown = { ...change, why: reason, ...(version !== undefined && { version }) };
    // Escaped, a character takes six bytes at most.
    bytes += listed.length < MAX_LISTED ? ascii(JSON.stringify(shown)).length : 0;
    if (listed.length < MAX_LISTED && bytes <= MAX_LISTED_BYTES) {
      listed.push(shown);
    } else {
      bytes = MAX_LISTED_BYTES;
      counts.set(change.event, (counts.get(change.event) ?? 0) + 1);
    }
  }
  return { listed, unlisted: Object.fromEntries(counts) };
}

function lineOf(value: unknown): Uint8Array {
  return Buffer.from(`${ascii(JSON.stringify(value))}\n`);
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const text = z.string();
const number = z.number();
const Settings = z.object({
  parent: text.optional(),
  fairshare: number.optional(),
  qos: z.array(text).optional(),
  defaultQos: text.optional(),
});
const values = { before: text, after: text };
const Changed = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("user-added"),
    user: text,
    uid: number,
    home: text,
    active: z.boolean(),
    byRule: z.boolean(),
  }),
  z.object({ event: z.enum(["user-removed", "sessions-ended"]), user: text, uid: number }),
  z.object({ event: z.literal("user-deactivated"), user: text, byRule: z.boolean() }),
  z.object({ event: z.literal("user-reactivated"), user: text }),
  z.object({ event: z.literal("user-changed"), user: text, field: text, ...values }),
  z.object({ event: z.enum(["group-added", "group-removed"]), group: text, gid: number }),
  z.object({ event: z.literal("group-changed"), group: text, field: text, ...values }),
  z.object({ event: z.enum(["member-added", "member-removed"]), group: text, user: text }),
  z.object({ event: z.enum(["key-granted", "key-revoked", "key-relabelled"]), user: text, key: text }),
  z.object({ event: z.enum(["sudo-granted", "sudo-revoked"]), rule: text }),
  z.object({ event: z.literal("slurm-account-added"), account: text, settings: Settings }),
  z.object({ event: z.literal("slurm-account-removed"), account: text }),
  z.object({ event: z.literal("slurm-account-changed"), account: text, field: text, ...values }),
  z.object({ event: z.enum(["slurm-user-added", "slurm-user-removed"]), user: text, account: text }),
  z.object({ event: z.enum(["slurm-default-changed", "slurm-level-changed"]), user: text, ...values }),
  z.object({ event: z.literal("slurm-job-cancelled"), job: text, user: text, account: text }),
  z.object({ event: z.literal("home-created"), user: text, path: text }),
  z.object({ event: z.literal("leftover-removed"), path: text }),
  z.object({ event: z.literal("file-repaired"), file: text, reason: text }),
]);
const Why = z.object({ why: z.enum(REASONS), version: text.optional() });
const Entry = z.object({
  history: z.literal(FORMAT),
  sync: text,
  at: number.min(-8.64e15).max(8.64e15),
  source: z.enum(["iam", "memory", "locked"]),
  accepted: z.boolean().optional(),
  changes: z.array(z.unknown()),
  unlisted: z.record(text, number).optional(),
});
const End = z.object({ history: z.literal(FORMAT), sync: text, undone: z.array(number) });

/** The syncs in a file, the oldest first; `damaged` counts lines that say nothing, but for one at the end that was never finished. */
export function parseHistory(bytes: Uint8Array): {
  readonly syncs: readonly PastSync[];
  readonly damaged: number;
} {
  const syncs: PastSync[] = [];
  const places = new Map<string, number>();
  let damaged = 0;
  const lines = Buffer.from(bytes).toString("utf8").split("\n").slice(0, -1);
  for (const line of lines) {
    const parsed = parseLine(line);
    if (parsed === undefined) {
      damaged += 1;
    } else if ("undone" in parsed) {
      const place = places.get(parsed.sync);
      const begun = place === undefined ? undefined : syncs[place];
      if (place !== undefined && begun !== undefined) {
        syncs[place] = { ...begun, end: parsed };
      }
    } else {
      places.set(parsed.sync, syncs.push({ ...parsed, end: undefined }) - 1);
    }
  }
  return { syncs, damaged };
}

/** Whether a line of an entry lists what the sync before it had left undone, and nothing else. */
export function isSecondTry(before: Uint8Array, line: Uint8Array): boolean {
  const last = parseHistory(before).syncs.at(-1);
  const again = parseHistory(line).syncs.at(-1);
  if (last?.end === undefined || again === undefined) {
    return false;
  }
  const undone = new Set(last.end.undone);
  const left = last.changes.filter((_, place) => undone.has(place));
  const isWhole = left.length === last.changes.length || Object.keys(last.unlisted).length === 0;
  const textOf = (changes: readonly HistoryChange[], unlisted: PastSync["unlisted"]) =>
    JSON.stringify([changes.map(({ change }) => change), unlisted]);
  return isWhole && textOf(left, last.unlisted) === textOf(again.changes, again.unlisted);
}

function parseLine(line: string): HistoryEntry | HistoryEnd | undefined {
  const value = parseJson(line);
  const end = End.safeParse(value);
  if (end.success) {
    return { sync: end.data.sync, undone: end.data.undone };
  }
  const entry = Entry.safeParse(value).data;
  const changes = entry?.changes.map(parseChange);
  if (entry === undefined || changes === undefined || changes.includes(undefined)) {
    return undefined;
  }
  return {
    sync: entry.sync,
    atMs: entry.at,
    source: entry.source,
    hasAcceptedRemovals: entry.accepted === true,
    changes: changes.filter((change) => change !== undefined),
    unlisted: entry.unlisted ?? {},
  };
}

function parseChange(value: unknown): HistoryChange | undefined {
  const change = Changed.safeParse(value);
  const why = Why.safeParse(value);
  return change.success && why.success
    ? { change: change.data, reason: why.data.why, version: why.data.version }
    : undefined;
}
