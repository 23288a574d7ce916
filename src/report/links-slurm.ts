/**
 * What comes after the login: the accounts of Slurm, without which somebody can look and cannot submit a job.
 */

import { PROBLEMS } from "../model/problem.ts";
import type { SlurmUser } from "../model/slurm.ts";
import { diffLineOf } from "./diff.ts";
import { type Finding, notNeeded, warning, yes } from "./link.ts";
import type { Person } from "./person.ts";
import { wayToSync } from "./way.ts";

const SOURCE = "slurm.accounts";

/** Whether they can submit jobs. A login never waits for it. */
export function slurmLink(person: Person): Finding {
  const { slurm, served, isLocal } = person;
  if (slurm === undefined || isLocal) {
    return notNeeded("this node does not keep their accounts of Slurm", "slurm.enabled");
  }
  if (slurm === "other-root") {
    return notNeeded("not looked at below another root", "--root");
  }
  const { failure, user, changes, problems } = slurm;
  const now = describeAccounts(user);
  if (failure !== undefined && user === undefined) {
    return warning(
      `unknown: ${failure.message} [${failure.code}]`,
      SOURCE,
      "A login does not wait for Slurm.",
    );
  }
  if (problems.length > 0) {
    const reasons = problems.map(({ reason, code }) => `${reason} [${code}]`);
    const remedies = new Set(problems.map(({ code }) => PROBLEMS[code].remedy));
    return warning([now, ...reasons].join("; "), SOURCE, [...remedies].join(" "));
  }
  if (changes.length > 0) {
    const lines = changes.map(diffLineOf).map(({ sign, detail }) => `${sign} ${detail}`);
    return warning(
      `${now}; to be changed: ${lines.join(", ")}`,
      SOURCE,
      failure?.message ?? wayToSync(person),
    );
  }
  return served?.active === true ? whetherIn(user) : notNeeded(now, SOURCE);
}

function whetherIn(user: SlurmUser | undefined): Finding {
  return user === undefined || user.accounts.size === 0
    ? warning(
        "in no account, so Slurm refuses their jobs",
        SOURCE,
        "Put them into a group that slurm.accounts names, or add a rule with everybody.",
      )
    : yes(describeAccounts(user), SOURCE);
}

function describeAccounts(user: SlurmUser | undefined): string {
  if (user === undefined || user.accounts.size === 0) {
    return "in no account";
  }
  const accounts = [...user.accounts].map((name) =>
    name === user.defaultAccount ? `${name} (default)` : name,
  );
  const level = user.adminLevel === "None" ? "" : `; AdminLevel ${user.adminLevel}`;
  return `in ${accounts.join(", ")}${level}`;
}
