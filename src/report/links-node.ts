/**
 * The links on this node: shell, maps and home.
 *
 * What breaks a login and what does not is as sshd has it: a shell that is closed or missing, an account that is absent
 * or expired, and a home that never answers. A home that is missing, or somebody else's, it only mentions.
 */

import type { User } from "../model/directory.ts";
import { quoted } from "../model/quoted.ts";
import { type Finding, no, notNeeded, warning, yes } from "./link.ts";
import { reasonsOf, remediesOf } from "./links-iam.ts";
import type { OnNode, Person } from "./person.ts";
import { wayToSync } from "./way.ts";

/** Whether the shell lets anybody in. */
export function shellLink(person: Person): Finding {
  const { iam, served, node, places } = person;
  const shell =
    iam.source === undefined ? node.passwd?.shell : served?.active === true ? served.shell : undefined;
  if (shell === undefined) {
    return notNeeded("may not log in", "shell");
  }
  const { source, remedy } = originOf(person);
  const fault = node.shellFaults.get(shell);
  if (fault !== undefined) {
    return no(`${shell} ${fault}`, source, remedy);
  }
  const replaced = person.problems.filter(({ field }) => field === "shell");
  return replaced.length === 0
    ? yes(shell, source)
    : warning(`${shell}: ${reasonsOf(replaced)}`, places.defaultShell, remediesOf(replaced, person));
}

function originOf({ iam, record, problems, places }: Person): { source: string; remedy: string } {
  if (iam.source === undefined) {
    return { source: `${places.caches}/passwd.cache`, remedy: "It is put right once the IAM answers." };
  }
  const isRefused = problems.some(({ field }) => field === "shell");
  return record?.hasShell === true && !isRefused
    ? {
        source: places.attributes.shell ?? "shell",
        remedy: "Give them a shell in the IAM that lets them in and is installed on this node.",
      }
    : {
        source: "shells.default",
        remedy: "Name a shell in shells.default that lets people in and is installed.",
      };
}

/** Whether the maps have them exactly as they should be. */
export function mapsLink(person: Person): Finding {
  const { iam, served, node, places } = person;
  const where = `${places.caches}/{passwd,shadow,group}.cache`;
  const account =
    node.passwd === undefined ? "" : `uid ${node.passwd.uid}${node.isOpen === true ? "" : ", expired"}`;
  if (iam.source === undefined) {
    return mapsAlone(person, where, account);
  }
  if (served === undefined) {
    return account === ""
      ? notNeeded("not there, as it should be", where)
      : warning(`still there (${account}), and should not be`, where, wayToSync(person));
  }
  const differences = differencesOf(served, person);
  const what = differences.map(({ text }) => text).join("; ");
  if (differences.length === 0) {
    const others = node.outdated.length === 0 ? "" : `; of others, ${mapFiles(node)} will change`;
    return yes(`as it should be${served.active ? "" : ": the name alone"}${others}`, where);
  }
  return served.active && differences.some(({ breaks }) => breaks)
    ? no(what, where, `${wayToSync(person)}${ruleElsewhere(person)}`)
    : warning(what, where, wayToSync(person));
}

/** A daemon may have been started with a rule that nobody sees from here. */
function ruleElsewhere({ access, node }: Person): string {
  return access.environmentUsers === undefined && node.isOpen === false
    ? " Or the daemon goes by a $ROLLCALL_LOGIN_USERS that is not set here."
    : "";
}

/** Without the IAM, what is there is all that counts. */
function mapsAlone(person: Person, where: string, account: string): Finding {
  return account === "" || person.node.isOpen !== true
    ? no(account === "" ? "not there" : account, where, "It is put right once the IAM answers.")
    : yes(`there (${account}); nobody can tell whether as it should be`, where);
}

function mapFiles({ outdated }: OnNode): string {
  return outdated.map((map) => `${map}.cache`).join(", ");
}

interface MapDifference {
  readonly text: string;
  /** Whether somebody who may log in cannot, or not as themselves. */
  readonly breaks: boolean;
}

function differencesOf(served: User, { node, groups }: Person): MapDifference[] {
  const { passwd, isOpen } = node;
  if (passwd === undefined) {
    return [{ text: "passwd.cache does not have them", breaks: true }];
  }
  const fields = (["uid", "gid", "gecos", "home", "shell"] as const)
    .filter((field) => String(passwd[field]) !== String(served[field]))
    .map((field) => ({
      text: `passwd.cache has ${field} ${quoted(passwd[field])}, not ${quoted(served[field])}`,
      breaks: field === "uid" || (field === "shell" && node.shellFaults.has(passwd.shell)),
    }));
  return [...fields, ...shadowDifference(served, isOpen), ...groupDifferences(groups, node)];
}

function shadowDifference({ active }: User, isOpen: boolean | undefined): MapDifference[] {
  if (isOpen === active) {
    return [];
  }
  const how =
    isOpen === undefined
      ? "does not have them, which UsePAM wants"
      : isOpen
        ? "still lets them in"
        : "has them expired";
  return [{ text: `shadow.cache ${how}`, breaks: true }];
}

function groupDifferences(groups: readonly string[], node: OnNode): MapDifference[] {
  const lacking = groups.filter((group) => !node.groups.includes(group));
  const extra = node.groups.filter((group) => !groups.includes(group));
  return [
    ...(lacking.length === 0
      ? []
      : [{ text: `group.cache lacks them in ${lacking.join(", ")}`, breaks: false }]),
    ...(extra.length === 0
      ? []
      : [{ text: `group.cache still has them in ${extra.join(", ")}`, breaks: false }]),
  ];
}

/** Whether a home is there and theirs. sshd starts in `/` where it is not. */
export function homeLink(person: Person): Finding {
  const { iam, served, node, places, problems } = person;
  const { home } = node;
  if (served === undefined || !served.active || home === undefined) {
    return notNeeded(iam.source === undefined ? "not known without the IAM" : "may not log in", "home");
  }
  const path = served.home;
  const trouble = problems.filter(({ code }) => /^home-(?:owner|blocked|parent)$/.test(code));
  const remedy = remediesOf(trouble, person);
  if (home.kind === "unreachable" && home.hangs) {
    return no(`${home.reason}: a login waits there`, path, "Bring the file server back, or mount it anew.");
  }
  if (trouble.length > 0) {
    return warning(reasonsOf(trouble), path, remedy);
  }
  if (home.kind === "absent") {
    return places.makesHomes
      ? warning("not there yet; a sync makes it", path, wayToSync(person))
      : warning(
          "not there, and homes.create is off: a login starts in /",
          path,
          `Make it and give it to ${served.uid}:${served.gid}, or set homes.create.`,
        );
  }
  return yes(node.ownsFiles ? "there, and theirs" : "there", path);
}

/** Whether the maps alone have an open account for them. */
export function hasOpenAccount({ isLocal, node }: Person): boolean {
  const { passwd, isOpen, shellFaults, home } = node;
  const isHanging = home?.kind === "unreachable" && home.hangs;
  return !isLocal && passwd !== undefined && isOpen === true && !shellFaults.has(passwd.shell) && !isHanging;
}
