/**
 * What this node has gone through: each sync that changed something, with every change and why it came.
 */

import type { Change } from "./plan.ts";
import type { Source } from "./report.ts";

/**
 * Why something changed. `iam`: the record, or a group it is in, is another than when the IAM was last believed.
 * `edited`: a file of this node was edited by hand and put back. `accepted`: an admin said so. `access`: the rules of
 * access keep out whom the IAM lets in. `locked`: `stale.lockAfter` is over. `killed`: an earlier sync was killed. `node`: none of these, so it is
 * the configuration, a local account or a rule. `unknown`: nothing is remembered to compare with.
 */
export const REASONS = [
  "iam",
  "edited",
  "accepted",
  "access",
  "locked",
  "killed",
  "node",
  "unknown",
] as const;
/** One of them. */
export type Reason = (typeof REASONS)[number];

/** By record (`recordKey`): `meta.version`, else `meta.lastModified`. */
export type RecordVersions = Pick<ReadonlyMap<string, string>, "get">;

/** One change; a key is its fingerprint and comment. */
export interface HistoryChange {
  readonly change: Change;
  readonly reason: Reason;
  /** `meta.version` of the record, else its `meta.lastModified`, as the IAM had it in this pull; undefined where it gave neither, or nothing came. */
  readonly version: string | undefined;
}

/** What a sync was about to change; for Slurm's part, what it has changed. */
export interface HistoryEntry {
  /** Names the sync. */
  readonly sync: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly source: Source;
  /** Whether an admin let its removals through. */
  readonly hasAcceptedRemovals: boolean;
  readonly changes: readonly HistoryChange[];
  /** How many more there were, by event. */
  readonly unlisted: Readonly<Record<string, number>>;
}

/** How a sync ended. */
export interface HistoryEnd {
  readonly sync: string;
  /** The changes of its entry that were not made, by their places in it. */
  readonly undone: readonly number[];
}

/** A sync as it is told later: how it ended is not known of one that was killed. */
export interface PastSync extends HistoryEntry {
  readonly end: HistoryEnd | undefined;
}
