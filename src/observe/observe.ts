/**
 * Looks at everything on this node that a plan depends on, and changes nothing.
 */

import type { Directory } from "../model/directory.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { LocalAccounts, Observed } from "../model/observed.ts";
import { underRoot } from "../platform/files.ts";
import { isRoot } from "../platform/privileges.ts";
import { observeCaches } from "./caches.ts";
import { observeHomes } from "./homes.ts";
import { observeKeyFiles } from "./keys.ts";

/** Where to look. */
export interface ObserveSettings {
  readonly root: string;
  readonly caches: { readonly directory: string };
  readonly keys: { readonly directory: string };
}

/** What the node has, next to the directory it should have. */
export async function observeNode(
  settings: ObserveSettings,
  directory: Directory,
  local: LocalAccounts,
): Promise<Observed> {
  const { root, caches, keys } = settings;
  try {
    return {
      local,
      maps: await observeCaches(underRoot(root, caches.directory)),
      keyFiles: await observeKeyFiles(underRoot(root, keys.directory)),
      homes: await observeHomes(root, directory),
      ownsFiles: isRoot(),
    };
  } catch (error) {
    const message = `Looking at what this node has failed: ${messageOf(error)}. Nothing was changed.`;
    throw new Failure("node-unreadable", message, { cause: error });
  }
}
