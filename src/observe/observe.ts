/**
 * Looks at everything on this node that a plan depends on, and changes nothing.
 */

import { dirname } from "node:path";
import { parseGroup } from "../formats/group.ts";
import { LEDGER_FILE } from "../formats/ledger.ts";
import { parsePasswd } from "../formats/passwd.ts";
import type { Directory } from "../model/directory.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import type { UserName } from "../model/ids.ts";
import type { LocalAccounts, NodeBefore, Observed } from "../model/observed.ts";
import type { Difference } from "../model/published.ts";
import { refuseOpenDirectory, refuseToLeave, underRoot } from "../platform/files.ts";
import { observeFiles } from "../platform/many-files.ts";
import { readKept } from "../platform/private-files.ts";
import { isRoot } from "../platform/privileges.ts";
import { observeCaches } from "./caches.ts";
import { holdersIn } from "./holders.ts";
import { observeHomes } from "./homes.ts";
import { observeKeyFiles } from "./keys.ts";
import { observeLedger } from "./ledger.ts";
import { observeLeftovers } from "./leftovers.ts";
import { observeLocalAccounts } from "./local-accounts.ts";
import { differencesFrom, loadPublished } from "./published.ts";
import { observeSudo } from "./sudo.ts";

/** Where to look. */
export interface ObserveSettings {
  readonly root: string;
  readonly caches: { readonly directory: string };
  readonly keys: { readonly directory: string };
  readonly state: { readonly directory: string };
  readonly sudo: { readonly file: string };
  readonly ledger: { readonly rememberFor: number };
  readonly ids: { readonly min: number; readonly max: number };
  readonly homes: { readonly create: boolean };
}

/** What limits whom this node can serve; `privileged` are groups whose members have power, so that their names are never free. */
export async function observeBefore(
  settings: ObserveSettings & { readonly privileged: readonly string[] },
  nowMs: number,
): Promise<NodeBefore> {
  const { root, caches, state, ledger, ids, privileged } = settings;
  const local = await observeLocalAccounts(root);
  try {
    const maps = await observeCaches(underRoot(root, caches.directory));
    const users = parsePasswd(maps.passwd.data?.bytes ?? NOTHING);
    const around = {
      stateDirectory: underRoot(root, state.directory),
      users,
      groups: parseGroup(maps.group.data?.bytes ?? NOTHING),
      rememberForMs: ledger.rememberFor,
      ids,
      pinned: privileged,
    };
    return { local, maps, holders: holdersIn(users), ...(await observeLedger(around, nowMs)), nowMs };
  } catch (error) {
    return unreadable(error);
  }
}

const NOTHING = new Uint8Array();

/** What the node has, next to the directory it should have. */
export async function observeNode(
  settings: ObserveSettings,
  directory: Directory,
  before: NodeBefore,
): Promise<Observed> {
  const { root, caches, keys, state } = settings;
  const { maps } = before;
  try {
    await refuseOthersPlaces(settings);
    const keyFiles = await observeKeyFiles(underRoot(root, keys.directory));
    const published = await loadPublished(underRoot(root, state.directory));
    // Who makes no homes has them made elsewhere, perhaps only when somebody comes: a look could mount a hundred thousand.
    const homes = settings.homes.create ? await observeHomes(root, directory) : new Map<string, never>();
    const sudoers = await observeSudo(underRoot(root, settings.sudo.file));
    const files = { maps, keyFiles, sudoers };
    return {
      ...before,
      keyFiles,
      sudoers,
      published,
      differences: differencesFrom(published ?? [], files, { ...settings, trustsTimes: true }).filter(
        isOurOwn,
      ),
      homes,
      leftovers: await observeLeftovers(
        root,
        [caches.directory, keys.directory, state.directory],
        placesOf(homes),
      ),
      ownsFiles: isRoot(),
    };
  } catch (error) {
    return unreadable(error);
  }
}

/** Throws where others could change what is in the keys directory, or lead what is written elsewhere. */
async function refuseOthersPlaces({ root, caches, keys, state }: ObserveSettings): Promise<void> {
  await refuseOpenDirectory(underRoot(root, keys.directory), 0o755);
  for (const { directory: path } of [caches, keys, state]) {
    await refuseToLeave(root, path);
  }
}

/**
 * Of some people the keys, and what tells that these are theirs: `keyFiles` has those of nobody else. What has nothing to do with
 * keys is as on a node that has none of it.
 */
export async function observeKeysOf(
  settings: ObserveSettings,
  { names, local }: { readonly names: readonly UserName[]; readonly local: LocalAccounts },
  nowMs: number,
): Promise<Observed> {
  const { root, caches, keys, state } = settings;
  try {
    await refuseOthersPlaces(settings);
    return {
      ...NOTHING_ELSE,
      local,
      maps: await observeCaches(underRoot(root, caches.directory), ["sshkey"]),
      ledgerFile: await readKept(underRoot(root, state.directory), LEDGER_FILE),
      nowMs,
      keyFiles: await observeFiles(underRoot(root, keys.directory), names),
      published: await loadPublished(underRoot(root, state.directory)),
      ownsFiles: isRoot(),
    };
  } catch (error) {
    return unreadable(error);
  }
}

const NOTHING_ELSE: Pick<Observed, "holders" | "ledger" | "sudoers" | "differences" | "homes" | "leftovers"> =
  {
    holders: { homes: new Map() },
    ledger: { holdings: [], rebuiltAt: undefined },
    sudoers: undefined,
    differences: [],
    homes: new Map(),
    leftovers: [],
  };

/** Where homes are, as far as that can be looked at. */
function placesOf(homes: Observed["homes"]): Set<string> {
  const reached = [...homes].filter(([, { kind }]) => kind !== "unreachable");
  return new Set(reached.map(([path]) => dirname(path)));
}

/** What was never Rollcall's is a matter of the keys. */
function isOurOwn({ how }: Difference): boolean {
  return how !== "not Rollcall's";
}

function unreadable(error: unknown): never {
  const message = `Looking at what this node has failed: ${messageOf(error)}${hintFor(messageOf(error))}. Nothing was changed.`;
  throw new Failure("node-unreadable", message, { cause: error });
}
