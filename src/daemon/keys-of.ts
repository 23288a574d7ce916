/**
 * The keys of one user, for sshd's AuthorizedKeysCommand.
 *
 * In: exactly one name. Out: the lines of that user's file and of no other; a name that could not be served
 * never becomes a path.
 */

import { parseAuthorizedKeys } from "../formats/authorized-keys.ts";
import { observeFile, underRoot } from "../platform/files.ts";

/** Names of the shape that validation lets through; `.` first would be a temporary file, `/` another directory. */
const SERVABLE = /^[a-z_][a-z0-9_.-]{0,63}$/;

/** The key lines; empty when the user has no file. */
export async function keysOf(root: string, directory: string, user: string): Promise<readonly string[]> {
  if (!SERVABLE.test(user)) {
    return [];
  }
  const file = await observeFile(`${underRoot(root, directory)}/${user}`);
  return file === undefined ? [] : parseAuthorizedKeys(Buffer.from(file.bytes).toString("utf8"));
}
