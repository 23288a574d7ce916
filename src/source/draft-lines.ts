/**
 * Drafts as text: a heading, then lines of a few hundred records, each an array in a fixed order, and a digest of all that as
 * the last line. Written and read a line at a time, so that the whole of it is nowhere in memory.
 *
 * In: drafts; or lines. Out: lines; or drafts, and undefined for what is of another format, of other settings, or not whole.
 */

import { createHash } from "node:crypto";
import type { Drafts, RecordIds, UserDraft } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import type { Problem } from "../model/problem.ts";
import { isRecord } from "./attributes.ts";
import { groupFrom, groupRow, problemFrom, problemRow, userFrom, userRow } from "./draft-rows.ts";
import { type OwnGroupDraft, sharedTexts, shareIds } from "./drafts.ts";

const FORMAT = 3;
const ROWS_PER_LINE = 500;
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

/** Reads lines, each with its line break, that last no longer than until the next is asked for; all drafts of them, or these alone. */
export async function parseDrafts(
  settings: string,
  lines: AsyncIterable<Buffer>,
  only?: RecordIds,
): Promise<KeptDrafts | undefined> {
  const hash = createHash("sha256");
  const parser = only === undefined ? createParser(settings) : createPicker(settings, only);
  const mayTell = only === undefined ? () => true : lineFinder(only);
  for await (const line of lines) {
    const value = mayTell(line) ? parseJson(line.toString("utf8")) : [];
    if (isRecord(value) && typeof value["digest"] === "string") {
      const drafts = parser.finish();
      // Only as the last line can it be a digest of all others.
      return drafts !== undefined && value["digest"] === hash.digest("hex")
        ? { drafts, digest: value["digest"] }
        : undefined;
    }
    hash.update(line);
    if (!parser.add(value)) {
      return undefined;
    }
  }
  return undefined;
}

interface Parser {
  /** False for what cannot stand where it does. */
  add(value: unknown): boolean;
  finish(): Drafts | undefined;
}

function createParser(settings: string): Parser {
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

/** Keeps these drafts and no others. That the rest is as it was written is seen by the digest. */
function createPicker(settings: string, only: RecordIds): Parser {
  const users: UserDraft[] = [];
  const groups: OwnGroupDraft[] = [];
  const shared = sharedTexts();
  let isBegun = false;
  const pick = (row: unknown) => {
    const [id]: unknown[] = Array.isArray(row) ? row : [];
    const user = typeof id === "string" && only.users.has(id) ? userFrom(row, shared) : undefined;
    const group = typeof id === "string" && only.groups.has(id) ? groupFrom(row) : undefined;
    users.push(...(user === undefined ? [] : [user]));
    groups.push(...(group === undefined ? [] : [group]));
  };
  return {
    add(value) {
      const isRows = isBegun && Array.isArray(value);
      if (isRows) {
        value.forEach(pick);
      }
      const isSound = isRows || (!isBegun && headingFrom(value, settings) !== undefined);
      isBegun = true;
      return isSound;
    },
    finish: () => (isBegun ? { users, groups, problems: [] } : undefined),
  };
}

/** To look for so many ids in the bytes takes less than to parse them all. */
const FEW = 16;

/** Finds the lines that may have a row of one of these records, and those that are no rows. */
function lineFinder({ users, groups }: RecordIds): (line: Buffer) => boolean {
  const starts = [...users, ...groups].map((id) => Buffer.from(`[${JSON.stringify(id)},`));
  return (line) => starts.length > FEW || line[0] !== ROWS || starts.some((start) => line.includes(start));
}

const ROWS = "[".charCodeAt(0);

type Heading = Readonly<Record<"users" | "groups" | "problems", number>>;

function headingFrom(value: unknown, settings: string): Heading | undefined {
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
