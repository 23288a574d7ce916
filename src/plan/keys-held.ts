/**
 * Which keys a user of this node has now, wherever sshd learns them.
 */

import { isOurs, parseAuthorizedKeys } from "../formats/authorized-keys.ts";
import { keysInText, sshkeyTexts } from "../formats/sshkey.ts";
import type { Observed, ObservedFile } from "../model/observed.ts";
import type { PlanSettings } from "./settings.ts";

/** The key lines of one user; none for somebody unknown. */
export type KeysHeld = (user: string) => readonly string[];

/** By name: what the sshkey map on disk has for the keys, unread. Read at the first call: most plans change nobody's keys. */
function mapTexts({ maps }: Observed): () => ReadonlyMap<string, string> {
  let texts: ReadonlyMap<string, string> | undefined;
  return () => {
    texts ??= sshkeyTexts(maps.sshkey.data?.bytes ?? new Uint8Array());
    return texts;
  };
}

/** Out of the key files; or out of the sshkey map and those files that are left from before it was asked. */
export function keysHeld(observed: Observed, { files }: PlanSettings["keys"]): KeysHeld {
  const texts = mapTexts(observed);
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
