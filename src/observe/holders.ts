/**
 * Who has which home on this node, as the cache maps on disk say.
 */

import { parsePasswd } from "../formats/passwd.ts";
import type { Holders } from "../model/observed.ts";
import { observeFile } from "../platform/files.ts";

/** Reads the maps in one directory; where there are none, nobody holds anything. */
export async function observeHolders(directory: string): Promise<Holders> {
  const passwd = await observeFile(`${directory}/passwd.cache`);
  const users = parsePasswd(passwd?.bytes ?? NOTHING);
  return {
    homes: new Map(users.map(({ name, home }) => [name, home])),
  };
}

const NOTHING = new Uint8Array();
