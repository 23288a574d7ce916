/**
 * Tables as the tools of Slurm print them with --parsable2 and --noheader: a row on each line, `|` between the fields.
 *
 * A field may hold a `|` of its own, such as a name that somebody else made. Such a row has too many fields, and cannot be
 * about anything of ours: it is passed over.
 */

import type { SlurmJob } from "../model/slurm.ts";

/** States in which a job holds an association, of those that slurmdbd keeps account of. */
const ACTIVE = "PENDING,RUNNING,SUSPENDED,REQUEUED,RESIZING";

/**
 * Arguments of sacct(1) for the jobs in these accounts that have not ended. By account, because sacct knows no user whom
 * glibc does not know, and that is whom this is about; by no job's id, because then it shows jobs that have ended, too.
 */
export function activeJobsQuery(accounts: readonly string[], cluster: string): string[] {
  const only = [`--state=${ACTIVE}`, `--clusters=${cluster}`, `--accounts=${accounts.join(",")}`];
  return [
    "--allusers",
    "--allocations",
    "--noheader",
    "--parsable2",
    ...only,
    "--format=jobidraw,user,account",
  ];
}

/** The table it prints. */
export function parseJobs(text: string): SlurmJob[] {
  return parseRows(text, 3).map(([id = "", user = "", account = ""]) => ({ id, user, account }));
}

/** The rows that have exactly so many fields. */
export function parseRows(text: string, fields: number): string[][] {
  return text
    .split("\n")
    .map((line) => line.split("|"))
    .filter((row) => row.length === fields);
}

/** The words of a comma list, sorted. */
export function parseNames(text: string): string[] {
  return text.split(",").filter(Boolean).sort();
}
