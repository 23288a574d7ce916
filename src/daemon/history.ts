/**
 * Reads what this node has gone through.
 */

import type { Settings } from "../config/settings.ts";
import { HISTORY_FILE, parseHistory } from "../formats/history.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import type { PastSync } from "../model/history.ts";
import { readLines } from "../platform/append.ts";
import { underRoot } from "../platform/files.ts";
import { isDenied } from "../platform/private-files.ts";

/** The syncs that changed something, the oldest first, and how many lines of the history say nothing. */
export async function readHistory(
  { state }: Pick<Settings, "state">,
  root: string,
): Promise<{ readonly syncs: readonly PastSync[]; readonly damaged: number }> {
  const directory = underRoot(root, state.directory);
  if (await isDenied(directory)) {
    const message = `The history in ${directory} can be read by root alone. Run this as root.`;
    throw new Failure("node-unreadable", message);
  }
  const bytes = await readLines({ directory, name: HISTORY_FILE }).catch((error: unknown) => {
    const message = `Reading the history failed: ${messageOf(error)}${hintFor(messageOf(error))}.`;
    throw new Failure("node-unreadable", message, { cause: error });
  });
  return parseHistory(bytes);
}
