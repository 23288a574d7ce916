/**
 * Why a run cannot go on: the one error class of this program.
 *
 * A message says what was being done, what was wrong, and what to do next.
 */

/** The closed list of reasons, with what each means. They never change meaning. */
export const FAILURES = {
  "config-unreadable": "the configuration, or a file it names, cannot be read, or others can change it",
  "config-invalid": "the configuration has mistakes; all are listed",
  "token-unreadable": "there is no token, or it is none",
  "token-exposed": "others can read or change the token file; the message has the chmod",
  "iam-unreachable": "no answer after all tries",
  "iam-untrusted": "the server's certificate is not to be trusted, or others can change a list on disk",
  "iam-unreadable": "a list on disk cannot be read",
  "iam-refused": "401 or 403: the token is wrong, expired or not allowed",
  "iam-invalid": "the answer is no SCIM: HTML, broken JSON, a redirect, an error dressed as a success",
  "iam-incomplete": "a list was not whole: totals changed, resources missing, pages without end",
  "iam-too-large": "an answer or a list beyond its bound",
  "node-unreadable": "this node could not be looked at: a link where a file should be, no /etc/passwd",
  "node-busy": "another sync, or another daemon, serves this node; the message has its pid",
  "setup-refused":
    "setup cannot wire this node, or could not and took it back; the message has sshd's words where it is about sshd",
  "removals-refused": "the fuse: the sync would take too much away",
  "apply-failed": "some steps failed; they are listed, and the next sync tries them again",
  "state-unwritable":
    "the node is in step, but state.directory cannot be written; the next sync fetches everything again",
  "slurm-unanswered": "Slurm's part alone: no answer within slurm.timeout, or no connection",
  "slurm-missing": "Slurm's part alone: there is no sacctmgr",
  "slurm-denied": "Slurm's part alone: this user may not change accounts",
  "slurm-cluster-unknown": "Slurm's part alone: slurmdbd has no such cluster",
  "slurm-refused": "Slurm's part alone: Slurm refused a command; the message has its words",
  "slurm-removals-refused": "Slurm's part alone: the fuse, for people who would lose their last account",
  "nothing-held": "accept was given a name that is not held back; the message says which are",
  "nothing-remembered": "--offline, but this IAM was never believed on this node",
  "import-unreadable":
    "the file is neither an nsscache.conf nor Helm values with one, or there are no maps to compare with",
  "import-refused":
    "import-nsscache: another source than SCIM, several services or tokens, or no address; the message has the section and the line",
  "import-unwritable": "import-nsscache --output: the file is there already, or cannot be made",
  "daemon-lost": "the daemon ended the connection in the middle of a request",
  "command-failed": "run -- COMMAND: the command cannot be started",
  stopped: "the run was stopped by a signal",
} as const satisfies Record<string, string>;

/** One of the closed list. */
export type FailureCode = keyof typeof FAILURES;

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
  EROFS:
    "this file system is mounted read-only, or is so for the service: see ReadWritePaths= in rollcall.service",
  ENOENT: "make it, or its directory, first",
};

/** What to do about a system error, where its message starts with a name that says it; begins with a blank. */
export function hintFor(message: string): string {
  const hint = HINTS[/^([A-Z]+): /.exec(message)?.[1] ?? ""];
  return hint === undefined ? "" : ` (${hint})`;
}
