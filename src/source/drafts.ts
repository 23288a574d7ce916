/**
 * Takes SCIM resources apart into drafts, one at a time, as they come.
 *
 * In: a resource, and the attribute paths. Out: a draft, or what it looks like where it has no id to call it by. Judges
 * nothing else, and keeps nothing of the resource but what it gives out.
 */

import type { GroupDraft, MemberDraft, UserDraft } from "../model/draft.ts";
import { quoted } from "../model/quoted.ts";
import { attributeReader, isRecord, type ReadAttribute } from "./attributes.ts";
import type { AttributePaths } from "./settings.ts";

/** A resource that nobody can be told by. */
export interface Unreadable {
  /** For a message. */
  readonly looks: string;
}

/** Makes a draft of each resource of one list. */
export type ReadRecord<Draft> = (id: string | undefined, resource: unknown) => Draft | Unreadable;

/** A group as long as it is the source's: ids of members are exchanged for equal ones that are there already. */
export interface OwnGroupDraft extends GroupDraft {
  readonly members: readonly OwnMember[];
}

interface OwnMember extends MemberDraft {
  id: string;
}

/** The id of a resource (RFC 7643 §3.1): text that is not empty. */
export function idOf(resource: unknown): string | undefined {
  const id = isRecord(resource) ? readId(resource) : undefined;
  return typeof id === "string" && id !== "" && id.length <= ID_LENGTH ? id : undefined;
}

const readId = attributeReader("id");
const ID_LENGTH = 256;

/** Reads Users. Texts that many of them have are kept once. */
export function userReader(paths: AttributePaths["user"]): ReadRecord<UserDraft> {
  const at = {
    name: fieldReader(paths.name),
    uid: fieldReader(paths.uid),
    gid: fieldReader(paths.gid),
    gecos: fieldReader(paths.gecos),
    home: fieldReader(paths.home),
    shell: fieldReader(paths.shell),
    keys: fieldReader(paths.keys),
  };
  const shared = sharedTexts();
  return (id, resource) =>
    id === undefined || isTooDeep(resource)
      ? { looks: quoted(resource) }
      : {
          id,
          name: at.name(resource),
          uid: at.uid(resource),
          gid: at.gid(resource),
          gecos: at.gecos(resource),
          home: at.home(resource),
          shell: shared(at.shell(resource)),
          keys: at.keys(resource),
          active: readActive(resource),
          groups: groupsOf(resource, shared),
        };
}

/** Reads Groups. */
export function groupReader(paths: AttributePaths["group"]): ReadRecord<OwnGroupDraft> {
  const at = { name: fieldReader(paths.name), gid: fieldReader(paths.gid) };
  return (id, resource) =>
    id === undefined || isTooDeep(resource)
      ? { looks: quoted(resource) }
      : {
          id,
          name: at.name(resource),
          gid: at.gid(resource),
          members: membersOf(resource),
        };
}

/**
 * Reads what a draft keeps. JSON.parse makes infinity of 1e999, and JSON.stringify makes null of that: what is refused when it
 * comes would be taken for absent, and so for active, when it is remembered. So it is text.
 */
function fieldReader(path: string | undefined): ReadAttribute {
  const read = path === undefined ? () => undefined : attributeReader(path);
  return (resource) => {
    const value = read(resource);
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  };
}

/** Gives for equal texts one and the same. */
export function sharedTexts(): <Value>(value: Value) => Value | string {
  const known = new Map<string, string>();
  return (value) => {
    if (typeof value !== "string") {
      return value;
    }
    const first = known.get(value);
    if (first === undefined) {
      known.set(value, value);
    }
    return first ?? value;
  };
}

const MAX_DEPTH = 32;

/**
 * Whether a value is nested so deeply that walking through it could exhaust the stack. Goes no deeper than that itself, and
 * makes no lists of what is inside: it looks at everything that comes.
 */
function isTooDeep(value: unknown, depth = 0): boolean {
  if (Array.isArray(value)) {
    return isAnyTooDeep(value, depth);
  }
  if (isRecord(value)) {
    for (const name in value) {
      if (depth === MAX_DEPTH || isTooDeep(value[name], depth + 1)) {
        return true;
      }
    }
  }
  return false;
}

function isAnyTooDeep(entries: readonly unknown[], depth: number): boolean {
  for (const entry of entries) {
    if (depth === MAX_DEPTH || isTooDeep(entry, depth + 1)) {
      return true;
    }
  }
  return false;
}

const readActive = fieldReader("active");
const readGroups = attributeReader("groups");
const readMembers = attributeReader("members");
const readValue = attributeReader("value");
const readType = attributeReader("type");
const readReference = attributeReader("$ref");

/** One for all who are in none. */
export const NOBODY: readonly never[] = [];

/** SCIM ids of the entries that name a group by `value`; others name none. */
function groupsOf(resource: unknown, shared: (id: string) => string): readonly string[] {
  return namedIn(readGroups(resource), shared);
}

/** The entries of `members` that name somebody by `value`; others name nobody. */
function membersOf(resource: unknown): readonly OwnMember[] {
  return namedIn(readMembers(resource), (id, entry) => ({ id, kind: kindOf(entry) }));
}

function namedIn<Named>(entries: unknown, make: (id: string, entry: unknown) => Named): readonly Named[] {
  const named: Named[] = [];
  for (const entry of Array.isArray(entries) ? entries : NOBODY) {
    const id = readValue(entry);
    if (typeof id === "string") {
      named.push(make(id, entry));
    }
  }
  return named.length === 0 ? NOBODY : named;
}

/** RFC 7643 §4.2: `type` is "User" or "Group"; `$ref` ends in `Users/…` or `Groups/…`. */
function kindOf(entry: unknown): "user" | "group" | undefined {
  const type = readType(entry);
  if (type === "User") {
    return "user";
  }
  const reference = typeof type === "string" ? type : readReference(entry);
  const match = /^(user|group)$|\/(user|group)s\/[^/]*$/i.exec(
    typeof reference === "string" ? reference : "",
  );
  const kind = (match?.[1] ?? match?.[2])?.toLowerCase();
  return kind === "user" || kind === "group" ? kind : undefined;
}

/** Has every member that is a known user share that user's id, so that it is kept in memory once. */
export function shareIds(groups: readonly OwnGroupDraft[], sameId: (id: string) => string | undefined): void {
  for (const { members } of groups) {
    for (const member of members) {
      member.id = sameId(member.id) ?? member.id;
    }
  }
}
