/**
 * Which keys a user of this node has now, wherever sshd learns them.
 */

import { isOurs, parseAuthorizedKeys } from "../formats/authorized-keys.ts";
import type { Observed, ObservedFile } from "../model/observed.ts";

/** The key lines of one user; none for somebody unknown. */
export type KeysHeld = (user: string) => readonly string[];

/** Out of the key files. */
export function heldInFiles({ keyFiles }: Observed): KeysHeld {
  return (user) => {
    const file = keyFiles.get(user);
    return file === undefined ? [] : parseAuthorizedKeys(textOf(file));
  };
}

/** Out of the map, and of those files that are left from before it was asked. */
export function heldBeside(inMap: KeysHeld, observed: Observed): KeysHeld {
  const inFiles = heldInFiles(observed);
  return (user) => {
    const file = observed.keyFiles.get(user);
    return file !== undefined && isOurs(textOf(file)) ? [...inFiles(user), ...inMap(user)] : inMap(user);
  };
}

/** A file as text. */
export function textOf({ bytes }: ObservedFile): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
