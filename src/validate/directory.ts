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
import { type ClaimRules, settleClaims } from "./contested.ts";
import { checkGroup, type GroupCandidate, refuseIntruders, settlePrimaryGroups } from "./groups.ts";
import { settleHomes } from "./homes.ts";
import { holdUids, type Owners, ownersIn } from "./ledger.ts";
import { expandMembership } from "./membership.ts";
import type { Rules } from "./rules.ts";
import { checkUser, type UserCandidate } from "./users.ts";

/** What validation came to. */
export interface Validated {
  readonly directory: Directory;
  readonly problems: readonly Problem[];
  /** The names of records that are served because a person has accepted them. */
  readonly accepted: readonly string[];
}

/** Checks every record by itself, then against the others. */
export function validateDirectory(drafts: Drafts, rules: Rules, before: NodeBefore): Validated {
  const { local, holders } = before;
  const owners = ownersIn(before.ledger);
  const checkedUsers = drafts.users.map((draft) => checkUser(draft, rules, local));
  const checkedGroups = drafts.groups.map((draft) => checkGroup(draft, rules, local));
  const held = holdUids(present(checkedUsers), owners, { rules, local });
  const users = settleClaims(held.candidates, userClaims(owners, rules));
  const claimed = settleClaims(present(checkedGroups), groupClaims(owners, rules));
  const groups = refuseIntruders(claimed.kept, users.kept, {
    holders,
    owners,
    accepts: rules.accepts,
  });
  const primary = settlePrimaryGroups(users.kept, groups.kept, { rules, local, owners });
  const homes = settleHomes(primary.users, { template: rules.homes.path, local, holders });
  const membership = expandMembership(drafts.users, drafts.groups);
  const names = namesOf(homes.candidates);
  const kept = new Set<string>(homes.candidates.map(({ user }) => user.name));

  const problems = [
    ...drafts.problems,
    ...[...checkedUsers, ...checkedGroups, held, users, claimed, groups, primary, homes, membership].flatMap(
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
    accepted: [...new Set([...held.accepted, ...users.accepted, ...claimed.accepted, ...groups.accepted])],
  };
}

const NAME_CODES = { contested: "name-contested", remembered: "name-remembered" } as const;
const ID_CODES = { contested: "id-contested", remembered: "id-remembered" } as const;

function userClaims(owners: Owners, { accepts }: Rules): ClaimRules<UserCandidate> {
  return {
    accepts,
    identityOf: ({ subject, user }) => ({ subject, name: user.name, number: user.uid }),
    claims: [
      {
        field: "name",
        codes: NAME_CODES,
        of: ({ user }) => user.name,
        ownerFor: ({ user }) => owners.byName("user", user.name),
      },
      {
        field: "uid",
        codes: ID_CODES,
        of: ({ user }) => user.uid,
        ownerFor: ({ user }) => owners.byNumber("user", user.uid),
      },
    ],
  };
}

/** Whoever gets a gid gets the files of whoever had it, be it a group or the private group of a user who is gone. */
function groupClaims(owners: Owners, { accepts }: Rules): ClaimRules<GroupCandidate> {
  const formerUser = ({ name, gid }: GroupCandidate) => {
    const user = owners.byNumber("user", gid);
    return user?.lastSeen === undefined || user.name === name ? undefined : user;
  };
  return {
    accepts,
    identityOf: ({ subject, name, gid }) => ({ subject, name, number: gid }),
    claims: [
      {
        field: "name",
        codes: NAME_CODES,
        of: ({ name }) => name,
        ownerFor: ({ name }) => owners.byName("group", name),
      },
      {
        field: "gid",
        codes: ID_CODES,
        of: ({ gid }) => gid,
        ownerFor: (group) => owners.byNumber("group", group.gid) ?? formerUser(group),
      },
    ],
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

function withMembers({ id, name, gid }: GroupCandidate, members: readonly UserName[]): Group {
  return { id, name, gid, members };
}

/** Names are ASCII, so the order of code units is the order of bytes. */
function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : Number(left.name > right.name);
}
