/**
 * The links that this node's own rules decide: name and uid by the ledger, groups, and who may log in here.
 */

import type { Holding } from "../model/ledger.ts";
import { quoted } from "../model/quoted.ts";
import { type Finding, no, notNeeded, yes } from "./link.ts";
import { withoutRecord } from "./links-iam.ts";
import type { Person } from "./person.ts";

/** Name and uid, and whose they are on this node. */
export function uidLink(person: Person): Finding {
  const { name, record, known, holders, places } = person;
  const where = places.attributes.uid;
  if (record === undefined) {
    return withoutRecord(person, where);
  }
  const others = [holders.name, holders.uid].filter(
    (holding) => holding?.id !== undefined && holding.id !== record.id,
  );
  if (known === undefined) {
    const holder = others[0];
    return holder === undefined
      ? notNeeded("the record is refused", where)
      : no(
          `kept on this node for ${describe(holder)}`,
          "ledger",
          'Do what "accepted" says: one name and one uid are for one person.',
        );
  }
  const since = holders.uid === undefined ? "new here" : `theirs since ${dayOf(holders.uid.firstSeen)}`;
  return yes(`${name}, uid ${known.uid}, gid ${known.gid}; ${since}`, where);
}

function describe({ id, name, number, lastSeen }: Holding): string {
  const gone = lastSeen === undefined ? "" : `, gone since ${dayOf(lastSeen)}`;
  return `${quoted(name)} (${number}, record ${quoted(id)}${gone})`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The groups they are in; none is no reason to stay out. */
export function groupsLink(person: Person): Finding {
  const { known, groups } = person;
  const where = "Group.members and User.groups";
  if (known === undefined) {
    return person.record === undefined
      ? withoutRecord(person, where)
      : notNeeded("the record is refused", where);
  }
  return known.active
    ? yes(groups.length === 0 ? "none" : groups.join(", "), where)
    : notNeeded("who is inactive is in none", where);
}

/** Whether the rules of access let them exist and log in here, and which of them does. */
export function accessLink(person: Person): Finding {
  const { known, served, access } = person;
  if (known === undefined || !known.active) {
    const why = known === undefined ? "the record is refused" : "not asked: inactive";
    return person.record === undefined ? withoutRecord(person, "access") : notNeeded(why, "access");
  }
  if (served === undefined) {
    const groups = listOf(access.visible === "all" ? [] : access.visible);
    return no(
      `does not exist here: in none of ${groups}`,
      "access.visible",
      `If they belong here, put them into one of ${groups} in the IAM, or a group of theirs into access.visible.${unknownIn(person)}`,
    );
  }
  return served.active
    ? yes("may log in here", ruleFor(person))
    : no(
        `may not log in here: ${rulesOf(person).join("; ")}`,
        "access.login",
        `If they may log in here, ${howToLetIn(person)}name them in access.login.users.${unknownIn(person)}`,
      );
}

function howToLetIn({ access: { loginGroups = [] } }: Person): string {
  return loginGroups.length === 0 ? "" : `put them into one of ${listOf(loginGroups)} in the IAM, or `;
}

/** The rule that lets them in. */
function ruleFor({ name, access }: Person): string {
  const { loginGroups, loginUsers, environmentUsers, memberOf } = access;
  if (loginGroups === undefined && loginUsers === undefined && environmentUsers === undefined) {
    return "no rule in access.login: everybody";
  }
  const group = loginGroups?.find((one) => memberOf.includes(one));
  if (group !== undefined) {
    return `access.login.groups: ${group}`;
  }
  return loginUsers?.includes(name) === true ? "access.login.users" : "$ROLLCALL_LOGIN_USERS";
}

function rulesOf({ access: { loginGroups, loginUsers, environmentUsers } }: Person): string[] {
  return [
    ...(loginGroups === undefined ? [] : [`in none of ${listOf(loginGroups)}`]),
    ...(loginUsers === undefined ? [] : [`not named in access.login.users (${listOf(loginUsers)})`]),
    ...(environmentUsers === undefined
      ? []
      : [`not named in $ROLLCALL_LOGIN_USERS (${listOf(environmentUsers)})`]),
  ];
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? "an empty list" : names.map(quoted).join(", ");
}

/** A rule with a typing mistake is often all that is wrong. */
function unknownIn({ access }: Person): string {
  return access.unknown.map((one) => ` ${one}.`).join("");
}
