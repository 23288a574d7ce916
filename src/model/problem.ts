/**
 * What is wrong with one record or one thing on this node, without stopping the run.
 *
 * The codes are a closed list: they never change meaning, and the README explains each of them.
 */

// oxlint-disable max-lines -- one flat table: three lines for each code

/** What a problem takes from its subject: the whole record, one field, or nothing yet. */
export type Cost = "record" | "field" | "nothing";

interface ProblemKind {
  readonly costs: Cost;
  readonly title: string;
  readonly remedy: string;
}

/** Every problem a run can report. */
export const PROBLEMS = {
  "record-unreadable": {
    costs: "record",
    title: "The record is not a JSON object with an id",
    remedy: "Look at the record in the IAM; its SCIM service returns something that is no resource.",
  },
  "name-missing": {
    costs: "record",
    title: "The record has no name at the configured attribute",
    remedy: "Set the name in the IAM, or point attributes.user.name or attributes.group.name elsewhere.",
  },
  "name-invalid": {
    costs: "record",
    title: "The name is no POSIX name",
    remedy:
      "Rename it in the IAM (a-z, 0-9, '_', '.', '-'), or look at names.localPart and names.normaliseGroups.",
  },
  "name-reserved": {
    costs: "record",
    title: "The name belongs to the system",
    remedy: "Rename it in the IAM; names such as root, sudo or systemd-* are never taken from there.",
  },
  "name-local": {
    costs: "record",
    title: "A local account or group has this name",
    remedy: "Rename one of the two; local accounts are never replaced.",
  },
  "name-contested": {
    costs: "record",
    title: "Several records claim this name",
    remedy:
      "Give each record its own name in the IAM; until then only a record that has it on this node keeps it.",
  },
  "id-missing": {
    costs: "record",
    title: "The record has no id at the configured attribute",
    remedy:
      "Set it in the IAM; if every record has this, the path in attributes is wrong (a slash after the URN, no colon).",
  },
  "id-invalid": {
    costs: "record",
    title: "The id is not a decimal integer",
    remedy: "Correct the uid or gid in the IAM.",
  },
  "id-out-of-range": {
    costs: "record",
    title: "The id is outside ids.min to ids.max",
    remedy: "Correct it in the IAM, or widen ids.min and ids.max.",
  },
  "id-local": {
    costs: "record",
    title: "A local account or group has this id",
    remedy: "Change one of the two; two names for one id own each other's files.",
  },
  "id-contested": {
    costs: "record",
    title: "Several records claim this id",
    remedy:
      "Give each record its own id in the IAM; until then only a record that has it on this node keeps it.",
  },
  "name-remembered": {
    costs: "record",
    title: "The name belongs, or belonged not long ago, to another record",
    remedy:
      'Give it another name in the IAM; or, if it is the same person, "rollcall accept NAME" (see ledger.rememberFor).',
  },
  "id-remembered": {
    costs: "record",
    title: "The id belongs, or belonged not long ago, to another record: its files would change hands",
    remedy:
      'Give it another id in the IAM; or, if it is the same person, "rollcall accept NAME" (see ledger.rememberFor).',
  },
  "id-held": {
    costs: "field",
    title: "The uid was changed in the IAM; the old one stays, because the files on disk are owned by it",
    remedy:
      'If the change is right: "rollcall accept USER", then chown their files. If not, undo it in the IAM.',
  },
  "name-held": {
    costs: "field",
    title: "The name was changed in the IAM to one that belongs to somebody else; the old one stays",
    remedy:
      'Give it another name in the IAM; or, if the name is free by now, "rollcall accept NAME" with the new name.',
  },
  "id-stuck": {
    costs: "record",
    title: "The uid or name was changed in the IAM, and the old one cannot be served any more",
    remedy:
      'If the change is right: "rollcall accept USER", then chown their files. If not, undo it in the IAM.',
  },
  "primary-group-missing": {
    costs: "record",
    title: "The primary group is neither served nor can it be made",
    remedy: "Serve a group with that gid, or give the user a gid equal to the uid for a private group.",
  },
  "home-contested": {
    costs: "record",
    title: "The home, and the one of homes.path too, belongs to somebody else",
    remedy:
      "Give the user another home in the IAM; two people never share one, and none lies inside another.",
  },
  "active-invalid": {
    costs: "field",
    title: "active is not a boolean; the user is kept out",
    remedy: "Make the IAM send active as true or false.",
  },
  "gecos-cleaned": {
    costs: "field",
    title: "The display name had characters that passwd(5) cannot hold",
    remedy: "Nothing urgent: they were replaced by spaces or cut. Correct the display name in the IAM.",
  },
  "home-replaced": {
    costs: "field",
    title: "The home directory was refused; homes.path is used",
    remedy: "Correct it in the IAM, or add its prefix to homes.under.",
  },
  "shell-replaced": {
    costs: "field",
    title: "The login shell is not allowed here; shells.default is used",
    remedy: "Install the shell and list it in /etc/shells, or add it to shells.allowed.",
  },
  "keys-unreadable": {
    costs: "field",
    title: "The SSH keys have a shape that is neither text nor a list",
    remedy: "Check attributes.user.keys; text, a list of text and a list of {value: text} are read.",
  },
  "key-invalid": {
    costs: "field",
    title: "An SSH key is broken",
    remedy: "Ask the user to paste the whole line of the .pub file again.",
  },
  "key-type-refused": {
    costs: "field",
    title: "An SSH key is of a type that is not accepted",
    remedy: "Ask the user for an ed25519 key (ssh-keygen -t ed25519).",
  },
  "key-too-weak": {
    costs: "field",
    title: "An RSA key is too short",
    remedy: "Ask the user for an ed25519 key, or lower keys.minRsaBits.",
  },
  "key-options-refused": {
    costs: "field",
    title: "An SSH key carries options that are not allowed",
    remedy: "Remove the options in the IAM, or name them in keys.allowedOptions.",
  },
  "key-duplicate": {
    costs: "nothing",
    title: "The same SSH key is listed twice",
    remedy: "Nothing urgent: it is written once.",
  },
  "keys-too-many": {
    costs: "field",
    title: "More SSH keys than keys.maxPerUser",
    remedy: "Remove old keys in the IAM, or raise keys.maxPerUser.",
  },
  "member-unknown": {
    costs: "nothing",
    title: "Members of a group are not among the users",
    remedy:
      "Nothing, if iam.users.query leaves them out on purpose; else look why the list of users lacks them.",
  },
  "group-cycle": {
    costs: "nothing",
    title: "Groups contain each other in a circle",
    remedy: "Break the circle in the IAM; until then all of them have all the members.",
  },
  "group-too-deep": {
    costs: "field",
    title: "Groups are nested deeper than 50 levels; what is below is left out",
    remedy: "Flatten the groups in the IAM.",
  },
  "access-unknown": {
    costs: "nothing",
    title: "A rule of access names somebody who is not served",
    remedy: "Correct the name in access; or look whether the IAM has it, and why it is refused.",
  },
  "home-owner": {
    costs: "nothing",
    title: "The home directory belongs to somebody else",
    remedy: "Find out whose files they are before you chown; Rollcall never does.",
  },
  "home-blocked": {
    costs: "nothing",
    title: "Something that is no directory stands where the home should be",
    remedy: "Look at what it is, and move it away.",
  },
  "home-parent": {
    costs: "nothing",
    title: "The directory that should hold the home is missing or not safe",
    remedy: "Mount or create it, owned by root and writable by root alone.",
  },
  "key-file-foreign": {
    costs: "nothing",
    title: "A key file that Rollcall did not write lies in the keys directory",
    remedy: "Remove it if nobody needs it; Rollcall leaves it alone while it serves no user of that name.",
  },
  "sudo-unknown": {
    costs: "nothing",
    title: "A rule of sudo names a group that is not served; nobody has its rights",
    remedy: "Correct the name in sudo.groups; or look whether the IAM has it, and why it is refused.",
  },
  "slurm-unknown": {
    costs: "nothing",
    title: "A rule for Slurm names a group, a parent account or a QOS that is not there",
    remedy: "Correct the name in slurm, or make the group in the IAM, or the account or QOS with sacctmgr.",
  },
  "slurm-name": {
    costs: "nothing",
    title: "A pattern of slurm.accounts gives a name that no account can have",
    remedy:
      "Make slurm.accounts.match catch less: lower-case letters, digits, '_', '-' and '.', and never root.",
  },
  "slurm-not-ours": {
    costs: "nothing",
    title: "Somebody else made this in Slurm, and it is not as slurm says; it was left alone",
    remedy: "Set it right with sacctmgr, take the setting out of slurm, or list the account in slurm.adopt.",
  },
  "slurm-kept": {
    costs: "nothing",
    title: "Somebody who should leave an account of Slurm is still in it",
    remedy:
      "Wait for the jobs, or end them (scancel, slurm.cancelJobs); take away by sacctmgr what somebody else gave them. The next whole sync tries again.",
  },
  "slurm-unreadable": {
    costs: "nothing",
    title: "Slurm has a name with a '|' or a line break in it, so a row of it cannot be read",
    remedy: "Find the name with sacctmgr show assoc, and remove it: no tool can be sure of such a table.",
  },
  "slurm-forgotten": {
    costs: "nothing",
    title: "The list of what Rollcall made in Slurm is damaged",
    remedy:
      "List accounts that are Rollcall's own in slurm.adopt; remove by sacctmgr whoever should not be elsewhere.",
  },
} as const satisfies Record<string, ProblemKind>;

/** One of the closed list of codes. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Whose problem it is. `name` is what the IAM calls it, unchecked: print it through `quoted`. */
export interface Subject {
  readonly kind: "user" | "group" | "account" | "node";
  readonly id: string;
  readonly name?: string;
}

/** One thing that is wrong: whose, where, what, and why, in words an admin can act on. */
export interface Problem {
  readonly code: ProblemCode;
  readonly subject: Subject;
  readonly field: string;
  readonly reason: string;
}

/** True when the whole record is left out because of it. */
export function refusesRecord(problem: Problem): boolean {
  return PROBLEMS[problem.code].costs === "record";
}

/** The same by code, where a record with two reasons counts for both. */
export function countRefusedBy(problems: readonly Problem[]): Readonly<Record<string, number>> {
  const byCode = Map.groupBy(problems.filter(refusesRecord), ({ code }) => code);
  return Object.fromEntries([...byCode].map(([code, all]) => [code, countRefused(all)] as const));
}

/** How many records are left out: one with three faults counts once. */
export function countRefused(problems: readonly Problem[]): number {
  return new Set(problems.filter(refusesRecord).map(({ subject }) => `${subject.kind} ${subject.id}`)).size;
}
