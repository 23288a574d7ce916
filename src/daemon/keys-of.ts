/**
 * The keys of one user, for sshd's AuthorizedKeysCommand.
 *
 * In: exactly one name. Out: the keys of that user and of no other, out of their file or out of the sshkey map; a name
 * that could not be served never becomes a path.
 */

import { parseAuthorizedKeys } from "../formats/authorized-keys.ts";
import { keysInText } from "../formats/sshkey.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { indexFileName } from "../model/plan.ts";
import { observeFile, underRoot } from "../platform/files.ts";
import { refusePublicDirectory } from "../platform/open-directory.ts";
import { openPieces } from "../platform/pieces.ts";
import { textInMap } from "./keys-in-map.ts";

/** Names of the shape that validation lets through; `.` first would be a temporary file, `/` another directory. */
const SERVABLE = /^[a-z_][a-z0-9_.-]{0,63}$/;

/** Where keys are. */
export interface KeyPlaces {
  readonly keys: { readonly files: boolean; readonly directory: string };
  readonly caches: { readonly directory: string };
}

/** The key lines; empty for a user without any. */
export async function keysOf(
  root: string,
  { keys, caches }: KeyPlaces,
  user: string,
): Promise<readonly string[]> {
  if (!SERVABLE.test(user)) {
    return [];
  }
  if (keys.files) {
    const file = await observeFile(`${underRoot(root, keys.directory)}/${user}`);
    return file === undefined ? [] : parseAuthorizedKeys(Buffer.from(file.bytes).toString("utf8"));
  }
  try {
    return await keysFromMap(root, underRoot(root, caches.directory), user);
  } catch (error) {
    throw new Failure(
      "node-unreadable",
      `Looking for the keys of ${user} failed: ${messageOf(error)}${hintFor(messageOf(error))}.`,
      { cause: error },
    );
  }
}

/** The map is opened first: an index that is newer leads elsewhere in it, which is noticed. */
async function keysFromMap(root: string, directory: string, user: string): Promise<readonly string[]> {
  await refusePublicDirectory(directory);
  const isElsewhere = root !== "/";
  await using map = await openPieces(`${directory}/sshkey.cache`, isElsewhere);
  if (map === undefined) {
    return [];
  }
  // It is only a hint, so whatever is wrong with it is a matter of the next sync.
  const opening = openPieces(`${directory}/${indexFileName("sshkey", "ixname")}`, isElsewhere);
  await using index = await opening.catch(() => undefined);
  return keysInText((await textInMap(map, index, user)) ?? "");
}
