/**
 * What Slurm's accounting has, what Rollcall made of it, and what must change there: the nouns of sacctmgr(1).
 */

import type { Change } from "./plan.ts";
import type { Problem } from "./problem.ts";

/** The admin levels that sacctmgr(1) knows. */
export type AdminLevel = "None" | "Operator" | "Administrator";

/** An account of one cluster. */
export interface SlurmAccount {
  readonly parent: string;
  /** Shares, as sacctmgr prints them: a number, or `parent`. */
  readonly fairshare: string;
  /** Sorted; those that are inherited too. */
  readonly qos: readonly string[];
  /** Empty without one. */
  readonly defaultQos: string;
  /** Whether other clusters have an account of this name as well. */
  readonly isElsewhere: boolean;
}

/** A user, as far as one cluster is concerned. */
export interface SlurmUser {
  /** Empty without one. */
  readonly defaultAccount: string;
  readonly adminLevel: string;
  /** Accounts of this cluster that the user is in. */
  readonly accounts: ReadonlySet<string>;
  /** Those of them where the user has associations for single partitions, which Rollcall never makes. */
  readonly partitioned: ReadonlySet<string>;
  /** Whether the user is in accounts of other clusters as well. */
  readonly isElsewhere: boolean;
}

/** One thing in Slurm that Rollcall made: nothing else is ever changed or removed. */
export type SlurmHolding =
  | { readonly kind: "account"; readonly account: string }
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "association"; readonly user: string; readonly account: string }
  | { readonly kind: "default"; readonly user: string; readonly account: string }
  | { readonly kind: "level"; readonly user: string; readonly level: AdminLevel };

/** A job that has not ended. */
export interface SlurmJob {
  readonly id: string;
  readonly user: string;
  readonly account: string;
}

/** The accounting of one cluster, and which of it is Rollcall's. */
export interface ObservedSlurm {
  readonly cluster: string;
  readonly accounts: ReadonlyMap<string, SlurmAccount>;
  readonly users: ReadonlyMap<string, SlurmUser>;
  readonly qos: ReadonlySet<string>;
  readonly holdings: readonly SlurmHolding[];
  /** Rows that could not be read: somebody's names are in them. Nothing is removed then that could hold them. */
  readonly unreadable: readonly string[];
  /** The list of holdings was there and could not be believed. */
  readonly forgot: boolean;
  /** Of those who would lose an association; empty until somebody would. */
  readonly jobs: readonly SlurmJob[];
}

/** What an account is set to; what is undefined is left to Slurm. */
export interface SlurmAccountSettings {
  readonly parent?: string | undefined;
  readonly fairshare?: number | undefined;
  readonly qos?: readonly string[] | undefined;
  readonly defaultQos?: string | undefined;
}

/** One command, for as many users as it takes. */
export type SlurmStep =
  | { readonly kind: "cancel-jobs"; readonly jobs: readonly SlurmJob[] }
  | {
      readonly kind: "add-account" | "modify-account";
      readonly account: string;
      readonly settings: SlurmAccountSettings;
    }
  | {
      readonly kind: "add-users" | "remove-users" | "set-default";
      readonly account: string;
      readonly users: readonly string[];
    }
  | { readonly kind: "set-level"; readonly level: AdminLevel; readonly users: readonly string[] }
  | { readonly kind: "remove-records"; readonly users: readonly string[] }
  | { readonly kind: "remove-account"; readonly account: string; readonly isElsewhere: boolean };

/** Everything that would be done in Slurm, in its order. */
export interface SlurmPlan {
  readonly steps: readonly SlurmStep[];
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  /** What will be Rollcall's: to be written down before anything is made. */
  readonly holdings: readonly SlurmHolding[];
  /** Who would lose every account that Rollcall gave them, sorted; and how many have one now. */
  readonly losers: readonly string[];
  readonly holders: number;
  /** How many of the accounts that Rollcall made would go; and how many there are now. */
  readonly lostAccounts: number;
  readonly madeAccounts: number;
  /** Accounts that somebody would leave, who must have no active job there. */
  readonly left: readonly string[];
}

/** The same for the same thing. */
export function slurmHoldingKey(holding: SlurmHolding): string {
  return JSON.stringify(Object.values(holding));
}
