/**
 * What must change on this node, as data: the steps, and what they mean for people.
 */

import type { AuthorizedKey, Gid, HomePath, Uid, UserName } from "./ids.ts";
import type { IndexName, MapName } from "./observed.ts";
import type { Problem } from "./problem.ts";
import type { SlurmAccountSettings } from "./slurm.ts";

/** Bytes for one file, with what it must look like on disk. */
export interface FileImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Replace one cache map: data first, then its indexes. */
export interface PublishMap {
  readonly kind: "publish-map";
  readonly map: MapName;
  readonly data: FileImage;
  readonly indexes: readonly FileImage[];
  /** Indexes that are on disk and must go before the data changes. */
  readonly retired: readonly string[];
  /** Records stand elsewhere than before: nobody may still hold an index when the data comes. */
  readonly isRelayout: boolean;
  readonly mode: number;
  readonly gid: number;
  /** Where sshd asks for the keys in this map: whether it takes keys away or gives them. */
  readonly keys?: "revoked" | "granted";
}

/** Take keys away from one user: rewrite the file with what stays, or remove it. */
export interface RevokeKeys {
  readonly kind: "revoke-keys";
  readonly user: string;
  readonly content: string | undefined;
}

/** Give keys to one user. There may be as many of these as people, so that the file is made when it is written. */
export interface GrantKeys {
  readonly kind: "grant-keys";
  readonly user: UserName;
  readonly keys: readonly AuthorizedKey[];
}

/** Make a home that is not there yet. */
export interface CreateHome {
  readonly kind: "create-home";
  readonly user: UserName;
  readonly uid: Uid;
  readonly gid: Gid;
  readonly path: HomePath;
}

/** Remove what a sync that was killed left behind: a file, or a home that was never moved into place. */
export interface RemoveLeftover {
  readonly kind: "remove-leftover";
  readonly path: string;
}

/** Write down who holds which name and id, before anybody is given one. */
export interface KeepLedger {
  readonly kind: "keep-ledger";
  readonly bytes: Uint8Array;
}

/** End what somebody has running who may not log in any more. */
export interface EndSessions {
  readonly kind: "end-sessions";
  readonly user: string;
  /** As the map on disk has it. */
  readonly uid: number;
}

/** Replace the drop-in of sudoers(5), or remove it. */
export interface WriteSudo {
  readonly kind: "write-sudo";
  readonly content: string | undefined;
}

/** One thing to do. A new kind needs a handler in `apply/` before it compiles. */
export type Step =
  | RevokeKeys
  | EndSessions
  | WriteSudo
  | KeepLedger
  | PublishMap
  | CreateHome
  | GrantKeys
  | RemoveLeftover;

/** What a plan means for people; `before` and `after` are the values on disk. */
export type Change =
  | {
      readonly event: "user-added";
      readonly user: string;
      readonly uid: number;
      readonly home: string;
      readonly active: boolean;
      /** Kept out by the rules of this node, not by the IAM. */
      readonly byRule: boolean;
    }
  | { readonly event: "user-removed"; readonly user: string; readonly uid: number }
  | { readonly event: "user-deactivated"; readonly user: string; readonly byRule: boolean }
  | { readonly event: "user-reactivated"; readonly user: string }
  | {
      readonly event: "user-changed";
      readonly user: string;
      readonly field: string;
      readonly before: string;
      readonly after: string;
    }
  | { readonly event: "group-added" | "group-removed"; readonly group: string; readonly gid: number }
  | {
      readonly event: "group-changed";
      readonly group: string;
      readonly field: string;
      readonly before: string;
      readonly after: string;
    }
  | { readonly event: "member-added" | "member-removed"; readonly group: string; readonly user: string }
  | {
      readonly event: "key-granted" | "key-revoked" | "key-relabelled";
      readonly user: string;
      readonly key: string;
    }
  | { readonly event: "sessions-ended"; readonly user: string; readonly uid: number }
  | { readonly event: "sudo-granted" | "sudo-revoked"; readonly rule: string }
  | {
      readonly event: "slurm-account-added";
      readonly account: string;
      readonly settings: SlurmAccountSettings;
    }
  | { readonly event: "slurm-account-removed"; readonly account: string }
  | {
      readonly event: "slurm-account-changed";
      readonly account: string;
      readonly field: string;
      readonly before: string;
      readonly after: string;
    }
  | {
      readonly event: "slurm-user-added" | "slurm-user-removed";
      readonly user: string;
      readonly account: string;
    }
  | {
      readonly event: "slurm-default-changed" | "slurm-level-changed";
      readonly user: string;
      readonly before: string;
      readonly after: string;
    }
  | {
      readonly event: "slurm-job-cancelled";
      readonly job: string;
      readonly user: string;
      readonly account: string;
    }
  | { readonly event: "home-created"; readonly user: string; readonly path: string }
  | { readonly event: "leftover-removed"; readonly path: string }
  | { readonly event: "file-repaired"; readonly file: string; readonly reason: string };

/** Whoever could log in before and could not afterwards. */
export interface Removals {
  /** How many users could log in before. */
  readonly before: number;
  /** How many of them have a key on this node now; counted where nobody would have one afterwards. */
  readonly keyed: number | undefined;
  /** The names of those who could not any more, sorted. */
  readonly users: readonly string[];
  /** How many users the node would serve afterwards; none at all is never believed. */
  readonly after: number;
  /** How many groups there were beside private ones, and the names of those that would go. */
  readonly groupsBefore: number;
  readonly groups: readonly string[];
}

/** Everything one sync would do, in the order it would do it. Empty steps: nothing to do. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Whoever loses something, and so many others. */
  readonly changes: readonly Change[];
  /** How many more there are, by event. */
  readonly unlisted: Readonly<Record<string, number>>;
  readonly problems: readonly Problem[];
  readonly removals: Removals;
}

/** Names the index files a map has: `passwd.cache.ixname`. */
export function indexFileName(map: MapName, index: IndexName): string {
  return `${map}.cache.${index}`;
}
