/**
 * What stands in the way of a plan for Slurm, in words.
 */

import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { ObservedSlurm, SlurmJob } from "../model/slurm.ts";
import type { SlurmPlace } from "./slurm-places.ts";

const NAMED_JOBS = 5;

/** Whoever stays because of jobs. */
export function keptByJobs({ user, account }: SlurmPlace, jobs: readonly SlurmJob[]): Problem {
  const ids = jobs.map(({ id }) => id);
  const more = ids.length > NAMED_JOBS ? ` and ${ids.length - NAMED_JOBS} more` : "";
  const reason = `stays in the account ${account} while jobs have not ended: ${ids.slice(0, NAMED_JOBS).join(", ")}${more}`;
  return {
    code: "slurm-kept",
    subject: { kind: "user", id: user, name: user },
    field: "slurm.accounts",
    reason,
  };
}

/** Whoever stays because of what somebody else gave them. */
export function keptByOthers({ user, account, why }: SlurmPlace & { readonly why: string }): Problem {
  const reason = `stays in the account ${account}: ${why}`;
  return {
    code: "slurm-kept",
    subject: { kind: "user", id: user, name: user },
    field: "slurm.accounts",
    reason,
  };
}

const NAMED_ROWS = 3;

/** Names of others that make a table unsure; the first few. */
export function unreadableRows({ unreadable }: Pick<ObservedSlurm, "unreadable">): Problem[] {
  return unreadable.slice(0, NAMED_ROWS).map(unreadableRow);
}

function unreadableRow(row: string): Problem {
  const reason = `${quoted(row)} cannot be read, so no account and no user is removed whole while it is there`;
  return {
    code: "slurm-unreadable",
    subject: { kind: "node", id: "slurm", name: "slurm" },
    field: "slurm",
    reason,
  };
}

/** What a damaged list means. */
export const FORGOTTEN: Problem = {
  code: "slurm-forgotten",
  subject: { kind: "node", id: "slurm", name: "slurm" },
  field: "state.directory",
  reason: "the list of what Rollcall made in Slurm is damaged, so what it made before is left alone",
};
