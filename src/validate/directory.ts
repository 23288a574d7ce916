/**
 * Which of what the IAM said this node can serve.
 *
 * In: drafts, the node's local accounts, the rules. Out: a Directory whose every value is safe to write, and
 * a problem for everything that was left out, replaced or dropped. Pure; a bad record costs only itself.
 */

import type { Directory, Group } from "../model/directory.ts";
import type { Drafts } from "../model/draft.ts";
import type { UserName } from "../model/ids.ts";
import type { NodeBefore } from "../model/observed.ts";
import type { Problem } from "../model/problem.ts";
import { settleClaims } from "./contested.ts";
import { checkGroup, type GroupCandidate, refuseIntruders, settlePrimaryGroups } from "./groups.ts";
import { settleHomes } from "./homes.ts";
import { expandMembership } from "./membership.ts";
import type { Rules } from "./rules.ts";
import { checkUser, type UserCandidate } from "./users.ts";

/** What validation came to. */
export interface Validated {
  readonly directory: Directory;
  readonly problems: readonly Problem[];
}

/** Checks every record by itself, then against the others. */
export function validateDirectory(drafts: Drafts, rules: Rules, { local, holders }: NodeBefore): Validated {
  const checkedUsers = drafts.users.map((draft) => checkUser(draft, rules, local));
  const checkedGroups = drafts.groups.map((draft) => checkGroup(draft, rules, local));
  const isHeldUser = ({ user }: UserCandidate) => holders.uids.get(user.name) === Number(user.uid);
  const isHeldGroup = ({ name, gid }: GroupCandidate) => holders.gids.get(name) === Number(gid);
  const users = settleClaims(present(checkedUsers), [
    { field: "name", code: "name-contested", of: ({ user }) => user.name, isHeldBy: isHeldUser },
    { field: "uid", code: "id-contested", of: ({ user }) => user.uid, isHeldBy: isHeldUser },
  ]);
  const claimed = settleClaims(present(checkedGroups), [
    { field: "name", code: "name-contested", of: ({ name }) => name, isHeldBy: isHeldGroup },
    { field: "gid", code: "id-contested", of: ({ gid }) => gid, isHeldBy: isHeldGroup },
  ]);
  const groups = refuseIntruders(claimed.kept, users.kept, holders);
  const primary = settlePrimaryGroups(users.kept, groups.kept, { rules, local });
  const homes = settleHomes(primary.users, { template: rules.homes.path, local, holders });
  const membership = expandMembership(drafts.users, drafts.groups);
  const names = namesOf(homes.candidates);
  const kept = new Set<string>(homes.candidates.map(({ user }) => user.name));

  const problems = [
    ...drafts.problems,
    ...[...checkedUsers, ...checkedGroups, users, claimed, groups, primary, homes, membership].flatMap(
      (part) => part.problems,
    ),
  ];
  return {
    directory: {
      users: homes.candidates.map(({ user }) => user).sort(byName),
      groups: [
        ...groups.kept.map((group) => withMembers(group, membersOf(group, membership.usersOf, names))),
        ...primary.privateGroups.filter(({ name }) => kept.has(name)).map((group) => withMembers(group, [])),
      ].sort(byName),
    },
    problems,
  };
}

function present<Candidate>(verdicts: readonly { readonly candidate: Candidate | undefined }[]): Candidate[] {
  return verdicts.flatMap(({ candidate }) => (candidate === undefined ? [] : [candidate]));
}

/** By SCIM id: the names of those who may be members. Inactive users keep their name and nothing else. */
function namesOf(candidates: readonly UserCandidate[]): ReadonlyMap<string, UserName> {
  return new Map(candidates.filter(({ user }) => user.active).map(({ user }) => [user.id, user.name]));
}

function membersOf(
  group: GroupCandidate,
  usersOf: ReadonlyMap<string, ReadonlySet<string>>,
  names: ReadonlyMap<string, UserName>,
): UserName[] {
  return [...(usersOf.get(group.subject.id) ?? [])].flatMap((id) => names.get(id) ?? []).sort();
}

function withMembers({ name, gid }: GroupCandidate, members: readonly UserName[]): Group {
  return { name, gid, members };
}

/** Names are ASCII, so the order of code units is the order of bytes. */
function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : Number(left.name > right.name);
}
