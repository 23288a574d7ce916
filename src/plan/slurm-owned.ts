/**
 * Which of what Slurm has is Rollcall's: what it made, and accounts that it was told to adopt and that a rule is about.
 *
 * Who is in an adopted account is Rollcall's from then on. The account itself is only while it is to be adopted: it is set
 * right, and never removed.
 */

import { type ObservedSlurm, type SlurmHolding, slurmHoldingKey } from "../model/slurm.ts";
import type { SlurmSettings, WantedSlurm } from "./slurm-wanted.ts";

/** Tells what is Rollcall's. */
export interface OwnedSlurm {
  has(holding: SlurmHolding): boolean;
  /** Accounts that may be set right, though Rollcall did not make them. */
  readonly adoptedAccounts: ReadonlySet<string>;
  /** Who is in them, and so is Rollcall's from now on. */
  readonly adopted: readonly SlurmHolding[];
}

/** Reads the list of holdings and the admin's wish. */
export function ownedSlurm(
  wanted: WantedSlurm,
  observed: ObservedSlurm,
  { adopt }: Pick<SlurmSettings, "adopt">,
): OwnedSlurm {
  const keys = new Set(observed.holdings.map(slurmHoldingKey));
  const accounts = adopt.filter((account) => wanted.accounts.has(account) && observed.accounts.has(account));
  const adopted = accounts.flatMap((account) =>
    [...observed.users].flatMap(([user, { accounts: theirs, defaultAccount }]): SlurmHolding[] => [
      ...(theirs.has(account) ? [{ kind: "association", user, account } as const] : []),
      ...(defaultAccount === account ? [{ kind: "default", user, account } as const] : []),
    ]),
  );
  const all = keys.union(new Set(adopted.map(slurmHoldingKey)));
  return {
    has: (holding) => all.has(slurmHoldingKey(holding)),
    adoptedAccounts: new Set(accounts),
    adopted,
  };
}

/** What is left of a list when only what is there counts. */
export function slurmHoldingsThere(
  holdings: readonly SlurmHolding[],
  { accounts, users }: Pick<ObservedSlurm, "accounts" | "users">,
): SlurmHolding[] {
  const isThere = (holding: SlurmHolding): boolean => {
    if (holding.kind === "account") {
      return accounts.has(holding.account);
    }
    const user = users.get(holding.user);
    switch (holding.kind) {
      case "user":
        return user !== undefined;
      case "association":
        return user?.accounts.has(holding.account) === true;
      case "default":
        return user?.defaultAccount === holding.account;
      case "level":
        return user?.adminLevel === holding.level;
    }
  };
  return sortedSlurmHoldings(holdings.filter(isThere));
}

/** Each of them once, in the order of the file. */
export function sortedSlurmHoldings(holdings: readonly SlurmHolding[]): SlurmHolding[] {
  const byKey = new Map(holdings.map((holding) => [slurmHoldingKey(holding), holding]));
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}
