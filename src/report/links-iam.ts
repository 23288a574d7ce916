/**
 * The links at the IAM's end: whether it answers, whether it has the person, and whether the record is one to serve.
 */

import { PROBLEMS, type Problem, refusesRecord } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { type Finding, no, notNeeded, warning, yes } from "./link.ts";
import type { Person } from "./person.ts";
import { wayToSync } from "./way.ts";
import { ago } from "./words.ts";

/** Whether the IAM answers; if not, whose word is used in its place. */
export function iamLink({ iam, node, places }: Person): Finding {
  const { failure, source, ageMs, records } = iam;
  if (failure === undefined) {
    return yes(`answers, with ${records} records of users`, places.iam);
  }
  const silence = `gives no answer that can be used [${failure.code}]`;
  const age = ageMs === undefined ? "some time" : ago(ageMs / 1000);
  if (source === "locked") {
    const value = `${silence}, for longer than stale.lockAfter, so nobody has a key`;
    return no(value, places.iam, failure.message);
  }
  if (source !== undefined) {
    return warning(`${silence}; what it said ${age} ago is used in its place`, places.iam, failure.message);
  }
  const value = `${silence}, and nothing is remembered of it`;
  return node.servesSomebody
    ? warning(`${value}; only what lies on this node is known`, places.iam, failure.message)
    : no(`${value}; nobody is in place either`, places.iam, failure.message);
}

/** Whether the IAM has a record of that name. */
export function recordLink(person: Person): Finding {
  const { isLocal, iam, search, record, name, places } = person;
  const where = places.attributes.name;
  if (isLocal) {
    const also = record === undefined ? "" : " The record of the IAM is refused: rename one of the two.";
    return no(
      "a local account of this node; local accounts are never Rollcall's",
      "/etc/passwd",
      `Whether they get in is up to /etc/passwd, /etc/shadow and their own keys.${also}`,
    );
  }
  if (iam.source === undefined) {
    return notNeeded(UNKNOWN, where);
  }
  if (record === undefined) {
    return no(absence(person), where, whereTheyMayBe(person));
  }
  const renamed = record.name === name ? "" : `, called ${quoted(record.name)} in the IAM`;
  if (search.ids.length > 1) {
    const value = `${search.ids.length} records: ${search.ids.map(quoted).join(", ")}; the first counts`;
    return warning(`${value}${renamed}`, where, "Give each record its own name in the IAM.");
  }
  return yes(`record ${quoted(record.id)}${renamed}`, where);
}

const UNKNOWN = "not known without the IAM";

function absence({ iam, search, node }: Person): string {
  const renamed =
    search.renamedTo === undefined
      ? ""
      : `; the record that had it is called ${quoted(search.renamedTo)} now`;
  const left = node.passwd === undefined ? "" : "; this node has them from an earlier sync";
  return `none of ${iam.records} records has this name${renamed}${left}`;
}

function whereTheyMayBe(person: Person): string {
  const { iam, search, node, places } = person;
  const meant = search.renamedTo ?? search.nearest;
  return [
    ...(meant === undefined ? [] : [`Did you mean ${quoted(meant)}?`]),
    ...(search.query === ""
      ? []
      : [`The query of iam.users.query (${quoted(search.query)}) may leave them out.`]),
    ...(search.nameless === 0
      ? []
      : [`${search.nameless} records have no name at ${places.attributes.name}; one of them may be theirs.`]),
    ...(iam.failure === undefined ? [] : ["Who is new is seen when the IAM answers again."]),
    node.passwd === undefined
      ? "If they are nowhere in the IAM, add them there."
      : `If they have left, only a sync is missing. ${wayToSync(person)}`,
  ].join(" ");
}

/** What the links after a record that is not there say. */
export function withoutRecord({ iam }: Person, source: string): Finding {
  return notNeeded(iam.source === undefined ? UNKNOWN : "no record", source);
}

const ACTIVE = "the attribute active";

/** Whether the IAM lets them in anywhere. */
export function activeLink(person: Person): Finding {
  const { record } = person;
  if (record === undefined) {
    return withoutRecord(person, ACTIVE);
  }
  const { active } = record;
  if (active === true || active === undefined || active === null) {
    return yes(active === true ? "active" : "active: the IAM does not say otherwise", ACTIVE);
  }
  return active === false
    ? no("inactive in the IAM", ACTIVE, "Activate them in the IAM, if they may log in.")
    : no(`${quoted(active)} is neither true nor false`, ACTIVE, PROBLEMS["active-invalid"].remedy);
}

const CHECKS = "the checks of this node";

/** Whether this node takes the record, and what it had to mend. */
export function acceptedLink(person: Person): Finding {
  const { record, known, problems } = person;
  if (record === undefined) {
    return withoutRecord(person, CHECKS);
  }
  if (known === undefined) {
    const refusals = problems.filter(refusesRecord);
    return no(`refused: ${reasonsOf(refusals)}`, CHECKS, remediesOf(refusals, person));
  }
  const mended = problems.filter((problem) => !hasLinkOfItsOwn(problem));
  return mended.length === 0
    ? yes("taken as it is", CHECKS)
    : warning(`taken, but ${reasonsOf(mended)}`, CHECKS, remediesOf(mended, person));
}

/** Their keys, shell, activity, and what stands where their home should be. */
function hasLinkOfItsOwn({ code, field }: Problem): boolean {
  return /^home-(?:owner|blocked|parent)$/.test(code) || ["keys", "shell", "active"].includes(field);
}

/** Each with its field and its code. */
export function reasonsOf(problems: readonly Problem[]): string {
  return problems.map(({ field, reason, code }) => `${field}: ${reason} [${code}]`).join("; ");
}

/** What to do, each once, with the name to accept where a person can decide. */
export function remediesOf(problems: readonly Problem[], { record }: Pick<Person, "record">): string {
  const remedies = new Set(problems.map(({ code }): string => PROBLEMS[code].remedy));
  const text = [...remedies].join(" ");
  return record?.isAcceptable === true
    ? text.replaceAll(/rollcall accept (?:NAME|USER)/g, `rollcall accept ${record.name}`)
    : text;
}
