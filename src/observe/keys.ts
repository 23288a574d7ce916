/**
 * The files of the keys directory.
 */

import type { ObservedFile } from "../model/observed.ts";
import { listRegularFiles } from "../platform/files.ts";
import { observeFiles } from "../platform/many-files.ts";

/** Every regular file in it that could be a user's, by name. Hidden files are temporary ones. */
export async function observeKeyFiles(directory: string): Promise<ReadonlyMap<string, ObservedFile>> {
  const names = await listRegularFiles(directory);
  return observeFiles(
    directory,
    names.filter((name) => !name.startsWith(".")),
  );
}
