/**
 * How a sync would differ from the maps that another tool wrote.
 */

import type { ProblemCode } from "./problem.ts";

/** Why something is meant to differ, beside the problem codes of records. */
export const INTENDED = {
  inactive: "Inactive in the IAM: the name stays, without a login, a key or a group.",
  "not-let-in": "The rules of access do not let them log in on this node.",
  "not-visible": "The rules of access do not show them on this node.",
  renamed: "Has another name here: by names.localPart or names.normaliseGroups, or the old one is held.",
  "private-group": "A private group, made here because no group of the IAM has the gid of the user.",
  "gecos-fallback":
    "The attribute of attributes.user.gecos is empty; the other tool took another one. Nobody's login depends on it.",
  "password-ageing": "Nobody has a password here, so the fields of password ageing stay empty.",
  "broken-line": "The line there is broken, so that its readers pass over it.",
  "nested-member": "A member by a nested group, or by User.groups; the other tool took direct members alone.",
  "member-display":
    "Nobody is called this, here or there; the other tool took members by what they are called, not by their id.",
} as const;

/** Why something differs. */
export type Reason = ProblemCode | keyof typeof INTENDED;

/** One difference. `there` is what the other tool wrote, `here` what a sync would; undefined where there is nothing. */
export interface Deviation {
  readonly kind: "user" | "group";
  readonly name: string;
  /** `record` for all of it; else a field, `key` or `member`. */
  readonly field: string;
  readonly there: string | undefined;
  readonly here: string | undefined;
  /** Undefined when nothing explains it. */
  readonly reason: Reason | undefined;
}

/** A whole comparison. */
export interface Comparison {
  readonly there: { readonly users: number; readonly groups: number };
  readonly here: { readonly users: number; readonly groups: number };
  /** By kind, then name. */
  readonly deviations: readonly Deviation[];
  /** Names of those who have an account and a key there, and would have no login or no key here. */
  readonly losing: readonly string[];
  /** What could not be compared. */
  readonly notes: readonly string[];
}

/** Whether nothing is left to look at. */
export function isExplained({ deviations }: Pick<Comparison, "deviations">): boolean {
  return deviations.every(({ reason }) => reason !== undefined);
}
