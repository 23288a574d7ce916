/**
 * `rollcall sync`: bring this node in step, once; through the daemon where one runs.
 */

import type { Asked } from "../daemon/decisions.ts";
import type { Unchanged } from "../daemon/run-once.ts";
import { refusesRecord } from "../model/problem.ts";
import { isIdle, isWhole, type RunRecord } from "../model/report.ts";
import {
  renderChanges,
  renderFailures,
  renderProblems,
  renderSlurmFailure,
  renderSummary,
} from "../report/messages.ts";
import { printable } from "../report/words.ts";
import { askDaemonForStatus, askDaemonToSync } from "./ask.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Options of this command alone. */
export interface SyncOptions extends CommonOptions {
  readonly acceptRemovals?: string;
  readonly offline?: boolean;
  /** Of the daemon: it knows that the node is in step with lists of this digest. */
  readonly inStepWith?: string;
  /** The same: what is new shows in totals and times. */
  readonly askedByTimes?: boolean;
  /** The same: only these pages have changed. */
  readonly changedPages?: readonly string[];
}

/** Runs once and says what was done; the exit code says how it ended. */
export async function sync(context: Context, options: SyncOptions): Promise<number> {
  return syncAsAsked(context, options, { accepted: options.acceptRemovals, offline: options.offline });
}

/** The same with whatever a person has decided. */
export async function syncAsAsked(context: Context, options: SyncOptions, asked: Asked): Promise<number> {
  try {
    const record = (await syncByDaemon(context, options, asked)) ?? (await syncHere(context, options, asked));
    context.redraw?.("");
    if ("unchanged" in record) {
      context.out(toJson(record));
      return EXIT.ok;
    }
    if (options.json === true) {
      context.out(toJson(record));
    } else {
      printRecord(context, record, options.all === true);
    }
    return exitCodeOf(record);
  } finally {
    context.endAnyway();
  }
}

/** A daemon syncs under its own configuration, so one that is given here is for this process. */
async function syncByDaemon(
  context: Context,
  { root, config }: SyncOptions,
  asked: Asked,
): Promise<RunRecord | undefined> {
  if (config !== undefined) {
    return undefined;
  }
  context.redraw?.("Asking the daemon …");
  const record = await askDaemonToSync(root, asked, context.signal);
  const status = record && (await askDaemonForStatus(root, context.signal));
  if (status !== undefined && "config" in status && status.config.mistakes !== null) {
    context.err(
      `rollcall: ${status.config.path} has mistakes, so the daemon goes on under the one of before. See them: rollcall check [config-invalid]`,
    );
  }
  return record;
}

async function syncHere(
  context: Context,
  options: SyncOptions,
  asked: Asked,
): Promise<RunRecord | Unchanged> {
  const { prepare } = await import("./prepare.ts");
  const { syncNode } = await import("../daemon/sync-node.ts");
  const { settings, around } = await prepare(context, options);
  const { inStepWith: digest, askedByTimes: isAskedByTimes = false, changedPages } = options;
  const inStepWith = digest === undefined ? undefined : { digest, isAskedByTimes, changedPages };
  return syncNode({ settings, asked }, { ...around, inStepWith }, context.signal);
}

function printRecord(context: Context, record: RunRecord, all: boolean): void {
  const style = { colour: context.colour, all };
  const lines = [
    ...renderChanges(record, style),
    ...record.accepted.map((what) => `Accepted: ${what.replace(":", " ")}, as the IAM has it now.`),
    ...(record.ledgerIsRebuilt ? [LEDGER_REBUILT] : []),
    ...renderProblems(record.problems, style),
    ...(isIdle(record) ? ["Nothing to do: this node is in step."] : []),
    ...(record.source === "iam" ? [] : [FROM_MEMORY[record.source]]),
    ...(record.setsOwners ? [] : ["Not running as root: the owners of files and homes were left alone."]),
    renderSummary(record),
  ];
  lines.forEach((line) => context.out(line));
  const gap =
    record.historyGap === null ? [] : [`rollcall: ${printable(record.historyGap)} [history-unwritable]`];
  [...renderFailures(record.steps), ...renderSlurmFailure(record), ...gap].forEach((line) =>
    context.err(line),
  );
}

const LEDGER_REBUILT =
  "Note: the ledger was missing or damaged within the last day; it was made anew from the maps, and whoever left before is forgotten.";

const FROM_MEMORY = {
  memory: "From memory: this is whom the IAM named when it was last believed.",
  locked: "Locked: the IAM was last believed longer ago than stale.lockAfter, so nobody has a key.",
} as const;

function exitCodeOf(record: RunRecord): number {
  if (!isWhole(record)) {
    return EXIT.failed;
  }
  return record.problems.some(refusesRecord) ? EXIT.refused : EXIT.ok;
}
