/**
 * How one run went: what `sync` and `plan` print and what later runs remember.
 */

import type { Plan, Step } from "./plan.ts";
import type { Problem } from "./problem.ts";

/** How one step ended. A step is skipped when an earlier one it depends on failed. */
export type Outcome =
  | { readonly step: Step; readonly result: "done" }
  | { readonly step: Step; readonly result: "failed"; readonly message: string }
  | { readonly step: Step; readonly result: "skipped"; readonly message: string };

/** What the pull cost. */
export interface PullStatistics {
  readonly requests: number;
  readonly bytes: number;
  /** True when a list came in pages that are numbered by position, which move while the list changes. */
  readonly mayShift: boolean;
  /** True when every page was answered with 304 and the saved lists were used. */
  readonly unchanged: boolean;
}

/** One finished run. */
export interface RunReport {
  readonly plan: Plan;
  /** Identifies the removals of this plan, for `--accept-removals`. */
  readonly planId: string;
  readonly problems: readonly Problem[];
  readonly outcomes: readonly Outcome[];
  readonly served: {
    readonly users: number;
    readonly active: number;
    /** Active, but without a key in the IAM. */
    readonly keyless: number;
    readonly groups: number;
    readonly keys: number;
  };
  readonly pull: PullStatistics;
  /** False when owners of files and homes were left alone, because this process is not root. */
  readonly setsOwners: boolean;
  readonly seconds: number;
}
