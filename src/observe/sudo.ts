/**
 * The drop-in of sudoers(5) on this node.
 */

import type { ObservedFile } from "../model/observed.ts";
import { observeFile } from "../platform/files.ts";

/** Undefined when there is none. */
export function observeSudo(path: string): Promise<ObservedFile | undefined> {
  return observeFile(path);
}
