/**
 * Drafts as text: a heading, then lines of a few hundred records, each an array in a fixed order, and a digest of all that as
 * the last line. Written and read a line at a time, so that the whole of it is nowhere in memory.
 *
 * In: drafts; or lines. Out: lines; or drafts, and undefined for what is of another format, of other settings, or not whole.
 */

import { createHash } from "node:crypto";
import type { Drafts, UserDraft } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import type { Problem } from "../model/problem.ts";
import { isRecord } from "./attributes.ts";
import { groupFrom, groupRow, problemFrom, problemRow, userFrom, userRow } from "./draft-rows.ts";
import { type OwnGroupDraft, sharedTexts, shareIds } from "./drafts.ts";

/** Another one for other rows, or another number of them in a line. */
const FORMAT = 3;
/** Of one list; the last line of a list may have fewer. */
export const ROWS_PER_LINE = 500;
/** A character of a string takes no more bytes than this. */
const MOST_BYTES = 3;
const LINE_FEED = 0x0a;

/** Drafts with what makes them sure. */
export interface KeptDrafts {
  readonly drafts: Drafts;
  /** SHA-256 of what they were read from. */
  readonly digest: string;
}

/** Drafts on their way to a file. */
export interface RenderedDrafts {
  /** Each lasts until the next but one is asked for. */
  readonly lines: Iterable<Buffer>;
  /** Of all lines but the last; known once they were made. */
  digest(): string;
}

/** The lines of drafts, made when they are asked for. `settings` says what the drafts depend on. */
export function renderDrafts(settings: string, drafts: Drafts): RenderedDrafts {
  const hash = createHash("sha256");
  let digest = "";
  let [room, other] = [Buffer.alloc(0), Buffer.alloc(0)];
  const encoded = (value: unknown) => {
    const text = JSON.stringify(value);
    const most = text.length * MOST_BYTES + 1;
    [room, other] = [other.length < most ? Buffer.allocUnsafe(2 * most) : other, room];
    const end = room.write(text);
    room[end] = LINE_FEED;
    return room.subarray(0, end + 1);
  };
  function* lines() {
    for (const value of valuesOf(settings, drafts)) {
      const line = encoded(value);
      hash.update(line);
      yield line;
    }
    digest = hash.digest("hex");
    yield encoded({ digest });
  }
  return { lines: lines(), digest: () => digest };
}

function* valuesOf(settings: string, { users, groups, problems }: Drafts): Generator {
  const counts = { users: users.length, groups: groups.length, problems: problems.length };
  yield { rollcall: "iam", format: FORMAT, settings, ...counts };
  yield* linesOf(users, userRow);
  yield* linesOf(groups, groupRow);
  yield* linesOf(problems, problemRow);
}

function* linesOf<Draft>(
  drafts: readonly Draft[],
  row: (draft: Draft) => readonly unknown[],
): Generator<unknown[]> {
  for (let start = 0; start < drafts.length; start += ROWS_PER_LINE) {
    yield drafts.slice(start, start + ROWS_PER_LINE).map(row);
  }
}

/** Reads lines, each with its line break, that last no longer than until the next is asked for. */
export async function parseDrafts(
  settings: string,
  lines: AsyncIterable<Buffer>,
): Promise<KeptDrafts | undefined> {
  const read = await readSurely(lines, createParser(settings));
  return read && { drafts: read.result, digest: read.digest };
}

/** Makes something of the lines of drafts, one after the other, without the last. */
export interface LineParser<Result> {
  /** Whether a line must be parsed; for one that need not be, `undefined` is added. */
  wants(line: Buffer): boolean;
  /** False for what cannot stand where it does. */
  add(value: unknown): boolean;
  finish(): Result | undefined;
}

/** What came of lines, with their digest; undefined where that is not the one in their last line. */
export async function readSurely<Result>(
  lines: AsyncIterable<Buffer>,
  parser: LineParser<Result>,
): Promise<{ readonly result: Result; readonly digest: string } | undefined> {
  const hash = createHash("sha256");
  for await (const line of lines) {
    const value =
      line[0] !== ROWS || parser.wants(line) ? (parseJson(line.toString("utf8")) ?? BROKEN) : undefined;
    if (isRecord(value) && typeof value["digest"] === "string") {
      const result = parser.finish();
      // Only as the last line can it be a digest of all others.
      return result !== undefined && value["digest"] === hash.digest("hex")
        ? { result, digest: value["digest"] }
        : undefined;
    }
    hash.update(line);
    if (!parser.add(value)) {
      return undefined;
    }
  }
  return undefined;
}

const ROWS = "[".charCodeAt(0);
const BROKEN = "";

function createParser(settings: string): LineParser<Drafts> {
  const users: UserDraft[] = [];
  const groups: OwnGroupDraft[] = [];
  const problems: Problem[] = [];
  const shared = sharedTexts();
  let heading: Heading | undefined;
  const addRow = (row: unknown, { users: userCount, groups: groupCount }: Heading) => {
    if (users.length < userCount) {
      return pushIfAny(users, userFrom(row, shared));
    }
    return groups.length < groupCount
      ? pushIfAny(groups, groupFrom(row))
      : pushIfAny(problems, problemFrom(row));
  };
  return {
    wants: () => true,
    add(value) {
      const known = heading;
      if (known === undefined) {
        heading = headingFrom(value, settings);
        return heading !== undefined;
      }
      return Array.isArray(value) && value.every((row) => addRow(row, known));
    },
    finish() {
      const isWhole =
        users.length === heading?.users &&
        groups.length === heading.groups &&
        problems.length === heading.problems;
      if (!isWhole) {
        return undefined;
      }
      const ids = new Map(users.map(({ id }) => [id, id]));
      shareIds(groups, (id) => ids.get(id));
      return { users, groups, problems };
    },
  };
}

/** How many there are of each. */
export type Heading = Readonly<Record<"users" | "groups" | "problems", number>>;

/** The first line; undefined for one of another format or of other settings. */
export function headingFrom(value: unknown, settings: string): Heading | undefined {
  const { rollcall, format, settings: its, users, groups, problems } = isRecord(value) ? value : {};
  const isOurs = rollcall === "iam" && format === FORMAT && its === settings;
  return isOurs && typeof users === "number" && typeof groups === "number" && typeof problems === "number"
    ? { users, groups, problems }
    : undefined;
}

function pushIfAny<Value>(list: Value[], value: Value | undefined): boolean {
  if (value !== undefined) {
    list.push(value);
  }
  return value !== undefined;
}
