/**
 * Builders of SCIM resources: valid unless a test says otherwise.
 */

import type { Resource } from "./fake-iam.ts";

/** The extension that the test configuration reads POSIX attributes from. */
export const POSIX = "urn:ietf:params:scim:schemas:extension:posix:2.0:User";

/** A real ed25519 public key whose 32 bytes are made from a number. */
export function aKey(seed: number, comment = ""): string {
  const type = Buffer.from("ssh-ed25519");
  const point = Buffer.alloc(32, 1);
  point.writeUInt32BE(seed, 0);
  const blob = Buffer.concat([lengthOf(type), type, lengthOf(point), point]).toString("base64");
  return `ssh-ed25519 ${blob}${comment === "" ? "" : ` ${comment}`}`;
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

export interface UserFields {
  readonly id?: string;
  readonly name?: unknown;
  readonly uid?: unknown;
  readonly gid?: unknown;
  readonly gecos?: unknown;
  readonly home?: unknown;
  readonly shell?: unknown;
  readonly keys?: unknown;
  readonly active?: unknown;
  readonly groups?: unknown;
}

/** The nth user: `user7`, uid 10007, a private group, one key. */
export function aUser(nth: number, fields: UserFields = {}): Resource {
  const name = fields.name ?? `user${nth}`;
  const uid = fields.uid ?? 10_000 + nth;
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", POSIX],
    id: fields.id ?? `u-${nth}`,
    userName: name,
    displayName: "gecos" in fields ? fields.gecos : `User Number ${nth}`,
    active: "active" in fields ? fields.active : true,
    ...("groups" in fields && { groups: fields.groups }),
    [POSIX]: {
      uidNumber: uid,
      gidNumber: fields.gid ?? uid,
      homeDirectory: fields.home,
      loginShell: fields.shell,
      sshKeys: "keys" in fields ? fields.keys : [aKey(nth, `user${nth}@laptop`)],
    },
  };
}

/** So many valid users, numbered from 1. */
export function someUsers(count: number): Resource[] {
  return Array.from({ length: count }, (_, index) => aUser(index + 1));
}

/** The nth group: `group7`, gid 50007. */
export function aGroup(
  nth: number,
  members: readonly unknown[] = [],
  fields: { name?: unknown; gid?: unknown; id?: string } = {},
): Resource {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    id: fields.id ?? `g-${nth}`,
    displayName: fields.name ?? `group${nth}`,
    [POSIX]: { gidNumber: fields.gid ?? 50_000 + nth },
    members: members.map((member) => (typeof member === "string" ? { value: member } : member)),
  };
}
