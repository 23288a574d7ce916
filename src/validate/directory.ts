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
import { admit } from "./access.ts";
import { groupClaims, userClaims } from "./claims.ts";
import { settleClaims } from "./contested.ts";
import { checkGroup, type GroupCandidate, refuseIntruders, settlePrimaryGroups } from "./groups.ts";
import { checkUsers } from "./held.ts";
import { settleHomes } from "./homes.ts";
import { type Decisions, ownersIn, recordKeysOf } from "./ledger.ts";
import { expandMembership } from "./membership.ts";
import type { Rules } from "./rules.ts";
import type { UserCandidate } from "./users.ts";

/** What validation came to. */
export interface Validated extends Decisions {
  readonly directory: Directory;
  /** Who could be served before the rules of access say who is. */
  readonly everybody: Pick<Directory, "users" | "groups">;
  readonly problems: readonly Problem[];
}

/** Checks every record by itself, then against the others. */
export function validateDirectory(drafts: Drafts, rules: Rules, before: NodeBefore): Validated {
  const { local, holders } = before;
  const owners = ownersIn(before.ledger, drafts);
  const held = checkUsers(drafts.users, { rules, local, owners });
  const checkedGroups = drafts.groups.map((draft) => checkGroup(draft, rules, local));
  const users = settleClaims(held.candidates, userClaims(owners, rules));
  const claimed = settleClaims(present(checkedGroups), groupClaims(owners, rules));
  const groups = refuseIntruders(claimed.kept, users.kept, owners);
  const primary = settlePrimaryGroups(users.kept, groups.kept, { rules, local, owners });
  const homes = settleHomes(primary.users, { template: rules.homes.path, local, holders });
  const membership = expandMembership(drafts.users, drafts.groups);
  const names = namesOf(homes.candidates);
  const kept = new Set<string>(homes.candidates.map(({ user }) => user.name));

  const usersIn = (id: string | undefined) => membership.usersOf.get(id ?? "") ?? new Set<string>();
  const everybody = {
    users: homes.candidates.map(({ user }) => user).sort(byName),
    idsIn: ({ id }: Group) => usersIn(id),
    groups: [
      ...groups.kept.map((group) => withMembers(group, membersOf(usersIn(group.id), names))),
      ...primary.privateGroups.filter(({ name }) => kept.has(name)).map((group) => withMembers(group, [])),
    ].sort(byName),
  };
  const admitted = admit(everybody, rules);
  const parts = [held, users, claimed, primary];
  const rest = [primary, homes, membership, admitted];
  return {
    directory: {
      users: admitted.users,
      groups: admitted.groups,
      // Records that are listed and refused; whom the rules of access leave out are not among them.
      withheld: recordKeysOf(drafts).difference(recordKeysOf(everybody)),
    },
    everybody,
    problems: [drafts, held, ...checkedGroups, users, claimed, groups, ...rest].flatMap(
      ({ problems }) => problems,
    ),
    accepted: [...new Set(parts.flatMap(({ accepted }) => accepted))],
    acceptable: [...new Set(parts.flatMap(({ acceptable }) => acceptable))],
  };
}

function present<Candidate>(verdicts: readonly { readonly candidate: Candidate | undefined }[]): Candidate[] {
  return verdicts.flatMap(({ candidate }) => (candidate === undefined ? [] : [candidate]));
}

/** By SCIM id: the names of those who may be members. Inactive users keep their name and nothing else. */
function namesOf(candidates: readonly UserCandidate[]): ReadonlyMap<string, UserName> {
  return new Map(candidates.filter(({ user }) => user.active).map(({ user }) => [user.id, user.name]));
}

function membersOf(ids: ReadonlySet<string>, names: ReadonlyMap<string, UserName>): UserName[] {
  return [...ids].flatMap((id) => names.get(id) ?? []).sort();
}

function withMembers({ id, name, gid }: GroupCandidate, members: readonly UserName[]): Group {
  return { id, name, gid, members };
}

/** Names are ASCII, so the order of code units is the order of bytes. */
function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : Number(left.name > right.name);
}
