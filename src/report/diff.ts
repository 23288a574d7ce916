/**
 * A plan as a diff that an admin can read: one line for each thing that would be different.
 *
 * In: changes of a record, where a key is its fingerprint. Out: lines of text without colour. Every value that came from outside is quoted or escaped.
 */

import type { Change } from "../model/plan.ts";
import { quoted } from "../model/quoted.ts";
import type { SlurmAccountSettings } from "../model/slurm.ts";

/** One line of a diff: `+` given, `-` taken, `~` changed. */
export interface DiffLine {
  readonly sign: "+" | "-" | "~";
  readonly what: string;
  readonly name: string;
  readonly detail: string;
}

/** How a line is shown on a terminal. */
export const SIGN_COLOURS = {
  "+": "green",
  "-": "red",
  "~": "yellow",
} as const satisfies Record<DiffLine["sign"], string>;

/** How each change is marked. */
export const SIGNS: Readonly<Record<Change["event"], DiffLine["sign"]>> = {
  "user-added": "+",
  "user-removed": "-",
  "user-deactivated": "-",
  "user-reactivated": "+",
  "user-changed": "~",
  "group-added": "+",
  "group-removed": "-",
  "group-changed": "~",
  "member-added": "+",
  "member-removed": "-",
  "key-granted": "+",
  "key-revoked": "-",
  "key-relabelled": "~",
  "sessions-ended": "-",
  "sudo-granted": "+",
  "sudo-revoked": "-",
  "slurm-account-added": "+",
  "slurm-account-removed": "-",
  "slurm-account-changed": "~",
  "slurm-user-added": "+",
  "slurm-user-removed": "-",
  "slurm-default-changed": "~",
  "slurm-level-changed": "~",
  "slurm-job-cancelled": "-",
  "home-created": "+",
  "leftover-removed": "-",
  "file-repaired": "~",
};

/** The line of one change. */
export function diffLineOf(change: Change): DiffLine {
  const [what, name, detail] = wordsOf(change);
  return { sign: SIGNS[change.event], what, name: printable(name), detail };
}

// oxlint-disable-next-line max-lines-per-function -- a flat table: one case for each event
function wordsOf(change: Change): [what: string, name: string, detail: string] {
  switch (change.event) {
    case "user-added":
      return [
        "user",
        change.user,
        `uid ${change.uid}, home ${change.home}${change.active ? "" : `, ${reasonOf(change)}`}`,
      ];
    case "user-removed":
      return ["user", change.user, `uid ${change.uid}`];
    case "user-deactivated":
      return ["login", change.user, `${reasonOf(change)}: keeps the name, loses login and keys`];
    case "user-reactivated":
      return ["login", change.user, "may log in again"];
    case "user-changed":
      return ["user", change.user, `${change.field} ${quoted(change.before)} → ${quoted(change.after)}`];
    case "group-added":
    case "group-removed":
      return ["group", change.group, `gid ${change.gid}`];
    case "group-changed":
      return ["group", change.group, `${change.field} ${quoted(change.before)} → ${quoted(change.after)}`];
    case "member-added":
    case "member-removed":
      return ["member", change.user, `in ${printable(change.group)}`];
    case "key-granted":
      return ["key", change.user, change.key];
    case "key-revoked":
      return ["key", change.user, change.key];
    case "key-relabelled":
      return ["key", change.user, change.key];
    case "sessions-ended":
      return ["sessions", change.user, `of uid ${change.uid}`];
    case "sudo-granted":
    case "sudo-revoked":
      return ["sudo", change.rule, ""];
    case "slurm-account-added":
      return ["account", change.account, ["in Slurm", ...settingsOf(change.settings)].join(", ")];
    case "slurm-account-removed":
      return ["account", change.account, "in Slurm"];
    case "slurm-account-changed":
      return [
        "account",
        change.account,
        `${change.field} ${quoted(change.before)} → ${quoted(change.after)}`,
      ];
    case "slurm-user-added":
    case "slurm-user-removed":
      return ["slurm", change.user, `in ${printable(change.account)}`];
    case "slurm-default-changed":
      return ["slurm", change.user, `default account ${quoted(change.before)} → ${quoted(change.after)}`];
    case "slurm-level-changed":
      return ["slurm", change.user, `AdminLevel ${change.before} → ${change.after}`];
    case "slurm-job-cancelled":
      return ["job", change.job, `of ${printable(change.user)} in ${printable(change.account)}`];
    case "home-created":
      return ["home", change.user, change.path];
    case "leftover-removed":
      return ["leftover", change.path, "half-made by a sync that was killed"];
    case "file-repaired":
      return ["file", change.file, change.reason];
  }
}

function settingsOf({ parent, fairshare, qos, defaultQos }: SlurmAccountSettings): string[] {
  return [
    ...(parent === undefined ? [] : [`below ${printable(parent)}`]),
    ...(fairshare === undefined ? [] : [`fairshare ${fairshare}`]),
    ...(qos === undefined ? [] : [`qos ${qos.join(" ")}`]),
    ...(defaultQos === undefined ? [] : [`defaultQos ${defaultQos}`]),
  ];
}

/** Names read from disk are usually plain; whatever is not is quoted. */
function printable(name: string): string {
  return /^[\w./@-]+$/.test(name) ? name : quoted(name);
}

/** Who keeps them out. */
function reasonOf({ byRule }: { readonly byRule: boolean }): string {
  return byRule ? "not let in by access.login" : "inactive in the IAM";
}
