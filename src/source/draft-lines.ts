/**
 * Drafts as text: a heading, then lines of a few hundred records, each an array in a fixed order, and a digest of all that as
 * the last line. Written and read a line at a time, so that the whole of it is nowhere in memory.
 *
 * In: drafts; or lines. Out: lines; or drafts, and undefined for what is of another format, of other settings, or not whole.
 */

import { createHash } from "node:crypto";
import type { Drafts, GroupDraft, MemberDraft, UserDraft } from "../model/draft.ts";
import { parseJson } from "../model/json.ts";
import { PROBLEMS, type Problem, type ProblemCode } from "../model/problem.ts";
import { isRecord } from "./attributes.ts";
import { NOBODY, sharedTexts, shareIds } from "./drafts.ts";

const FORMAT = 3;
const ROWS_PER_LINE = 500;
/** A character of a string takes no more bytes than this. */
const MOST_BYTES = 3;

/** Drafts with what makes them sure. */
export interface KeptDrafts {
  readonly drafts: Drafts;
  /** SHA-256 of what they were read from. */
  readonly digest: string;
}

/** Drafts on their way to a file. */
export interface RenderedDrafts {
  /** Each lasts until the next is asked for. */
  readonly lines: Iterable<Buffer>;
  /** Of all lines but the last; known once they were made. */
  digest(): string;
}

/** The lines of drafts, made when they are asked for. `settings` says what the drafts depend on. */
export function renderDrafts(settings: string, drafts: Drafts): RenderedDrafts {
  const hash = createHash("sha256");
  let digest = "";
  let room = Buffer.alloc(0);
  const encoded = (value: unknown) => {
    const text = `${JSON.stringify(value)}\n`;
    const most = text.length * MOST_BYTES;
    room = room.length < most ? Buffer.allocUnsafe(2 * most) : room;
    return room.subarray(0, room.write(text));
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

/** Absent is null: SCIM makes no difference between the two (RFC 7643 §2.5), and JSON has no other way to keep a place. */
function userRow(user: UserDraft): readonly unknown[] {
  const { id, name, uid, gid, gecos, home, shell, keys, active, groups } = user;
  return [id, name, uid, gid, gecos, home, shell, keys, active, groups];
}

function groupRow({ id, name, gid, members }: GroupDraft): readonly unknown[] {
  const kinds = members.map(({ kind }) => (kind === undefined ? "-" : kind === "user" ? "u" : "g")).join("");
  const isOneKind = /^(.)\1*$/.test(kinds);
  return [id, name, gid, members.map((member) => member.id), isOneKind ? kinds.slice(0, 1) : kinds];
}

function problemRow({ code, subject, field, reason }: Problem): readonly unknown[] {
  return [code, subject.kind, subject.id, field, reason];
}

/** Reads lines, each with its line break, that last no longer than until the next is asked for. */
export async function parseDrafts(
  settings: string,
  lines: AsyncIterable<Buffer>,
): Promise<KeptDrafts | undefined> {
  const hash = createHash("sha256");
  const parser = createParser(settings);
  for await (const line of lines) {
    const value = parseJson(line.toString("utf8"));
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
  const groups: OwnGroup[] = [];
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

type Heading = Readonly<Record<"users" | "groups" | "problems", number>>;
type OwnGroup = GroupDraft & { readonly members: readonly (MemberDraft & { id: string })[] };

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

const USER_FIELDS = 10;

function userFrom(row: unknown, shared: ReturnType<typeof sharedTexts>): UserDraft | undefined {
  if (!Array.isArray(row) || row.length !== USER_FIELDS) {
    return undefined;
  }
  const [id, name, uid, gid, gecos, home, shell, keys, active, groups]: unknown[] = row;
  if (typeof id !== "string" || !isTexts(groups)) {
    return undefined;
  }
  const ids = groups.length === 0 ? NOBODY : groups.map((group) => shared(group));
  return { id, name, uid, gid, gecos, home, shell: shared(shell), keys, active, groups: ids };
}

function groupFrom(row: unknown): OwnGroup | undefined {
  const [id, name, gid, members, kinds]: unknown[] = Array.isArray(row) ? row : [];
  if (typeof id !== "string" || typeof kinds !== "string" || !isTexts(members)) {
    return undefined;
  }
  const kindAt = (place: number) => KINDS[kinds[kinds.length === 1 ? 0 : place] ?? ""];
  return { id, name, gid, members: members.map((member, place) => ({ id: member, kind: kindAt(place) })) };
}

const KINDS: Readonly<Record<string, "user" | "group">> = { u: "user", g: "group" };

function problemFrom(row: unknown): Problem | undefined {
  const [code, kind, id, field, reason]: unknown[] = Array.isArray(row) ? row : [];
  return isCode(code) && isKind(kind) && isText(id) && isText(field) && isText(reason)
    ? { code, subject: { kind, id }, field, reason }
    : undefined;
}

function isCode(value: unknown): value is ProblemCode {
  return isText(value) && Object.hasOwn(PROBLEMS, value);
}

function isKind(value: unknown): value is "user" | "group" {
  return value === "user" || value === "group";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
