/**
 * Who has which home, and which group which id on this node, as the cache maps on disk say.
 */

import { parseGroup } from "../formats/group.ts";
import { parsePasswd } from "../formats/passwd.ts";
import type { Holders } from "../model/observed.ts";
import { observeFile } from "../platform/files.ts";

/** Reads the maps in one directory; where there are none, nobody holds anything. */
export async function observeHolders(directory: string): Promise<Holders> {
  const passwd = await observeFile(`${directory}/passwd.cache`);
  const group = await observeFile(`${directory}/group.cache`);
  const users = parsePasswd(passwd?.bytes ?? NOTHING);
  return {
    homes: new Map(users.map(({ name, home }) => [name, home])),
    gids: new Map(parseGroup(group?.bytes ?? NOTHING).map(({ name, gid }) => [name, gid])),
  };
}

const NOTHING = new Uint8Array();
