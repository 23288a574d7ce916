/**
 * Who is in which group, joined by SCIM id and never by display name.
 *
 * A member is a user or another group; nested groups are expanded. What `User.groups` says is added to
 * what `Group.members` says (RFC 7643 §4.1.2 makes the one a mirror of the other; servers often fill one).
 */

import type { GroupDraft, MemberDraft, UserDraft } from "../model/draft.ts";
import type { Problem } from "../model/problem.ts";
import { subjectOf } from "./users.ts";

/** Who is in the groups of one pull. */
export interface Membership {
  /**
   * The SCIM ids of the users in a group, directly or through other groups; the same may come again, and some may be
   * nobody's.
   */
  readonly idsIn: (group: string) => Iterable<string>;
  readonly problems: readonly Problem[];
}

/** The records of one pull, by SCIM id. */
export interface Records {
  readonly users: Pick<ReadonlyMap<string, unknown>, "has">;
  readonly groups: ReadonlyMap<string, GroupDraft>;
}

/** Expands every group of one pull. */
export function expandMembership(users: readonly UserDraft[], records: Records): Membership {
  const nodes = new Map<string, Node>();
  for (const [id, group] of records.groups) {
    nodes.set(id, nodeOf(group, records));
  }
  for (const user of users) {
    for (const group of user.groups) {
      nodes.get(group)?.others.push(user.id);
    }
  }
  const problems: Problem[] = [];
  for (const [id, node] of nodes) {
    addProblems(problems, node, reachedFrom(id, nodes));
  }
  return { idsIn: (id) => idsOf(reachedFrom(id, nodes).found), problems };
}

function* idsOf(nodes: readonly Node[]): Iterable<string> {
  for (const { group, others } of nodes) {
    for (const { id, kind } of group.members) {
      if (kind !== "group") {
        yield id;
      }
    }
    yield* others;
  }
}

interface Node {
  readonly group: GroupDraft;
  /** Who says so themselves. */
  readonly others: string[];
  readonly children: readonly string[];
  readonly unknown: number;
}

/** A member without a kind is a user if there is one of that id: some servers number users and groups alike. */
function isUser({ id, kind }: MemberDraft, { users }: Records): boolean {
  return kind !== "group" && users.has(id);
}

function nodeOf(group: GroupDraft, records: Records): Node {
  const children: string[] = [];
  let unknown = 0;
  for (const member of group.members) {
    if (isUser(member, records)) {
      continue;
    }
    if (member.kind !== "user" && records.groups.has(member.id)) {
      children.push(member.id);
    } else {
      unknown += 1;
    }
  }
  return { group, others: [], children, unknown };
}

/** Deeper nesting is a mistake or an attack, and would take the square of its depth in memory. */
const MAX_DEPTH = 50;

/** Walks a group and everything below it, level by level and each group once, so that a circle ends. */
function reachedFrom(start: string, nodes: ReadonlyMap<string, Node>): Reached {
  const root = nodes.get(start);
  if (root === undefined || root.children.length === 0) {
    return { found: root === undefined ? [] : [root], inCircle: false, isCut: false };
  }
  const found: Node[] = [];
  const seen = new Set([start]);
  let level = [start];
  let inCircle = false;
  for (let depth = 0; level.length > 0 && depth <= MAX_DEPTH; depth += 1) {
    const next: string[] = [];
    for (const node of level.flatMap((id) => nodes.get(id) ?? [])) {
      found.push(node);
      inCircle ||= node.children.includes(start);
      next.push(...node.children.filter((child) => !seen.has(child) && seen.add(child)));
    }
    level = next;
  }
  return { found, inCircle, isCut: level.length > 0 };
}

interface Reached {
  /** The group itself, and those below it. */
  readonly found: readonly Node[];
  readonly inCircle: boolean;
  /** True when there was more below the deepest level. */
  readonly isCut: boolean;
}

function addProblems(problems: Problem[], { group, unknown }: Node, { inCircle, isCut }: Reached): void {
  if (unknown > 0) {
    const reason = `${unknown} of ${group.members.length} members are not among the listed users and groups`;
    problems.push({ code: "member-unknown", subject: subjectOf("group", group), field: "members", reason });
  }
  if (isCut) {
    const reason = `there are more than ${MAX_DEPTH} levels of groups below it`;
    problems.push({ code: "group-too-deep", subject: subjectOf("group", group), field: "members", reason });
  }
  if (inCircle) {
    const reason = "the group contains itself through others";
    problems.push({ code: "group-cycle", subject: subjectOf("group", group), field: "members", reason });
  }
}
