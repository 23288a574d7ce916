/**
 * Puts the questions to an IAM together: from settings and what the last pull left to whether anything is new.
 */

import type { Settings } from "../config/settings.ts";
import type { PullStatistics } from "../model/report.ts";
import { askWhichChanged } from "../source/probe.ts";
import { nothingLater } from "../source/probe-latest.ts";
import type { Asking } from "../source/remembered.ts";
import { type Surroundings, sourceSettings } from "./surroundings.ts";
import { httpClientFor, scimClientFor } from "./wire-http.ts";
import { NOT_ASKED } from "./wire-source.ts";

/** What to ask an IAM with, and how. */
export interface Probing {
  readonly settings: Settings;
  readonly asking: Pick<Asking, "etags" | "marks">;
  /** What to ask for where only a total matters. */
  readonly least: 0 | 1;
}

/** What came of asking. */
export interface Answer {
  readonly isUnchanged: boolean;
  /** The names of the pages with other ETags; undefined where nobody asked by ETags, and for more than a few. */
  readonly changedPages: readonly string[] | undefined;
  readonly statistics: PullStatistics;
}

/** With more pages than these that changed, the sync asks for all again. */
const MOST_TOLD = 8;

/** Whether the IAM says the same as when it was asked last; counts what it took to ask. Not so where there is nothing to ask with. */
export async function probe(
  { settings, asking: { etags, marks }, least }: Probing,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Answer> {
  const { iam } = sourceSettings(settings, around.root);
  if (iam.source === "file") {
    return { isUnchanged: true, changedPages: undefined, statistics: NOT_ASKED };
  }
  const isByEtags = Object.keys(etags).length > 0;
  if (iam.probe === "off" || (!isByEtags && marks === undefined)) {
    return { isUnchanged: false, changedPages: undefined, statistics: { ...NOT_ASKED, unchanged: false } };
  }
  // Four requests, one after the other, take less CPU than four connections.
  await using http = await httpClientFor(isByEtags ? iam : { ...iam, parallel: 1 });
  const client = await scimClientFor(iam, http, around);
  const changedPages = isByEtags
    ? await askWhichChanged(client, { etags, most: MOST_TOLD }, signal)
    : undefined;
  const isUnchanged =
    isByEtags || marks === undefined
      ? changedPages?.length === 0
      : await nothingLater(client, { settings: iam, marks, least, nowMs: around.clock.now() }, signal);
  const statistics = { ...client.traffic, mayShift: false, unchanged: isUnchanged };
  return { isUnchanged, changedPages, statistics };
}
