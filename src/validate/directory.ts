/**
 * Which of what the IAM said this node can serve.
 *
 * In: drafts, the node's local accounts, the rules. Out: a Directory whose every value is safe to write, and
 * a problem for everything that was left out, replaced or dropped. Pure; a bad record costs only itself.
 */

import type { Directory, Group, User } from "../model/directory.ts";
import type { Drafts, UserDraft } from "../model/draft.ts";
import type { UserName } from "../model/ids.ts";
import { lazily } from "../model/lazily.ts";
import { recordKey } from "../model/ledger.ts";
import type { NodeBefore } from "../model/observed.ts";
import type { Problem } from "../model/problem.ts";
import { admit } from "./access.ts";
import { groupClaims, userClaims } from "./claims.ts";
import { settleClaims } from "./contested.ts";
import {
  checkGroups,
  type GroupCandidate,
  privateGroupOf,
  refuseIntruders,
  settlePrimaryGroups,
} from "./groups.ts";
import { checkUsers } from "./held.ts";
import { settleHomes } from "./homes.ts";
import { type Decisions, ownersIn } from "./ledger.ts";
import { expandMembership } from "./membership.ts";
import type { Rules } from "./rules.ts";

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
  // Seldom asked for.
  const ids = lazily(() => new Set<string>(drafts.users.map(({ id }) => id)));
  const byId = new Map(drafts.groups.map((draft) => [draft.id, draft]));
  const owners = ownersIn(before.ledger, { users: { has: (id) => ids().has(id) }, groups: byId });
  const held = checkUsers(drafts.users, { rules, local, owners });
  const { subjectOf } = held;
  const checked = checkGroups(drafts.groups, rules, local);
  const users = settleClaims(held.users, userClaims(owners, rules, subjectOf));
  const claimed = settleClaims(checked.candidates, groupClaims(owners, rules));
  const groups = refuseIntruders(claimed.kept, users.kept, owners);
  const primary = settlePrimaryGroups(users.kept, groups.kept, { rules, local, owners, subjectOf });
  const homes = settleHomes(primary.users, { path: rules.homes.path, local, holders, subjectOf });
  const records = { users: usersById(drafts.users, homes.users), groups: byId };
  const membership = expandMembership(drafts.users, records);

  const everybody = {
    users: inOrder(homes.users),
    groups: inOrder([
      ...groups.kept.map((group) => groupOf(group, membersAmong(membership.idsIn(group.id), records.users))),
      ...homes.users.filter(primary.isPrivate).map(privateGroupOf),
    ]),
  };
  const admitted = admit({ ...everybody, idsIn: membership.idsIn }, rules);
  const parts = [held, users, claimed, primary];
  const rest = [primary, homes, membership, admitted];
  return {
    directory: {
      users: admitted.users,
      groups: admitted.groups,
      // Records that are listed and refused; whom the rules of access leave out are not among them.
      withheld: withheldOf(records, groups.kept),
    },
    everybody,
    problems: [drafts, held, checked, users, claimed, groups, ...rest].flatMap(({ problems }) => problems),
    accepted: [...new Set(parts.flatMap(({ accepted }) => accepted))],
    acceptable: [...new Set(parts.flatMap(({ acceptable }) => acceptable))],
  };
}

/** By SCIM id: who comes of each record in the end. */
function usersById(
  drafts: readonly UserDraft[],
  users: readonly User[],
): ReadonlyMap<string, User | undefined> {
  const found = new Map<string, User | undefined>();
  users.forEach((user) => found.set(user.id, user));
  if (users.length < drafts.length) {
    drafts.forEach(({ id }) => found.has(id) || found.set(id, undefined));
  }
  return found;
}

function groupOf({ id, name, gid }: GroupCandidate, members: readonly UserName[]): Group {
  return { id, name, gid, members };
}

/** The names of those who may be members, sorted, each once. Inactive users keep their name and nothing else. */
function membersAmong(ids: Iterable<string>, users: ReadonlyMap<string, User | undefined>): UserName[] {
  const names: UserName[] = [];
  let isSorted = true;
  for (const id of ids) {
    const user = users.get(id);
    if (user?.active === true) {
      isSorted &&= (names.at(-1) ?? "") < user.name;
      names.push(user.name);
    }
  }
  return isSorted ? names.slice() : [...new Set(names)].sort();
}

function withheldOf(
  records: {
    readonly users: ReadonlyMap<string, User | undefined>;
    readonly groups: ReadonlyMap<string, unknown>;
  },
  groups: readonly GroupCandidate[],
): ReadonlySet<string> {
  const withheld = new Set<string>();
  for (const [id, user] of records.users) {
    if (user === undefined) {
      withheld.add(recordKey("user", id));
    }
  }
  const kept = new Set<string>(groups.map(({ id }) => id));
  for (const id of records.groups.keys()) {
    if (!kept.has(id)) {
      withheld.add(recordKey("group", id));
    }
  }
  return withheld;
}

/** By name. Names are ASCII, so the order of code units is the order of bytes. */
function inOrder<Named extends { readonly name: string }>(list: readonly Named[]): readonly Named[] {
  return list.toSorted((left, right) => (left.name < right.name ? -1 : Number(left.name > right.name)));
}
