/**
 * How the last syncs went, in numbers: what a sparkline is drawn from.
 *
 * In: how a turn ended. Out: figures without any name, so that everybody may see them.
 */

import type { ChangeTally, TurnResult } from "../model/report.ts";

/** One turn of the daemon, or one sync. */
export interface SyncFigures extends ChangeTally {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number;
  readonly result: TurnResult["kind"];
  readonly seconds: number;
}

/** The last syncs, the newest last. */
export interface Pace {
  readonly recent: readonly SyncFigures[];
  /** The last one that changed something, however long ago. */
  readonly lastChange: SyncFigures | undefined;
}

/** So many syncs are remembered. */
export const KEPT_SYNCS = 40;

/** Before the first. */
export const NO_PACE: Pace = { recent: [], lastChange: undefined };

/** Nothing was changed. */
export const NO_CHANGES: ChangeTally = { added: 0, removed: 0, changed: 0 };

/** With one more turn. */
export function paceAfter(
  { recent, lastChange }: Pace,
  result: TurnResult,
  at: Pick<SyncFigures, "atMs" | "seconds">,
): Pace {
  const tally = result.kind === "done" ? result.record.tally : NO_CHANGES;
  const figures = { ...at, result: result.kind, ...tally };
  return {
    recent: [...recent, figures].slice(-KEPT_SYNCS),
    lastChange: changesIn(figures) > 0 ? figures : lastChange,
  };
}

/** How many changes they are. */
export function changesIn({ added, removed, changed }: ChangeTally): number {
  return added + removed + changed;
}
