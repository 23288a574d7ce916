/**
 * What this node has now, as `observe/` read it.
 */

import type { Ledger } from "./ledger.ts";
import type { Difference, PublishedFile } from "./published.ts";

/** The cache maps this program writes. */
export const MAP_NAMES = ["group", "passwd", "shadow", "sshkey"] as const;
export type MapName = (typeof MAP_NAMES)[number];

/** The indexes libnss-cache knows: `<map>.cache.<index>`. */
export type IndexName = "ixname" | "ixuid" | "ixgid";

/** Accounts from the node's own /etc, which always win over the IAM. */
export interface LocalAccounts {
  readonly userNames: ReadonlySet<string>;
  readonly uids: ReadonlySet<number>;
  /** By uid: the first name it has. */
  readonly nameOfUid: ReadonlyMap<number, string>;
  readonly groupNames: ReadonlySet<string>;
  readonly gids: ReadonlySet<number>;
  /** Home directories of local accounts. */
  readonly homes: ReadonlySet<string>;
  /** The lines of shells(5). */
  readonly shells: ReadonlySet<string>;
  /** The gid of the group `shadow`; 0 where the node has none. */
  readonly shadowGid: number;
}

/** What the maps of this node say already: of two who claim one thing, the one who has it keeps it. */
export interface Holders {
  /** By user name: the home. */
  readonly homes: ReadonlyMap<string, string>;
}

/** What the node is before a sync, as far as it limits whom it can serve. */
export interface NodeBefore {
  readonly local: LocalAccounts;
  /** The cache maps as they are on disk. */
  readonly maps: Readonly<Record<MapName, ObservedMap>>;
  readonly holders: Holders;
  /** With whoever the maps on disk name beside it, and without what may be forgotten. */
  readonly ledger: Ledger;
  /** The ledger's file as it is on disk; undefined without one. */
  readonly ledgerFile: Uint8Array | undefined;
  /** When this was looked at, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** One regular file: content, permission bits and owner. */
export interface ObservedFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Modification time in milliseconds since 1970, with fractions. */
  readonly mtimeMs: number;
}

/** One map on disk. */
export interface ObservedMap {
  readonly data: ObservedFile | undefined;
  readonly indexes: ReadonlyMap<IndexName, ObservedFile>;
}

/** What stands at the path of a home. */
export type ObservedHome =
  | { readonly kind: "absent" }
  | { readonly kind: "directory"; readonly uid: number }
  | { readonly kind: "other" }
  /** `hangs`: whoever goes there waits, a login too. */
  | { readonly kind: "unreachable"; readonly reason: string; readonly hangs: boolean };

/** Everything observed for one plan. */
export interface Observed extends NodeBefore {
  /** By user name: the files of the keys directory. */
  readonly keyFiles: ReadonlyMap<string, ObservedFile>;
  /** The drop-in of sudoers(5). */
  readonly sudoers: ObservedFile | undefined;
  /** The files that were left here by the last sync; undefined when nobody knows. */
  readonly published: readonly PublishedFile[] | undefined;
  /** Those that are not as they were left. */
  readonly differences: readonly Difference[];
  /** Paths of the node where a sync that was killed left something half-made. */
  readonly leftovers: readonly string[];
  /** By path: the homes of active users. */
  readonly homes: ReadonlyMap<string, ObservedHome>;
  /** False when this process is not root: then owners are left alone and not compared. */
  readonly ownsFiles: boolean;
}
