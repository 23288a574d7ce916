/**
 * The files of the keys directory.
 */

import type { ObservedFile } from "../model/observed.ts";
import { listRegularFiles, observeFile } from "../platform/files.ts";

/** Every regular file in it that could be a user's, by name. Hidden files are temporary ones. */
export async function observeKeyFiles(directory: string): Promise<ReadonlyMap<string, ObservedFile>> {
  const files = new Map<string, ObservedFile>();
  for (const name of await listRegularFiles(directory)) {
    const file = name.startsWith(".") ? undefined : await observeFile(`${directory}/${name}`);
    if (file !== undefined) {
      files.set(name, file);
    }
  }
  return files;
}
