/**
 * Tables as the tools of Slurm print them with --parsable2 and --noheader: a row on each line, `|` between the fields.
 *
 * A field may hold a `|` or a line break of its own, where somebody else has made a name of it. Rows that have too many or
 * too few fields for that reason cannot be read, and are told of.
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

/** What Slurm says of jobs for whose sake it refuses something. */
export function jobsInRefusal(text: string): SlurmJob[] {
  const rows = text.matchAll(/JobID = (\d+)\s.*?A = (\S+)\s+U = (\S+)/g);
  return [...rows].map(([, id = "", account = "", user = ""]) => ({ id, user, account }));
}

/** Arguments of squeue(1) for the same: it knows jobs that are held, too, which sacct(1) does not show. */
export function queuedJobsQuery(accounts: readonly string[], cluster: string): string[] {
  return [
    "--all",
    "--noheader",
    `--clusters=${cluster}`,
    `--account=${accounts.join(",")}`,
    "--format=%A|%u|%a",
  ];
}

/** The table it prints. */
export function parseJobs(text: string): SlurmJob[] {
  return parseRows(text, 3).map(([id = "", user = "", account = ""]) => ({ id, user, account }));
}

/** The rows that have exactly so many fields. */
export function parseRows(text: string, fields: number): string[][] {
  return rowsIn(text).filter((row) => row.length === fields);
}

/** The other rows, as they are printed. */
export function strangeRows(text: string, fields: number): string[] {
  return rowsIn(text)
    .filter((row) => row.length !== fields)
    .map((row) => row.join("|"));
}

function rowsIn(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("|"));
}

/** The words of a comma list, sorted. */
export function parseNames(text: string): string[] {
  return text.split(",").filter(Boolean).sort();
}
