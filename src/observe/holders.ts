/**
 * Who has which home on this node, as the cache maps on disk say.
 */

import type { PasswdRecord } from "../formats/passwd.ts";
import type { Holders } from "../model/observed.ts";

/** From the records of the passwd map; where there are none, nobody holds anything. */
export function holdersIn(users: readonly PasswdRecord[]): Holders {
  const homes = new Map<string, string>();
  for (const { name, home } of users) {
    homes.set(name, home);
  }
  return { homes };
}
