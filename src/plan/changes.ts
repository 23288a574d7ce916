/**
 * What a plan means for people: who is added, removed, changed, as the maps on disk say against the directory.
 */

import { type GroupRecord, parseGroup } from "../formats/group.ts";
import { type PasswdRecord, parsePasswd } from "../formats/passwd.ts";
import { parseShadow } from "../formats/shadow.ts";
import type { Directory, Group, User } from "../model/directory.ts";
import type { MapName, Observed } from "../model/observed.ts";
import type { Change } from "../model/plan.ts";

/** A user as this node serves it now. */
export interface ServedUser extends PasswdRecord {
  readonly active: boolean;
}

/** What the node serves now, by name. */
export interface Served {
  readonly users: ReadonlyMap<string, ServedUser>;
  readonly groups: ReadonlyMap<string, GroupRecord>;
}

/** Reads the maps on disk; a missing map serves nobody. */
export function servedNow(maps: Observed["maps"]): Served {
  const bytesOf = (map: MapName) => maps[map].data?.bytes ?? new Uint8Array();
  const locked = new Set(
    parseShadow(bytesOf("shadow"))
      .filter(({ active }) => !active)
      .map(({ name }) => name),
  );
  const users = parsePasswd(bytesOf("passwd"));
  return {
    users: new Map(users.map((user) => [user.name, { ...user, active: !locked.has(user.name) }])),
    groups: new Map(parseGroup(bytesOf("group")).map((group) => [group.name, group])),
  };
}

/** Every difference, removals first, then by name. A private group that comes or goes with its user is not news. */
export function changesBetween(served: Served, { users, groups }: Directory): Change[] {
  const userNames = new Set<string>(users.map((user) => user.name));
  const groupNames = new Set<string>(groups.map((group) => group.name));
  const goneUsers = [...served.users.values()].filter(({ name }) => !userNames.has(name));
  const goneGroups = [...served.groups.values()].filter(({ name }) => !groupNames.has(name));
  const changes: Change[] = [
    ...goneUsers.map(({ name, uid }) => ({ event: "user-removed", user: name, uid }) as const),
    ...goneGroups.map(({ name, gid }) => ({ event: "group-removed", group: name, gid }) as const),
    ...groups.flatMap((group) => groupChanges(served.groups.get(group.name), group)),
    ...users.flatMap((user) => userChanges(served.users.get(user.name), user)),
  ];
  const privateIds = new Map(
    changes.flatMap((change) => ("uid" in change ? [[change.user, change.uid] as const] : [])),
  );
  return changes.filter((change) => !("gid" in change) || privateIds.get(change.group) !== change.gid);
}

function userChanges(before: ServedUser | undefined, user: User): Change[] {
  const { name, uid, home, active, byRule = false } = user;
  if (before === undefined) {
    return [{ event: "user-added", user: name, uid, home, active, byRule }];
  }
  const toggled: Change = active
    ? { event: "user-reactivated", user: name }
    : { event: "user-deactivated", user: name, byRule };
  const fields = before.active === active ? USER_FIELDS : USER_FIELDS.filter((field) => field !== "shell");
  const changed = fields.flatMap((field) => fieldChange(before[field], user[field], field));
  return [
    ...(before.active === active ? [] : [toggled]),
    ...changed.map((change) => ({ event: "user-changed", user: name, ...change }) as const),
  ];
}

const USER_FIELDS = ["uid", "gid", "gecos", "home", "shell"] as const;

function groupChanges(before: GroupRecord | undefined, { name, gid, members }: Group): Change[] {
  const added: Change[] = before === undefined ? [{ event: "group-added", group: name, gid }] : [];
  const changed = before === undefined ? [] : fieldChange(before.gid, gid, "gid");
  const old = new Set(before?.members);
  const now = new Set<string>(members);
  return [
    ...added,
    ...changed.map((change) => ({ event: "group-changed", group: name, ...change }) as const),
    ...[...old]
      .filter((user) => !now.has(user))
      .map((user) => ({ event: "member-removed", group: name, user }) as const),
    ...members
      .filter((user) => !old.has(user))
      .map((user) => ({ event: "member-added", group: name, user }) as const),
  ];
}

function fieldChange(before: string | number, after: string | number, field: string) {
  return before === after ? [] : [{ field, before: String(before), after: String(after) }];
}
