/**
 * Why a run cannot go on: the one error class of this program.
 *
 * A message says what was being done, what was wrong, and what to do next.
 */

/** The closed list of reasons. They never change meaning. */
export type FailureCode =
  | "config-unreadable"
  | "config-invalid"
  | "token-unreadable"
  | "token-exposed"
  | "iam-unreachable"
  | "iam-untrusted"
  | "iam-refused"
  | "iam-invalid"
  | "iam-incomplete"
  | "iam-too-large"
  | "node-unreadable"
  | "node-busy"
  | "setup-refused"
  | "removals-refused"
  | "apply-failed"
  | "state-unwritable"
  | "nothing-remembered"
  | "nothing-held"
  | "slurm-missing"
  | "slurm-unanswered"
  | "slurm-denied"
  | "slurm-cluster-unknown"
  | "slurm-refused"
  | "slurm-removals-refused"
  | "daemon-lost"
  | "command-failed"
  | "stopped";

/** Thrown when the run cannot go on; the node is as it was, or as the message says. */
export class Failure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.code = code;
  }
}

/** Why a run could not go on, as data. */
export interface RunFailure {
  readonly code: FailureCode | "unexpected";
  readonly message: string;
}

/** What an unknown thrown value says, for the middle of a message. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.message === "" && "code" in error ? String(error.code) : error.message;
}

/** The `code` of a system error (errno(3) name, or undici's), if it has one. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "run this as root",
  EPERM: "run this as root, and look for an immutable file (lsattr)",
  ENOSPC: "free some space on this file system",
  EDQUOT: "raise the quota, or free some space",
  EROFS: "this file system is mounted read-only",
  ENOENT: "make it, or its directory, first",
};

/** What to do about a system error, where its message starts with a name that says it; begins with a blank. */
export function hintFor(message: string): string {
  const hint = HINTS[/^([A-Z]+): /.exec(message)?.[1] ?? ""];
  return hint === undefined ? "" : ` (${hint})`;
}
