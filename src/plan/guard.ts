/**
 * The fuse: a plan that takes too much away is refused whole.
 *
 * It cannot tell a bad IAM from a hard day's work, so it asks a person. What counts is who could log in
 * before and could not afterwards as the same person, whatever the reason.
 */

import type { Directory, User } from "../model/directory.ts";
import type { Removals } from "../model/plan.ts";
import type { SlurmPlan } from "../model/slurm.ts";
import type { Served, ServedUser } from "./changes.ts";
import type { KeysHeld } from "./keys-held.ts";
import type { PlanSettings } from "./settings.ts";

/** Who loses what; without `served` the maps are those of the directory. A first sync on an empty node removes nobody. */
export function removalsOf(served: Served | undefined, directory: Directory, held: KeysHeld): Removals {
  if (served === undefined) {
    return keyRemovalsOf(directory, held);
  }
  const able = [...served.users.values()].filter(({ active }) => active);
  const after = new Map(able.length === 0 ? [] : directory.users.map((user) => [String(user.name), user]));
  const lost = able.filter((before) => {
    const user = after.get(before.name);
    return user === undefined || losesLogin(user, before, held);
  });
  const keysAfter = directory.users.filter(({ keys }) => keys.length > 0).length;
  const groupNames = new Set<string>(directory.groups.map((group) => group.name));
  const shared = [...served.groups.keys()].filter((name) => !served.users.has(name));
  return {
    before: able.length,
    keyed: keysAfter > 0 ? undefined : able.filter(({ name }) => held(name).length > 0).length,
    users: lost.map(({ name }) => name).sort(),
    after: directory.users.length,
    groupsBefore: shared.length,
    groups: shared.filter((name) => !groupNames.has(name)).sort(),
  };
}

/** Whoever stays as they are, and loses what they have by the keys. */
function keyRemovalsOf({ users, groups }: Directory, held: KeysHeld): Removals {
  const able = users.filter(({ active }) => active);
  const lost = able.filter((user) => losesLogin(user, user, held));
  const shared = new Set<string>(groups.map(({ name }) => name));
  users.forEach(({ name }) => shared.delete(name));
  return {
    before: able.length,
    keyed: users.some(({ keys }) => keys.length > 0) ? undefined : lost.length,
    users: lost.map(({ name }) => name).sort(),
    after: users.length,
    groupsBefore: shared.size,
    groups: [],
  };
}

/** Still there, but shut out: inactive, without a key, behind a shell that lets nobody in, or somebody else by uid. */
function losesLogin(user: User, before: Pick<ServedUser, "shell" | "uid">, held: KeysHeld): boolean {
  const isShut = isClosedShell(user.shell) && !isClosedShell(before.shell);
  const hasNoKey = user.keys.length === 0 && held(user.name).length > 0;
  return !user.active || hasNoKey || isShut || Number(user.uid) !== before.uid;
}

/** Whether a shell sends everybody away. */
export function isClosedShell(shell: string): boolean {
  return /\/(?:nologin|false)$/.test(shell);
}

/** Why the fuse blows, in words; undefined when it holds. */
export function refusalOf(removals: Removals, guard: PlanSettings["guard"]): string | undefined {
  const { before, users, keyed = 0, after, groupsBefore, groups } = removals;
  if (users.length > 0 && after === 0) {
    return `it would leave nobody of the ${before} users who can log in`;
  }
  if (keyed > 1) {
    return `it would take every SSH key from all ${keyed} users who have one; is attributes.user.keys right`;
  }
  if (exceeds(users.length, before, guard)) {
    return `it would take login from ${users.length} of ${before} users (${percent(users.length, before)} %)`;
  }
  if (exceeds(groups.length, groupsBefore, guard)) {
    return `it would remove ${groups.length} of ${groupsBefore} groups (${percent(groups.length, groupsBefore)} %)`;
  }
  return undefined;
}

/** The same for Slurm: who would have no account any more, of those who have one from Rollcall, and accounts it made. */
export function slurmRefusalOf(
  {
    losers,
    holders,
    lostAccounts: lost,
    madeAccounts: made,
  }: Pick<SlurmPlan, "losers" | "holders" | "lostAccounts" | "madeAccounts">,
  guard: PlanSettings["guard"],
): string | undefined {
  if (exceeds(losers.length, holders, guard)) {
    return `it would take the last account from ${losers.length} of ${holders} users (${percent(losers.length, holders)} %)`;
  }
  return exceeds(lost, made, guard)
    ? `it would remove ${lost} of the ${made} accounts that Rollcall made (${percent(lost, made)} %)`
    : undefined;
}

/** Where there are too few for a percentage, more than half of them, if that is more than two. */
function exceeds(lost: number, before: number, guard: PlanSettings["guard"]): boolean {
  const isMany = lost > guard.minRemovals && lost * 100 > before * guard.maxRemovalPercent;
  return isMany || (lost > 2 && lost * 2 > before);
}

function percent(part: number, whole: number): number {
  return Math.round((part * 100) / whole);
}
