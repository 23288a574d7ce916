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
  const leaving = [...users].flatMap(([user, record]) => {
    const wanted = placements.get(user) ?? [];
    const accounts = [...record.accounts].filter(
      (account) => !wanted.includes(account) && owned.has({ kind: "association", user, account }),
    );
    const losesAll = accounts.length === record.accounts.size && !record.isElsewhere;
    const level = losesAll ? levelOfOthers(user, record, owned) : undefined;
    return accounts.map((account) => ({
      user,
      account,
      why: record.partitioned.has(account) ? PARTITIONS : level,
    }));
  });
  return {
    added,
    removed: leaving.filter(({ why }) => why === undefined).map(({ user, account }) => ({ user, account })),
    bound: leaving.flatMap(({ why, ...place }) => (why === undefined ? [] : [{ ...place, why }])),
  };
}

const PARTITIONS = "somebody else gave them associations for single partitions there";

/** With the last association Slurm takes the record of the user away, whoever made it. */
function levelOfOthers(
  user: string,
  { adminLevel: level }: SlurmUser,
  owned: OwnedSlurm,
): string | undefined {
  const isGiven =
    (level === "Operator" || level === "Administrator") && !owned.has({ kind: "level", user, level });
  return isGiven
    ? `somebody else gave them the AdminLevel ${level}, which would go with the last one`
    : undefined;
}

/** The accounts in these places, by user. */
export function accountsByUser(places: readonly SlurmPlace[]): ReadonlyMap<string, ReadonlySet<string>> {
  const byUser = Map.groupBy(places, ({ user }) => user);
  return new Map([...byUser].map(([user, all]) => [user, new Set(all.map(({ account }) => account))]));
}

/** Who is in nothing any more, and meant to be in nothing, once they have left these places. */
export function usersLeaving(
  places: readonly SlurmPlace[],
  { placements }: WantedSlurm,
  { users }: ObservedSlurm,
): ReadonlySet<string> {
  const leaves = [...accountsByUser(places)].filter(
    ([user, accounts]) => !placements.has(user) && users.get(user)?.accounts.isSubsetOf(accounts) === true,
  );
  return new Set(leaves.map(([user]) => user));
}

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
  const byUser = accountsByUser(removed);
  return [...observed.users].flatMap(([user, { defaultAccount: before, accounts }]) => {
    const leaves = byUser.get(user) ?? NONE;
    const [best] = [...(wanted.placements.get(user) ?? []), ...accounts.difference(leaves)];
    const mayChange =
      before === "" || leaves.has(before) || owned.has({ kind: "default", user, account: before });
    return best === undefined || best === before || !mayChange || (before === "" && accounts.size === 0)
      ? []
      : [{ user, account: best, before }];
  });
}

const NONE: ReadonlySet<string> = new Set();

/** Users whom Rollcall made and who have nothing left, on any cluster. */
export function recordsLeft({ wanted, observed, owned, removed }: PlacesBefore): string[] {
  const leaving = usersLeaving(removed, wanted, observed);
  return [...observed.users].flatMap(([user, { accounts, isElsewhere }]) => {
    const isIdle = leaving.has(user) || (accounts.size === 0 && !wanted.placements.has(user));
    return isIdle && !isElsewhere && owned.has({ kind: "user", user }) ? [user] : [];
  });
}
