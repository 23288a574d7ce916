/**
 * Who comes into which account of Slurm, who leaves one, and whose default account changes.
 */

import type { ObservedSlurm, SlurmUser } from "../model/slurm.ts";
import type { OwnedSlurm } from "./slurm-owned.ts";
import type { WantedSlurm } from "./slurm-wanted.ts";

/** One user in one account. */
export interface SlurmPlace {
  readonly user: string;
  readonly account: string;
}

/** A default account that becomes another one. */
export interface DefaultChange extends SlurmPlace {
  readonly before: string;
}

/** What differs between who should be where, and who is. */
export interface Places {
  readonly added: readonly SlurmPlace[];
  /** Ours, and not wanted any more. */
  readonly removed: readonly SlurmPlace[];
  /** The same, but something that somebody else gave that user would go as well; with what that is. */
  readonly bound: readonly (SlurmPlace & { readonly why: string })[];
}

/** Compares them. */
export function planPlaces({ placements }: WantedSlurm, { users }: ObservedSlurm, owned: OwnedSlurm): Places {
  const added = [...placements].flatMap(([user, accounts]) =>
    accounts
      .filter((account) => users.get(user)?.accounts.has(account) !== true)
      .map((account) => ({ user, account })),
  );
  const left = [...users].flatMap(([user, { accounts }]) =>
    [...accounts]
      .filter((account) => placements.get(user)?.includes(account) !== true)
      .filter((account) => owned.has({ kind: "association", user, account }))
      .map((account) => ({ user, account })),
  );
  const bound = left.flatMap((place) => {
    const why = bindingOf(place, { users, left, owned });
    return why === undefined ? [] : [{ ...place, why }];
  });
  const isBound = ({ user, account }: SlurmPlace) =>
    bound.some((place) => place.user === user && place.account === account);
  return { added, removed: left.filter((place) => !isBound(place)), bound };
}

/** With the last association Slurm takes the record of the user away, whoever made it. */
function bindingOf(
  { user, account }: SlurmPlace,
  {
    users,
    left,
    owned,
  }: Pick<ObservedSlurm, "users"> & { readonly left: readonly SlurmPlace[]; readonly owned: OwnedSlurm },
): string | undefined {
  const { partitioned, adminLevel, accounts, isElsewhere } = users.get(user) ?? NOBODY;
  if (partitioned.has(account)) {
    return "somebody else gave them associations for single partitions there";
  }
  const losesAll = !isElsewhere && left.filter((place) => place.user === user).length === accounts.size;
  const isGiven =
    (adminLevel === "Operator" || adminLevel === "Administrator") &&
    !owned.has({ kind: "level", user, level: adminLevel });
  return losesAll && isGiven
    ? `somebody else gave them the AdminLevel ${adminLevel}, which would go with the last one`
    : undefined;
}

const NOBODY: SlurmUser = {
  defaultAccount: "",
  adminLevel: "None",
  accounts: new Set(),
  partitioned: new Set(),
  isElsewhere: false,
};

/** What plans for default accounts and records of users are made from. */
export interface PlacesBefore {
  readonly wanted: WantedSlurm;
  readonly observed: ObservedSlurm;
  readonly owned: OwnedSlurm;
  /** Who really leaves which account. */
  readonly removed: readonly SlurmPlace[];
}

/**
 * A default that Rollcall set follows the rules; one that somebody else chose stays as long as the user is in that account.
 * New users are first added to the account that is to be their default, which makes it so.
 */
export function planDefaults({ wanted, observed, owned, removed }: PlacesBefore): DefaultChange[] {
  return [...observed.users].flatMap(([user, { defaultAccount: before, accounts }]) => {
    const leaves = new Set(removed.filter((place) => place.user === user).map(({ account }) => account));
    const [best] = [...(wanted.placements.get(user) ?? []), ...accounts.difference(leaves)];
    const mayChange =
      before === "" || leaves.has(before) || owned.has({ kind: "default", user, account: before });
    return best === undefined || best === before || !mayChange || (before === "" && accounts.size === 0)
      ? []
      : [{ user, account: best, before }];
  });
}

/** Users whom Rollcall made and who have nothing left, on any cluster. */
export function recordsLeft({ wanted, observed, owned, removed }: PlacesBefore): string[] {
  return [...observed.users].flatMap(([user, { accounts, isElsewhere }]) => {
    const leaves = new Set(removed.filter((place) => place.user === user).map(({ account }) => account));
    const isIdle = !wanted.placements.has(user) && accounts.isSubsetOf(leaves) && !isElsewhere;
    return isIdle && owned.has({ kind: "user", user }) ? [user] : [];
  });
}
