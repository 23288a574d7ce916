/**
 * Who exists on this node, and who of them may log in.
 *
 * Whoever is only visible keeps name, uid and groups, so that files show an owner, and has neither key nor shell nor an
 * account that is not expired. Whoever may log in is visible.
 */

import type { Directory, Group, User } from "../model/directory.ts";
import { didYouMean } from "../model/nearest.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { nologinShell } from "./paths.ts";
import type { Rules } from "./rules.ts";

/** Everybody who could be served, and which users are in a group, inactive ones too, by SCIM id; some of these may be nobody's. */
export interface Everybody {
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  readonly idsIn: (group: string) => Iterable<string>;
}

/** Who is served here. */
export interface Admitted extends Pick<Directory, "users" | "groups"> {
  readonly problems: readonly Problem[];
}

/** Applies the rules of this node. Without any, everybody is visible and may log in. */
export function admit(everybody: Everybody, { access, shells }: Pick<Rules, "access" | "shells">): Admitted {
  const { visible, login } = access;
  const isOpen = login.groups === undefined && login.users === undefined;
  if (isOpen && visible === "all") {
    return { users: everybody.users, groups: everybody.groups, problems: [] };
  }
  const named = { groups: login.groups ?? [], users: login.users ?? [] };
  const mayLogIn = isOpen ? undefined : idsOf(everybody, named);
  const seen = visible === "all" ? undefined : idsOf(everybody, { groups: visible, users: [] });
  const isVisible = ({ id }: User) => seen === undefined || seen.has(id) || mayLogIn?.has(id) === true;
  const users = everybody.users.filter(isVisible);
  const names = new Set<string>(users.map(({ name }) => name));
  const isShut = ({ id }: User) => mayLogIn !== undefined && !mayLogIn.has(id);
  return {
    users: users.map((user) => (isShut(user) ? shut(user, shells) : user)),
    groups: everybody.groups
      .filter(({ id, name }) => id !== undefined || names.has(name))
      .map((group) => withMembersAmong(group, names)),
    problems: [
      ...unknownIn("access.visible", visible === "all" ? [] : visible, everybody.groups),
      ...unknownIn("access.login.groups", named.groups, everybody.groups),
      ...unknownIn("access.login.users", named.users, everybody.users),
    ],
  };
}

function withMembersAmong(group: Group, names: ReadonlySet<string>): Group {
  const isAmong = (member: string) => names.has(member);
  return group.members.every(isAmong) ? group : { ...group, members: group.members.filter(isAmong) };
}

function idsOf(
  { users, groups, idsIn }: Everybody,
  named: { readonly groups: readonly string[]; readonly users: readonly string[] },
): ReadonlySet<string> {
  const byName = { users: new Set(named.users), groups: new Set(named.groups) };
  const ids = new Set<string>();
  for (const { id, name } of groups) {
    for (const user of id !== undefined && byName.groups.has(name) ? idsIn(id) : []) {
      ids.add(user);
    }
  }
  for (const { id, name } of users) {
    if (byName.users.has(name)) {
      ids.add(id);
    }
  }
  return ids;
}

function shut(user: User, shells: Rules["shells"]): User {
  const closed = { ...user, active: false, keys: [], shell: nologinShell(shells) };
  return user.active ? { ...closed, byRule: true } : closed;
}

/** A rule about somebody whom the IAM does not have is a typing mistake, or will be right later. */
function unknownIn(
  field: string,
  named: readonly string[],
  there: readonly { readonly name: string }[],
): Problem[] {
  const names = named.length === 0 ? [] : there.map(({ name }) => name);
  const known = new Set(names);
  return named
    .filter((name) => !known.has(name))
    .map((name) => {
      const reason = `${quoted(name)} is not served on this node${didYouMean(name, names)}`;
      return { code: "access-unknown", subject: { kind: "node", id: field, name: field }, field, reason };
    });
}
