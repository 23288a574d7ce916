/**
 * Health is a table: what can be wrong with a node, how bad it is, how long before anybody is told, and what to do.
 *
 * The codes never change meaning, and the README lists each of them.
 */

/** Critical: logins suffer, or a person must decide. Degraded: they will if nobody looks. Notice: worth knowing. */
export type Severity = "critical" | "degraded" | "notice";

interface Condition {
  readonly title: string;
  readonly severity: Severity;
  /** Milliseconds it must hold without a break before anybody is told. */
  readonly shownAfterMs: number;
  readonly remedy: string;
}

const MINUTE_MS = 60_000;

/** Everything that can be wrong. */
export const CONDITIONS = {
  "users-missing": {
    title: "No users are in place on this node",
    severity: "critical",
    shownAfterMs: MINUTE_MS / 4,
    remedy:
      "Nobody from the IAM can log in here yet: a first sync must succeed. Look at the other conditions, or run: rollcall sync",
  },
  "logins-locked": {
    title: "Nobody has a key: the IAM has not been heard for longer than stale.lockAfter",
    severity: "critical",
    shownAfterMs: 0,
    remedy: "Bring the IAM back, then keys are back with the next sync; or raise stale.lockAfter.",
  },
  "removals-refused": {
    title: "A sync was refused because it would take too much away",
    severity: "critical",
    shownAfterMs: 0,
    remedy:
      'Look at it with "rollcall plan". If it is right, run the command printed there; else mend the IAM or the configuration.',
  },
  "node-unreadable": {
    title: "This node cannot be looked at",
    severity: "critical",
    shownAfterMs: 0,
    remedy: "Do what the message of the last sync says; until then nothing changes here.",
  },
  "apply-failed": {
    title: "Some steps of the last sync failed",
    severity: "critical",
    shownAfterMs: 0,
    remedy: "Look at the steps in the status; each sync tries them again.",
  },
  "sync-crashed": {
    title: "The last sync ended without a word",
    severity: "critical",
    shownAfterMs: 0,
    remedy: "Look in the log for what it said, and at the memory of this node; please report it.",
  },
  "sync-stuck": {
    title: "A sync has been running for more than ten minutes",
    severity: "critical",
    shownAfterMs: 0,
    remedy: "Look for a file system that hangs (homes on NFS); logins go on with what is in place.",
  },
  "config-refused": {
    title: "The configuration was changed and has mistakes; the old one is in force",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: 'See every mistake with "rollcall check", and correct the file; it is read again by itself.',
  },
  "token-unusable": {
    title: "The token for the IAM cannot be used",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Do what the message of the last sync says; logins go on with the last good directory.",
  },
  "iam-unreachable": {
    title: "The IAM cannot be reached; logins go on with the last good directory",
    severity: "degraded",
    shownAfterMs: MINUTE_MS,
    remedy: "Check that the IAM is up, and the network, DNS and proxies between this node and iam.url.",
  },
  "iam-unreadable": {
    title: "A list on disk cannot be read; logins go on with the last good directory",
    severity: "degraded",
    shownAfterMs: MINUTE_MS / 2,
    remedy:
      "Look at the path in the message of the last sync, and at what writes iam.usersFile and iam.groupsFile.",
  },
  "iam-untrusted": {
    title: "The IAM's certificate, or a list on disk, is not to be trusted",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Check the certificate, iam.caFile and the clock of this node; or who can write to the list.",
  },
  "iam-refused": {
    title: "The IAM does not accept the token",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Renew the token; the file is read again as soon as it changes.",
  },
  "iam-invalid": {
    title: "The IAM answers, but not as a SCIM service does",
    severity: "degraded",
    shownAfterMs: MINUTE_MS / 2,
    remedy:
      "Look at what answers in its place (a proxy, a login page, maintenance; or the list on disk), and at iam.url.",
  },
  "iam-incomplete": {
    title: "The IAM's lists are not whole, so they are not believed",
    severity: "degraded",
    shownAfterMs: MINUTE_MS,
    remedy:
      "Look whether the lists change all the time, or whether the service miscounts; try another pageSize.",
  },
  "iam-too-large": {
    title: "The IAM's answers are beyond their bound",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Lower iam.pageSize, or raise iam.maxPageBytes if the answers are right.",
  },
  "directory-stale": {
    title: "The IAM has not been heard for longer than stale.warnAfter",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "People who left since then can still log in. Find out why the syncs fail.",
  },
  "state-unwritable": {
    title: "The state directory cannot be written",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Make state.directory writable for root: a restart without the IAM needs what is kept there.",
  },
  "node-busy": {
    title: "Another sync of this node has been running for long",
    severity: "degraded",
    shownAfterMs: 5 * MINUTE_MS,
    remedy: "Find the process by the pid in the message, and end it if it hangs.",
  },
  "disk-low": {
    title: "A file system that Rollcall writes to is nearly full",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Free some space: while it is full, changes from the IAM cannot be written.",
  },
  "slurm-unanswered": {
    title: "Slurm does not answer; logins go on, and its accounts stay as they are",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Look at slurmdbd, munge and the database (sacctmgr show cluster); each sync tries again.",
  },
  "slurm-missing": {
    title: "slurm.enabled is set, and this node has no sacctmgr",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Install Slurm's client tools here, or set slurm.enabled on another node.",
  },
  "slurm-denied": {
    title: "Slurm does not let Rollcall change its accounts",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Run Rollcall as root, or give its user the AdminLevel Administrator.",
  },
  "slurm-cluster-unknown": {
    title: "slurmdbd does not know the cluster of slurm.cluster",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Correct slurm.cluster; the clusters there are in the message of the last sync.",
  },
  "slurm-refused": {
    title: "Slurm refused a part of what its accounts should be",
    severity: "degraded",
    shownAfterMs: 0,
    remedy: "Do what the message says; each sync tries again, and logins go on.",
  },
  "slurm-removals-refused": {
    title: "Slurm was left as it is, because too many people would lose their last account",
    severity: "degraded",
    shownAfterMs: 0,
    remedy:
      'Look at it with "rollcall plan". If it is right, run the command printed there; else mend the IAM or slurm.accounts.',
  },
  "logins-withheld": {
    title: "People whom this node knows are refused now, and cannot log in",
    severity: "degraded",
    shownAfterMs: 0,
    remedy:
      "See who and why in the problems; mend their records in the IAM, or accept them where it says so.",
  },
  "history-unwritable": {
    title: "The history lacks what the last sync changed",
    severity: "notice",
    shownAfterMs: 0,
    remedy:
      "Do what its message says (a full disk, a file that is not Rollcall's); the journal has the changes all the same.",
  },
  "ledger-rebuilt": {
    title: "The ledger was missing or damaged within the last day; it was made anew from the maps",
    severity: "notice",
    shownAfterMs: 0,
    remedy:
      "Look who else writes to state.directory. Whoever left before is forgotten, so look at new accounts with old ids.",
  },
  "records-refused": {
    title: "Records of the IAM were refused",
    severity: "notice",
    shownAfterMs: 0,
    remedy: 'See which and why with "rollcall status" as root; everybody else is served.',
  },
} as const satisfies Record<string, Condition>;

/** One of the closed list of codes. */
export type ConditionCode = keyof typeof CONDITIONS;
