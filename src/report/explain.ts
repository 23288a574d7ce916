/**
 * Why one person can or cannot log in on this node, link by link from the IAM to sshd.
 *
 * In: everything known of the person. Out: a finding for each link, in the order in which they depend on each other, and
 * the first that is broken. Pure: nothing is looked at here.
 */

import type { Finding } from "./link.ts";
import { acceptedLink, activeLink, iamLink, recordLink } from "./links-iam.ts";
import { keysLink, opensByItself, sudoLink } from "./links-keys.ts";
import { hasOpenAccount, homeLink, mapsLink, shellLink } from "./links-node.ts";
import { accessLink, groupsLink, uidLink } from "./links-rules.ts";
import { slurmLink } from "./links-slurm.ts";
import type { Person } from "./person.ts";
import { wayToSync } from "./way.ts";

/** The chain, first to last. A new link is a line here and a function of a person. */
const LINKS = [
  ["iam", iamLink],
  ["record", recordLink],
  ["active", activeLink],
  ["accepted", acceptedLink],
  ["uid", uidLink],
  ["groups", groupsLink],
  ["access", accessLink],
  ["shell", shellLink],
  ["maps", mapsLink],
  ["home", homeLink],
  ["keys", keysLink],
  ["slurm", slurmLink],
  ["sudo", sudoLink],
] as const satisfies readonly (readonly [name: string, look: (person: Person) => Finding])[];

/** What a link is called. */
export type LinkName = (typeof LINKS)[number][0];

/** One link of the chain, with its name. */
export interface Link extends Finding {
  readonly link: LinkName;
}

/** The whole chain of one person: what `explain --json` prints. */
export interface Explanation {
  readonly user: string;
  /** What sshd would do now. True beside a broken link where this node still has them from an earlier sync. */
  readonly canLogIn: boolean;
  readonly firstBroken: LinkName | null;
  /** What to do about somebody who can log in and should not: null for everybody else. */
  readonly wayOut: string | null;
  readonly links: readonly Link[];
}

/** Looks at every link, whatever the ones before came to. */
export function explainPerson(person: Person): Explanation {
  const links = LINKS.map(([link, look]) => ({ link, ...look(person) }));
  const broken = links.find(({ state }) => state === "no");
  const isLeft = broken !== undefined && isStillOpen(person);
  return {
    user: person.name,
    canLogIn: broken === undefined || isLeft,
    firstBroken: broken?.link ?? null,
    wayOut: isLeft ? wayToSync(person) : null,
    links,
  };
}

/** Whether they should be out by now, and are not. */
function isStillOpen(person: Person): boolean {
  const { served, node } = person;
  const isWanted = served?.active === true && served.keys.length > 0 && !node.shellFaults.has(served.shell);
  return !isWanted && hasOpenAccount(person) && opensByItself(person);
}
