/**
 * Whom the maps on disk name, as their readers see it; and somebody among them to ask the name service and sshd about.
 */

import type { Settings } from "../config/settings.ts";
import type { Fact } from "../doctor/finding.ts";
import type { Login } from "../doctor/ssh-patterns.ts";
import { type GroupRecord, parseGroup } from "../formats/group.ts";
import { type PasswdRecord, parsePasswd } from "../formats/passwd.ts";
import { parseShadow } from "../formats/shadow.ts";
import { errorCodeOf } from "../model/failure.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import { observeFile, underRoot } from "../platform/files.ts";
import { factOf, LOOK_MS } from "./doctor-look.ts";

/** What is on the maps. */
export interface MapsLook {
  /** Whoever may log in, first those whom no local account hides. */
  readonly logins: readonly (Login & PasswdRecord)[];
  /** Names and uids of the maps that a local account has too, in words. */
  readonly hidden: readonly string[];
}

/** Reads them. Whoever may not read the accounts takes everybody for open. */
export function lookAtMaps({ caches }: Settings, root: string): Promise<Fact<MapsLook>> {
  const directory = underRoot(root, caches.directory);
  const look = async (): Promise<MapsLook> => {
    const users = parsePasswd(await bytesOf(`${directory}/passwd.cache`));
    const groups = parseGroup(await bytesOf(`${directory}/group.cache`));
    const shadow = await bytesOf(`${directory}/shadow.cache`).catch(ignoreDenial);
    const closed = new Set(
      parseShadow(shadow)
        .filter(({ active }) => !active)
        .map(({ name }) => name),
    );
    const local = await observeLocalAccounts(root);
    const isHidden = ({ name, uid }: PasswdRecord) => local.userNames.has(name) || local.uids.has(uid);
    const open = users.filter(({ name }) => !closed.has(name));
    const memberships = membershipsIn(groups);
    const logins = open.map((user) => ({ ...user, groups: memberships(user) }));
    return {
      logins: [...logins.filter((user) => !isHidden(user)), ...logins.filter(isHidden)],
      hidden: users.filter(isHidden).map(({ name, uid }) => `${name} (uid ${uid})`),
    };
  };
  return factOf({ what: `reading the maps in ${directory}`, limitMs: LOOK_MS, look });
}

/** Every group is walked once, however many people there are. */
function membershipsIn(groups: readonly GroupRecord[]): (user: PasswdRecord) => string[] {
  const ofGid = new Map(groups.map(({ gid, name }) => [gid, name]));
  const ofMember = new Map<string, string[]>();
  for (const { name, members } of groups) {
    for (const member of members) {
      const theirs = ofMember.get(member) ?? [];
      theirs.push(name);
      ofMember.set(member, theirs);
    }
  }
  return ({ name, gid }) => [...new Set([ofGid.get(gid) ?? [], ofMember.get(name) ?? []].flat())];
}

async function bytesOf(path: string): Promise<Uint8Array> {
  return (await observeFile(path))?.bytes ?? new Uint8Array();
}

function ignoreDenial(error: unknown): Uint8Array {
  if (errorCodeOf(error) !== "EACCES") {
    throw error;
  }
  return new Uint8Array();
}
