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
    const { found, inCircle } = reachableUsers(id, nodes);
    usersOf.set(id, found);
    problems.push(...problemsOf(node, inCircle));
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

/** Walks a group and everything below it, each group once, so that a circle ends. */
function reachableUsers(start: string, nodes: ReadonlyMap<string, Node>) {
  const root = nodes.get(start);
  if (root === undefined || root.children.length === 0) {
    return { found: root?.users ?? new Set<string>(), inCircle: false };
  }
  const found = new Set<string>();
  const seen = new Set([start]);
  const pending = [start];
  let inCircle = false;
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const node = nodes.get(id);
    for (const user of node?.users ?? []) {
      found.add(user);
    }
    for (const child of node?.children ?? []) {
      inCircle ||= child === start;
      if (!seen.has(child)) {
        seen.add(child);
        pending.push(child);
      }
    }
  }
  return { found, inCircle };
}

function problemsOf({ group, unknown }: Node, inCircle: boolean): Problem[] {
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
