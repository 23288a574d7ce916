/**
 * The last report, kept on disk for the next process: `status` without a daemon, and a daemon that starts anew.
 */

import * as z from "zod";
import type { RunFailure } from "../model/failure.ts";
import { parseJson } from "../model/json.ts";
import type { Moment } from "../model/moment.ts";
import type { RunRecord } from "../model/report.ts";
import { readPrivate, writePrivate } from "../platform/private-files.ts";
import { KEPT_SYNCS, NO_CHANGES, NO_PACE, type Pace } from "./pace.ts";

const FILE_NAME = "report.json";
const FORMAT = 1;

/** How the last run ended. */
export interface SavedReport {
  readonly at: Moment;
  /** When the IAM was last asked, answered, and was believed; undefined before the first time. */
  readonly believedAt: Moment | undefined;
  /** Why the last run could not go on; undefined when it came to its end. */
  readonly failure: RunFailure | undefined;
  /** The last run that came to its end, without its changes and its steps that were done. */
  readonly record: RunRecord | undefined;
}

const SavedMoment = z.object({ wallMs: z.number(), uptimeMs: z.number(), bootId: z.string() });
const RecordShape = z.object({
  source: z.string(),
  steps: z.array(z.object({ kind: z.string() })),
  problems: z.array(z.object({ code: z.string(), subject: z.object({ kind: z.string(), id: z.string() }) })),
  served: z.object({ users: z.number(), active: z.number(), groups: z.number(), keys: z.number() }),
});
type Newer = "tally" | "historyGap" | "unlisted";
/** An older version did not write everything. */
type SavedRecord = Omit<RunRecord, Newer> & Partial<Pick<RunRecord, Newer>>;
const Saved = z.object({
  format: z.literal(FORMAT),
  at: SavedMoment,
  believedAt: SavedMoment.optional(),
  // Only root writes here; what it holds is as good as what wrote it.
  failure: z.custom<RunFailure>((value) => typeof value === "object" && value !== null).optional(),
  record: z.custom<SavedRecord>((value) => RecordShape.safeParse(value).success).optional(),
});

/** Reads it from the state directory; undefined when there is none to trust. */
export async function loadReport(directory: string): Promise<SavedReport | undefined> {
  const bytes = await readPrivate(directory, FILE_NAME);
  const saved = bytes && Saved.safeParse(parseJson(bytes.toString())).data;
  const record = saved?.record && { tally: NO_CHANGES, historyGap: null, unlisted: {}, ...saved.record };
  return saved && { ...saved, believedAt: saved.believedAt, failure: saved.failure, record };
}

/** Puts it there, readable by root alone. */
export async function saveReport(directory: string, report: SavedReport): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...report });
  await writePrivate(directory, FILE_NAME, Buffer.from(text));
}

const PACE = "pace.json";
const count = z.number().nonnegative();
const Figures = z.object({
  atMs: z.number().min(-8.64e15).max(8.64e15),
  result: z.enum(["done", "failed", "unchanged"]),
  seconds: count,
  added: count,
  removed: count,
  changed: count,
});
const SavedPace = z.object({ recent: z.array(Figures).max(KEPT_SYNCS), lastChange: Figures.optional() });

/** How the last syncs of an earlier daemon went; none where it could not say. */
export async function loadPace(directory: string): Promise<Pace> {
  const bytes = await readPrivate(directory, PACE);
  const { data } = SavedPace.safeParse(bytes && parseJson(bytes.toString()));
  return data === undefined ? NO_PACE : { recent: data.recent, lastChange: data.lastChange };
}

/** Kept when a daemon ends, and never while it runs: figures are not worth a write for each sync. */
export async function savePace(directory: string, pace: Pace): Promise<void> {
  await writePrivate(directory, PACE, Buffer.from(JSON.stringify(pace)));
}

const BELIEF = "believed.json";

/** When the IAM was last believed, by the daemon's own note; undefined without one. */
export async function loadBelief(runDirectory: string): Promise<Moment | undefined> {
  const bytes = await readPrivate(runDirectory, BELIEF);
  return bytes && SavedMoment.safeParse(parseJson(bytes.toString())).data;
}

/** Notes it in memory: a sync without changes writes nothing to disk. */
export async function saveBelief(runDirectory: string, at: Moment): Promise<void> {
  await writePrivate(runDirectory, BELIEF, Buffer.from(JSON.stringify(at)));
}
