/**
 * `rollcall keys USER`: the keys of one user, as AuthorizedKeysCommand in sshd_config(5) wants them.
 */

import { type KeysSlice, loadKeysSlice } from "../config/keys-slice.ts";
import { keysOf } from "../daemon/keys-of.ts";
import { quoted } from "../model/quoted.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/**
 * Prints one key a line. A user without keys is no failure: sshd would log one for every local user. On a
 * terminal it says why there is nothing to see.
 */
export async function keys(context: Context, options: CommonOptions, user: string): Promise<number> {
  const places = await placesOf(configPath(options));
  const lines = await keysOf(options.root, places, user);
  if (options.json === true) {
    context.out(toJson({ user, keys: lines }));
  } else {
    lines.forEach((line) => context.out(line));
  }
  if (lines.length === 0 && context.redraw !== undefined) {
    const { keys: slice, caches } = places;
    const place = slice.files ? slice.directory : `${caches.directory}/sshkey.cache`;
    context.err(
      `No keys for ${quoted(user)} in ${place}: not served on this node, inactive in the IAM, not let in by access.login, or without a key that is accepted.`,
    );
  }
  return EXIT.ok;
}

/** Most files are plainly right; for any other the whole schema says what is wrong, or that nothing is. */
async function placesOf(path: string): Promise<KeysSlice> {
  return (await loadKeysSlice(path)) ?? (await (await import("../config/load.ts")).loadConfig(path));
}
