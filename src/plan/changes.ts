/**
 * What a plan means for people: who is added, removed, changed, as the maps on disk say against the directory.
 */

import { type GroupRecord, parseGroup } from "../formats/group.ts";
import { type PasswdRecord, parsePasswd } from "../formats/passwd.ts";
import { parseShadow } from "../formats/shadow.ts";
import type { Directory, Group, User } from "../model/directory.ts";
import type { UserName } from "../model/ids.ts";
import { lazily } from "../model/lazily.ts";
import { type ChangeList, createChangeList, type Listed } from "../model/listed.ts";
import type { MapName, Observed } from "../model/observed.ts";

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

/** Whether an account is the same before and after, so that a new key opens nothing that is not theirs yet. */
export function isUnmoved(user: User, served: Served): boolean {
  const before = served.users.get(user.name);
  return (
    before?.active === user.active &&
    before.uid === Number(user.uid) &&
    before.gid === Number(user.gid) &&
    before.home === user.home
  );
}

/** Every difference, removals first, then by name. A private group that comes or goes with its user is not news. */
export function changesBetween(served: Served, { users, groups }: Directory): Listed {
  const list = createChangeList();
  // A node that serves nobody loses nobody.
  const after = lazily(() => new Map<string, User>(users.map((user) => [user.name, user])));
  const groupNames = new Set<string>(groups.map((group) => group.name));
  const namesakes = new Map<string, User>(
    users.filter(({ name }) => groupNames.has(name)).map((user) => [user.name, user]),
  );
  const isPrivate = (name: string, gid: number, is: User | undefined) => {
    const was = served.users.get(name);
    return (was === undefined) !== (is === undefined) && Number((was ?? is)?.uid) === gid;
  };
  for (const { name, uid } of served.users.values()) {
    if (!after().has(name)) {
      list.add({ event: "user-removed", user: name, uid });
    }
  }
  for (const { name, gid } of served.groups.values()) {
    if (!groupNames.has(name) && !isPrivate(name, gid, after().get(name))) {
      list.add({ event: "group-removed", group: name, gid });
    }
  }
  for (const group of groups) {
    const before = served.groups.get(group.name);
    if (before === undefined && !isPrivate(group.name, group.gid, namesakes.get(group.name))) {
      list.addLater("group-added", () => ({ event: "group-added", group: group.name, gid: group.gid }));
    }
    addGroupChanges(list, before, group);
  }
  users.forEach((user) => addUserChanges(list, served.users.get(user.name), user));
  return list.listed();
}

function addUserChanges(list: ChangeList, before: ServedUser | undefined, user: User): void {
  const { name, uid, home, active, byRule = false } = user;
  if (before === undefined) {
    list.addLater("user-added", () => ({ event: "user-added", user: name, uid, home, active, byRule }));
    return;
  }
  if (before.active !== active) {
    list.add(
      active ? { event: "user-reactivated", user: name } : { event: "user-deactivated", user: name, byRule },
    );
  }
  for (const field of USER_FIELDS) {
    const isExplained = field === "shell" && before.active !== active;
    if (before[field] !== user[field] && !isExplained) {
      list.add({ event: "user-changed", user: name, ...valuesOf(before[field], user[field], field) });
    }
  }
}

const USER_FIELDS = ["uid", "gid", "gecos", "home", "shell"] as const;

function addGroupChanges(list: ChangeList, before: GroupRecord | undefined, group: Group): void {
  const { name, gid, members } = group;
  const addMembers = (added: readonly UserName[]) =>
    list.addEach("member-added", added, (user) => ({ event: "member-added", group: name, user }));
  if (before === undefined) {
    addMembers(members);
    return;
  }
  if (before.gid !== Number(gid)) {
    list.add({ event: "group-changed", group: name, ...valuesOf(before.gid, gid, "gid") });
  }
  if (before.members.join() === members.join()) {
    return;
  }
  const old = new Set(before.members);
  const now = new Set<string>(members);
  old.difference(now).forEach((user) => list.add({ event: "member-removed", group: name, user }));
  addMembers(members.filter((user) => !old.has(user)));
}

function valuesOf(before: string | number, after: string | number, field: string) {
  return { field, before: String(before), after: String(after) };
}
