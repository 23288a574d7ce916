/**
 * Which keys a user of this node has now, wherever sshd learns them.
 */

import { isOurs, parseAuthorizedKeys } from "../formats/authorized-keys.ts";
import { keysInText, sshkeyTexts } from "../formats/sshkey.ts";
import { lazily } from "../model/lazily.ts";
import type { Observed, ObservedFile } from "../model/observed.ts";
import type { PlanSettings } from "./settings.ts";

/** The key lines of one user; none for somebody unknown. */
export type KeysHeld = (user: string) => readonly string[];

/** Out of the key files; or out of the sshkey map and those files that are left from before it was asked. */
export function keysHeld(observed: Observed, { files }: PlanSettings["keys"]): KeysHeld {
  // Most plans change nobody's keys.
  const texts = lazily(() => sshkeyTexts(observed.maps.sshkey.data?.bytes ?? new Uint8Array()));
  const inFiles: KeysHeld = (user) => {
    const file = observed.keyFiles.get(user);
    return file === undefined ? [] : parseAuthorizedKeys(textOf(file));
  };
  if (files) {
    return inFiles;
  }
  return (user) => {
    const inMap = keysInText(texts().get(user) ?? "");
    const file = observed.keyFiles.get(user);
    return file !== undefined && isOurs(textOf(file)) ? [...inFiles(user), ...inMap] : inMap;
  };
}

/** A file as text. */
export function textOf({ bytes }: ObservedFile): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
