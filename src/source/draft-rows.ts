/**
 * One draft as a row: an array in a fixed order.
 *
 * In: drafts; or what JSON made of a row. Out: rows; or drafts, and undefined for what is no such row.
 */

import type { GroupDraft, UserDraft } from "../model/draft.ts";
import { PROBLEMS, type Problem, type ProblemCode } from "../model/problem.ts";
import { NOBODY, type OwnGroupDraft, type sharedTexts } from "./drafts.ts";

/** A user. Absent is null: SCIM makes no difference between the two (RFC 7643 §2.5), and JSON has no other way to keep a place. */
export function userRow(user: UserDraft): readonly unknown[] {
  const { id, name, uid, gid, gecos, home, shell, keys, active, groups } = user;
  return [id, name, uid, gid, gecos, home, shell, keys, active, groups];
}

/** A group. */
export function groupRow({ id, name, gid, members }: GroupDraft): readonly unknown[] {
  const kinds = members.map(({ kind }) => (kind === undefined ? "-" : kind === "user" ? "u" : "g")).join("");
  const isOneKind = /^(.)\1*$/.test(kinds);
  return [id, name, gid, members.map((member) => member.id), isOneKind ? kinds.slice(0, 1) : kinds];
}

/** What could not be named. */
export function problemRow({ code, subject, field, reason }: Problem): readonly unknown[] {
  return [code, subject.kind, subject.id, field, reason];
}

const USER_FIELDS = 10;

/** A user; texts that many of them have are kept once. */
export function userFrom(row: unknown, shared: ReturnType<typeof sharedTexts>): UserDraft | undefined {
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

const GROUP_FIELDS = 5;

/** A group. */
export function groupFrom(row: unknown): OwnGroupDraft | undefined {
  const [id, name, gid, members, kinds]: unknown[] =
    Array.isArray(row) && row.length === GROUP_FIELDS ? row : [];
  if (typeof id !== "string" || typeof kinds !== "string" || !isTexts(members)) {
    return undefined;
  }
  const kindAt = (place: number) => KINDS[kinds[kinds.length === 1 ? 0 : place] ?? ""];
  return { id, name, gid, members: members.map((member, place) => ({ id: member, kind: kindAt(place) })) };
}

const KINDS: Readonly<Record<string, "user" | "group">> = { u: "user", g: "group" };

/** What could not be named. */
export function problemFrom(row: unknown): Problem | undefined {
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
