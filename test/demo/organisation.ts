/**
 * A sample organisation: a dozen people, nested groups, somebody who left, and one hostile record.
 */

import type { Resource } from "../support/fake-iam.ts";
import { aGroup, aKey, aUser } from "../support/records.ts";

/** The people of the first day. */
export function people(): Resource[] {
  const ada = { value: "g-research" };
  return [
    person(1, "Ada Lovelace", [aKey(1, "ada@laptop"), aKey(2, "ada@workstation")]),
    person(2, "Grace Hopper", [`${aKey(3, "grace@navy")}\n${aKey(4, "grace@home")}`]),
    person(3, "Alan Turing", [aKey(5, "alan@bletchley")]),
    person(4, "Katherine Johnson", [{ value: aKey(6, "katherine@langley") }]),
    person(5, "Emmy Nœther", [aKey(7, "emmy@göttingen")]),
    person(6, "Edsger W. Dijkstra", [aKey(8, "edsger@pen-and-paper")]),
    person(7, "Barbara Liskov", [aKey(9, "barbara@mit"), aKey(9, "the same key again")]),
    person(8, "Dennis Ritchie", [aKey(10, "dennis@bell")]),
    person(9, "Margaret Hamilton", [aKey(11, "margaret@apollo")]),
    person(10, "Linus Torvalds", []),
    { ...person(11, "Claude Shannon", [aKey(12, "claude@bell")]), active: false },
    { ...person(12, "Donald Knuth", [aKey(13, "donald@tex")]), groups: [ada] },
    hostile(),
  ];
}

/** Groups, one inside the other. */
export function groups(): Resource[] {
  return [
    aGroup(1, ["u-1", "u-3", "u-5"], { id: "g-research", name: "research", gid: 9001 }),
    aGroup(2, ["u-2", "u-7", "u-9"], { id: "g-systems", name: "systems", gid: 9002 }),
    aGroup(3, ["g-research", "g-systems", "u-4"], { id: "g-cluster", name: "cluster-users", gid: 9000 }),
    aGroup(4, ["u-66"], { id: "g-sudo", name: "sudo", gid: 27 }),
  ];
}

/** Somebody new, for the second day. */
export function newcomer(): Resource {
  return person(13, "Radia Perlman", [aKey(14, "radia@bridge")]);
}

/** The login name is the first name, in lower case. */
function person(nth: number, displayName: string, keys: unknown): Resource {
  const name = displayName.split(" ")[0]?.toLowerCase();
  return aUser(nth, { name, uid: 7000 + nth, gecos: displayName, keys });
}

/** Wants to be root, in five ways at once. */
function hostile(): Resource {
  return aUser(66, {
    name: "mallory\nroot2:x:0:0::/root:/bin/bash",
    uid: 0,
    gid: 0,
    gecos: "Mallory\nroot3:x:0:0::/root:/bin/bash",
    home: "/root",
    keys: [`command="/bin/sh" ${aKey(66, "mallory")}`],
  });
}
