/**
 * The accounts of the node itself: passwd(5), group(5) and shells(5) in /etc.
 *
 * Without them Rollcall could not tell whose names are local, so a missing passwd or group file is a failure.
 */

import { parseGroup } from "../formats/group.ts";
import { parsePasswd } from "../formats/passwd.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { LocalAccounts } from "../model/observed.ts";
import { readText, underRoot } from "../platform/files.ts";

/** Reads them under `root`. */
export async function observeLocalAccounts(root: string): Promise<LocalAccounts> {
  const users = parsePasswd(await readAccounts(underRoot(root, "/etc/passwd")));
  const groups = parseGroup(await readAccounts(underRoot(root, "/etc/group")));
  const shells = await readText(underRoot(root, "/etc/shells")).catch(() => ({ text: "" }));
  return {
    userNames: new Set(users.map((user) => user.name)),
    uids: new Set(users.map((user) => user.uid)),
    groupNames: new Set(groups.map((group) => group.name)),
    gids: new Set([...groups.map((group) => group.gid), ...users.map((user) => user.gid)]),
    shells: new Set(shells.text.split("\n").filter((line) => line.startsWith("/"))),
    shadowGid: groups.find((group) => group.name === "shadow")?.gid ?? 0,
  };
}

async function readAccounts(path: string): Promise<Uint8Array> {
  try {
    return Buffer.from((await readText(path)).text);
  } catch (error) {
    const message = `Reading the local accounts in ${path} failed: ${messageOf(error)}. Without them it is not known which names and ids are taken.`;
    throw new Failure("node-unreadable", message, { cause: error });
  }
}
