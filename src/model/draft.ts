/**
 * What the IAM said, taken apart but believed in nothing.
 *
 * `source/` makes drafts from SCIM resources; `validate/` turns them into a Directory. A field is
 * `unknown` because that is what arrives: any of them may be missing, of another type, or hostile.
 */

import type { Problem } from "./problem.ts";

/** A User resource (RFC 7643 §4.1), read through the configured attribute paths. */
export interface UserDraft {
  readonly id: string;
  readonly name: unknown;
  readonly uid: unknown;
  readonly gid: unknown;
  readonly gecos: unknown;
  readonly home: unknown;
  readonly shell: unknown;
  readonly keys: unknown;
  readonly active: unknown;
  /** SCIM ids out of `User.groups[].value`. */
  readonly groups: readonly string[];
}

/** A Group resource (RFC 7643 §4.2). */
export interface GroupDraft {
  readonly id: string;
  readonly name: unknown;
  readonly gid: unknown;
  readonly members: readonly MemberDraft[];
}

/** One of `Group.members`: a SCIM id, and what it belongs to where the server says so by `type` or `$ref`. */
export interface MemberDraft {
  readonly id: string;
  readonly kind: "user" | "group" | undefined;
}

/** One user as they were remembered, and as the IAM has them now. */
export interface UserNews {
  readonly before: UserDraft;
  readonly after: UserDraft;
}

/** One complete pull: both lists, and the records that could not even be named. */
export interface Drafts {
  readonly users: readonly UserDraft[];
  readonly groups: readonly GroupDraft[];
  readonly problems: readonly Problem[];
}

/** All that a draft says: two with the same text are the same. What is remembered has null where nothing came (RFC 7643 §2.5). */
export function textOfDraft(draft: UserDraft | GroupDraft): string {
  return JSON.stringify(draft, (_key, value: unknown) => (value === undefined ? null : value));
}

/** Records by their SCIM ids. */
export interface RecordIds {
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** Reads what the IAM said when it was last believed, all of it or these records alone; undefined when nothing is remembered. */
export type PreviousDrafts = (only?: RecordIds) => Promise<Drafts | undefined>;

/** As much of a pull as is about these records. */
export function draftsAmong({ users, groups }: Drafts, only: RecordIds): Drafts {
  return {
    users: only.users.size === 0 ? [] : users.filter(({ id }) => only.users.has(id)),
    groups: only.groups.size === 0 ? [] : groups.filter(({ id }) => only.groups.has(id)),
    problems: [],
  };
}
