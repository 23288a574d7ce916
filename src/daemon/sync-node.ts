/**
 * One sync of this node, and the note it leaves for the next process.
 */

import type { Settings } from "../config/settings.ts";
import { Failure, messageOf } from "../model/failure.ts";
import { type RunRecord, undoneSteps, worthKeeping } from "../model/report.ts";
import { underRoot } from "../platform/files.ts";
import { recordOfKeys, runRecordOf } from "../report/record.ts";
import { loadReport, type SavedReport, saveReport } from "../report/saved.ts";
import type { Asked } from "./decisions.ts";
import { runOnce, type Unchanged } from "./run-once.ts";
import type { Surroundings } from "./surroundings.ts";
import { wireOfflineStages, wireStages } from "./wire.ts";

/** Runs once and keeps how it went in the state directory; throws what the run throws. */
export async function syncNode(
  { settings, asked }: { readonly settings: Settings; readonly asked: Asked },
  around: Surroundings,
  signal: AbortSignal,
): Promise<RunRecord | Unchanged> {
  const stages =
    asked.offline === true
      ? await wireOfflineStages(settings, around)
      : wireStages(settings, around, asked.accepts);
  const directory = underRoot(around.root, settings.state.directory);
  const at = around.clock.moment();
  try {
    const report = await runOnce(stages, asked, signal);
    if ("unchanged" in report) {
      return report;
    }
    const record = "last" in report ? recordOfKeys(report) : runRecordOf(report);
    await note(directory, (before) => ({
      at,
      believedAt: record.source === "iam" ? at : before?.believedAt,
      failure: undefined,
      record: worthKeeping(record, before?.record),
    })).catch((error: unknown) => {
      const undone = [...new Set(undoneSteps(record).map(({ message }) => message))];
      const besides = undone.length === 0 ? "" : ` Besides, the sync is not done: ${undone.join("; ")}`;
      throw new Failure("state-unwritable", `${messageOf(error)}${besides}`, { cause: error });
    });
    return record;
  } catch (error) {
    if (error instanceof Failure && !LEAVES_NO_NOTE.has(error.code)) {
      await noteFailure(directory, error, at);
    }
    throw error;
  }
}

async function noteFailure(directory: string, failure: Failure, at: SavedReport["at"]): Promise<void> {
  const { code, message } = failure;
  await note(directory, (before) => ({
    at,
    believedAt: before?.believedAt,
    failure: { code, message },
    record: before?.record,
  })).catch((second: unknown) => {
    throw new Failure(code, `${message} Besides: ${messageOf(second)}`, { cause: failure });
  });
}

/** The run did not take place, says nothing of the node, or the note cannot be written either. */
const LEAVES_NO_NOTE: ReadonlySet<string> = new Set([
  "node-busy",
  "nothing-held",
  "state-unwritable",
  "stopped",
]);

async function note(
  directory: string,
  make: (before: SavedReport | undefined) => SavedReport,
): Promise<void> {
  const before = await loadReport(directory);
  await saveReport(directory, make(before)).catch((error: unknown) => {
    const message = `How the sync went could not be kept in ${directory}: ${messageOf(error)}. The node itself is as the sync left it.`;
    throw new Failure("state-unwritable", message, { cause: error });
  });
}
