/**
 * The last links before sshd lets somebody in: their keys, as the IAM has them and as they lie on this node; and sudo,
 * which nobody needs to log in.
 */

import { grantOf } from "../model/key-line.ts";
import { PROBLEMS, type Problem } from "../model/problem.ts";
import { describeKey } from "./fingerprint.ts";
import { type Finding, no, notNeeded, warning, yes } from "./link.ts";
import { reasonsOf, remediesOf } from "./links-iam.ts";
import type { KeyFile, Person } from "./person.ts";
import { wayToSync } from "./way.ts";

/** Whether sshd finds a key of theirs. */
export function keysLink(person: Person): Finding {
  const { iam, served, isLocal, places } = person;
  if (isLocal) {
    return notNeeded("those of a local account are the admin's", places.keyFile);
  }
  if (iam.source === undefined) {
    return opensByItself(person)
      ? yes(describeKeys(person.node.keyFile?.keys ?? []), places.keyFile)
      : no("no key that sshd would take", places.keyFile, "It is put right once the IAM answers.");
  }
  if (served === undefined || !served.active) {
    return leftKeys(person);
  }
  if (served.keys.length === 0) {
    return noKey(person);
  }
  const fault = faultOnDisk(served.keys, person);
  if (fault !== undefined) {
    return no(`${describeKeys(served.keys)}; ${fault}`, places.keyFile, wayToSync(person));
  }
  const oddities = odditiesOf(served.keys, person);
  const refused = refusedKeys(person);
  const value = [describeKeys(served.keys), ...oddities, ...(refused.length > 0 ? [reasonsOf(refused)] : [])];
  const remedy = [
    ...(oddities.length > 0 ? [wayToSync(person)] : []),
    ...(refused.length > 0 ? [remediesOf(refused, person)] : []),
  ];
  return remedy.length === 0
    ? yes(value.join("; "), places.keyFile)
    : warning(value.join("; "), places.keyFile, remedy.join(" "));
}

/** Whether the file on disk alone lets somebody in who has an account. */
export function opensByItself(person: Person): boolean {
  const { keyFile, passwd } = person.node;
  return (
    keyFile !== undefined &&
    passwd !== undefined &&
    keyFile.keys.length > 0 &&
    sshdFault(keyFile, passwd, person) === undefined
  );
}

/** What lies there for somebody who should have none. */
function leftKeys(person: Person): Finding {
  const { node, places, served } = person;
  const { keyFile } = node;
  if (keyFile === undefined) {
    return notNeeded("none, as it should be", places.keyFile);
  }
  return keyFile.isOurs || served !== undefined
    ? warning(`still there: ${describeKeys(keyFile.keys)}`, places.keyFile, wayToSync(person))
    : warning(
        "a key file that Rollcall did not write [key-file-foreign]",
        places.keyFile,
        PROBLEMS["key-file-foreign"].remedy,
      );
}

function noKey(person: Person): Finding {
  const { iam, places } = person;
  const where = places.attributes.keys ?? "attributes.user.keys";
  if (iam.source === "locked") {
    return no("none: stale.lockAfter has taken every key away", "stale.lockAfter", "Bring the IAM back.");
  }
  if (places.attributes.keys === undefined) {
    return no("none: attributes.user.keys is not set, so nobody has one", where, "Name the attribute there.");
  }
  const refused = refusedKeys(person);
  return refused.length > 0
    ? no(`none that is accepted; ${reasonsOf(refused)}`, where, remediesOf(refused, person))
    : no("none in the IAM", where, "Ask the user to add an ed25519 key in the IAM (ssh-keygen -t ed25519).");
}

function refusedKeys({ problems }: Person): readonly Problem[] {
  return problems.filter(({ field, code }) => field === "keys" && code !== "key-duplicate");
}

/** Why sshd takes none of these keys; undefined when it takes one at least. */
function faultOnDisk(keys: readonly string[], person: Person): string | undefined {
  const { keyFile } = person.node;
  const { keysIn } = person.places;
  if (keyFile === undefined) {
    return keysIn === "the key file" ? `${keysIn} is not there` : `${keysIn} has no key of theirs`;
  }
  const fault = person.served && sshdFault(keyFile, person.served, person);
  if (fault !== undefined) {
    return `sshd takes no key from ${keysIn}: ${fault}`;
  }
  const there = new Set(keyFile.keys.map(grantOf));
  const author = keyFile.isOurs ? keysIn : "the key file, which Rollcall did not write,";
  const others = there.size === 0 ? "" : `, but ${there.size} that should not be`;
  return keys.some((key) => there.has(grantOf(key))) ? undefined : `${author} has none of them${others}`;
}

/** What is wrong with a file that opens all the same. */
function odditiesOf(keys: readonly string[], { node, places: { keysIn } }: Person): string[] {
  const there = new Set(node.keyFile?.keys.map(grantOf));
  const wanted = new Set(keys.map(grantOf));
  const missing = wanted.difference(there).size;
  const extra = there.difference(wanted).size;
  return [
    ...(missing > 0 ? [`${missing} of them not in ${keysIn} yet`] : []),
    ...(extra > 0 ? [`${extra} in ${keysIn} that should not be`] : []),
    ...(node.keyFile?.isOurs === false ? ["Rollcall did not write the key file"] : []),
  ];
}

/** StrictModes of sshd_config(5), and that sshd opens the file as the user; the map is root's, and read by nobody. */
function sshdFault(
  { mode, uid, gid }: KeyFile,
  user: { readonly uid: number; readonly gid: number },
  { node, places }: Person,
): string | undefined {
  if ((mode & 0o022) !== 0) {
    return "others can write to it";
  }
  if (!node.ownsFiles) {
    return undefined;
  }
  const isMap = places.keysIn === "the sshkey map";
  if (uid !== 0 && (isMap || uid !== user.uid)) {
    return `it belongs to uid ${uid}`;
  }
  if (isMap) {
    return (mode & 0o004) === 0 ? "others cannot read it" : undefined;
  }
  const bit = uid === user.uid ? 0o400 : gid === user.gid ? 0o040 : 0o004;
  return (mode & bit) === 0 ? "the user cannot read it" : undefined;
}

const SHOWN = 8;

/** How many, and their fingerprints. */
function describeKeys(keys: readonly string[]): string {
  const shown = keys.slice(0, SHOWN).map(describeKey).join(", ");
  const more = keys.length > SHOWN ? ` and ${keys.length - SHOWN} more` : "";
  return `${keys.length} key${keys.length === 1 ? "" : "s"}${keys.length === 0 ? "" : `: ${shown}${more}`}`;
}

/** The rules of sudo for their groups. */
export function sudoLink(person: Person): Finding {
  const { served, sudo, places } = person;
  if (served === undefined || !served.active || sudo.lines.length === 0) {
    return notNeeded("no rule for a group of theirs", "sudo.groups");
  }
  const value = sudo.lines.join("; ");
  if (sudo.missing.length > 0) {
    return warning(`${value}; not in the drop-in yet`, places.sudoFile, wayToSync(person));
  }
  return sudo.isPending
    ? warning(`${value}; the drop-in is not as it should be`, places.sudoFile, wayToSync(person))
    : yes(value, places.sudoFile);
}
