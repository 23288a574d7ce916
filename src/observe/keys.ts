/**
 * The files of the keys directory.
 */

import type { ObservedFile } from "../model/observed.ts";
import { listRegularFiles, observeFile } from "../platform/files.ts";

/** Every regular file in it that could be a user's, by name. Hidden files are temporary ones. */
export async function observeKeyFiles(directory: string): Promise<ReadonlyMap<string, ObservedFile>> {
  const names = (await listRegularFiles(directory)).filter((name) => !name.startsWith("."));
  const files = new Map<string, ObservedFile>();
  for (let start = 0; start < names.length; start += AT_A_TIME) {
    const batch = names.slice(start, start + AT_A_TIME);
    const found = await Promise.all(batch.map((name) => observeFile(`${directory}/${name}`)));
    batch.forEach((name, position) => {
      const file = found[position];
      return file !== undefined && files.set(name, file);
    });
  }
  return files;
}

/** Far below what a process may have open, be it as little as 64; more would not be faster. */
const AT_A_TIME = 16;
