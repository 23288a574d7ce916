/**
 * Which of what Slurm has is Rollcall's: what it made, and accounts that it was told to adopt and that a rule is about.
 */

import { type ObservedSlurm, type SlurmHolding, slurmHoldingKey } from "../model/slurm.ts";
import type { SlurmSettings, WantedSlurm } from "./slurm-wanted.ts";

/** Tells what is Rollcall's. */
export interface OwnedSlurm {
  has(holding: SlurmHolding): boolean;
  /** What is there and becomes Rollcall's by being adopted. */
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
  const adopted = accounts.flatMap((account): SlurmHolding[] => [
    { kind: "account", account },
    ...[...observed.users].flatMap(([user, { accounts: theirs, defaultAccount }]): SlurmHolding[] => [
      ...(theirs.has(account) ? [{ kind: "association", user, account } as const] : []),
      ...(defaultAccount === account ? [{ kind: "default", user, account } as const] : []),
    ]),
  ]);
  const all = keys.union(new Set(adopted.map(slurmHoldingKey)));
  return { has: (holding) => all.has(slurmHoldingKey(holding)), adopted };
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
  const byKey = new Map(holdings.filter(isThere).map((holding) => [slurmHoldingKey(holding), holding]));
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}
