/**
 * Who is in which group, joined by SCIM id and never by display name.
 *
 * A member is a user or another group; nested groups are expanded. What `User.groups` says is added to
 * what `Group.members` says (RFC 7643 §4.1.2 makes the one a mirror of the other; servers often fill one).
 */

import type { GroupDraft, MemberDraft, UserDraft } from "../model/draft.ts";
import type { Problem } from "../model/problem.ts";

/** By SCIM id of the group: the SCIM ids of all users in it, directly or through other groups. */
export interface Membership {
  readonly usersOf: ReadonlyMap<string, ReadonlySet<string>>;
  readonly problems: readonly Problem[];
}

/** Expands every group of one pull. */
export function expandMembership(users: readonly UserDraft[], groups: readonly GroupDraft[]): Membership {
  const ids = {
    users: new Set(users.map((user) => user.id)),
    groups: new Set(groups.map((group) => group.id)),
  };
  const nodes = new Map(groups.map((group) => [group.id, nodeOf(group, ids)]));
  for (const user of users) {
    for (const group of user.groups) {
      nodes.get(group)?.users.add(user.id);
    }
  }
  const usersOf = new Map<string, Set<string>>();
  const problems: Problem[] = [];
  for (const [id, node] of nodes) {
    const reached = reachableUsers(id, nodes);
    usersOf.set(id, reached.found);
    problems.push(...problemsOf(node, reached));
  }
  return { usersOf, problems };
}

interface Node {
  readonly group: GroupDraft;
  readonly users: Set<string>;
  readonly children: readonly string[];
  readonly unknown: number;
}

interface KnownIds {
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** A member without a kind is a user if there is one of that id: some servers number users and groups alike. */
function nodeOf(group: GroupDraft, ids: KnownIds): Node {
  const isUser = (member: MemberDraft) => member.kind !== "group" && ids.users.has(member.id);
  const isGroup = (member: MemberDraft) =>
    !isUser(member) && member.kind !== "user" && ids.groups.has(member.id);
  const users = new Set(group.members.filter(isUser).map((member) => member.id));
  const children = group.members.filter(isGroup).map((member) => member.id);
  const unknown = group.members.filter((member) => !isUser(member) && !isGroup(member)).length;
  return { group, users, children, unknown };
}

/** Deeper nesting is a mistake or an attack, and would take the square of its depth in memory. */
const MAX_DEPTH = 50;

/** Walks a group and everything below it, level by level and each group once, so that a circle ends. */
function reachableUsers(start: string, nodes: ReadonlyMap<string, Node>): Reached {
  const root = nodes.get(start);
  if (root === undefined || root.children.length === 0) {
    return { found: root?.users ?? new Set<string>(), inCircle: false, isCut: false };
  }
  const found = new Set<string>();
  const seen = new Set([start]);
  let level = [start];
  let inCircle = false;
  for (let depth = 0; level.length > 0 && depth <= MAX_DEPTH; depth += 1) {
    const next: string[] = [];
    for (const node of level.flatMap((id) => nodes.get(id) ?? [])) {
      node.users.forEach((user) => found.add(user));
      inCircle ||= node.children.includes(start);
      next.push(...node.children.filter((child) => !seen.has(child) && seen.add(child)));
    }
    level = next;
  }
  return { found, inCircle, isCut: level.length > 0 };
}

interface Reached {
  readonly found: Set<string>;
  readonly inCircle: boolean;
  /** True when there was more below the deepest level. */
  readonly isCut: boolean;
}

function problemsOf({ group, unknown }: Node, { inCircle, isCut }: Reached): Problem[] {
  const problems: Problem[] = [];
  const subject = {
    kind: "group",
    id: group.id,
    ...(typeof group.name === "string" && { name: group.name }),
  } as const;
  if (unknown > 0) {
    const reason = `${unknown} of ${group.members.length} members are not among the listed users and groups`;
    problems.push({ code: "member-unknown", subject, field: "members", reason });
  }
  if (isCut) {
    const reason = `there are more than ${MAX_DEPTH} levels of groups below it`;
    problems.push({ code: "group-too-deep", subject, field: "members", reason });
  }
  if (inCircle) {
    problems.push({
      code: "group-cycle",
      subject,
      field: "members",
      reason: "the group contains itself through others",
    });
  }
  return problems;
}
