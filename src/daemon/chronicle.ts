/**
 * Writes down what a sync changes: before it begins, so that no change is ever missing, and how it ended.
 *
 * In: a plan, and later its outcomes. Out: lines of the history. Never throws and holds nothing up: what cannot be written is told in the report.
 */

import { randomBytes } from "node:crypto";
import { HISTORY_FILE, isSecondTry, renderEnd, renderEntry } from "../formats/history.ts";
import { hintFor, messageOf } from "../model/failure.ts";
import { type Listed, MAX_LISTED, takenFirst } from "../model/listed.ts";
import type { Change } from "../model/plan.ts";
import type { Outcome } from "../model/report.ts";
import { appendLine, type LineFile, takeBackLine } from "../platform/append.ts";
import type { Clock } from "../platform/clock.ts";
import { describeKey } from "../report/fingerprint.ts";
import { countBy } from "../report/status.ts";
import { reasonsFor } from "./reasons.ts";
import type { Chronicle, Chronicled } from "./stages.ts";
import { undoneAmong } from "./undone.ts";

/** Where it is kept, and when this is. */
export interface ChronicleParts {
  /** The state directory. */
  readonly directory: string;
  readonly clock: Clock;
}

/** Two files of this size: many months of an organisation with ten thousand people. */
const MAX_BYTES = 8 * 1024 ** 2;
/** The accounts come first on a disk that is nearly full. */
const SPARE_BYTES = 1024 ** 2;

/** Makes one that has written nothing. A sync that changes nothing writes nothing. */
export function createChronicle({ directory, clock }: ChronicleParts, of: Chronicled): Chronicle {
  const file: LineFile = { directory, name: HISTORY_FILE, maxBytes: MAX_BYTES, spareBytes: SPARE_BYTES };
  const changes = takenFirst(of.plan.changes);
  const { unlisted } = of.plan;
  const lineOf = linesFor(of, clock);
  const sync = newName();
  let begun: Uint8Array = new Uint8Array();
  let gap: string | undefined;
  const write = async (isWorthIt: boolean, act: () => Promise<unknown>) => {
    try {
      await (isWorthIt && gap === undefined ? act() : undefined);
    } catch (error) {
      gap = `The history lacks what this sync changed: ${messageOf(error)}${hintFor(messageOf(error))}.`;
    }
  };
  return {
    begin: () =>
      write(changes.length > 0, async () => {
        begun = await lineOf(sync, { changes, unlisted });
        await appendLine(file, begun);
      }),
    end: (outcomes) =>
      write(changes.length > 0, async () => {
        const undone = undoneAmong(changes, outcomes);
        const isVain = undone.length === changes.length && isInVain(outcomes);
        if (!isVain || !(await takeBackLine(file, begun, (before) => isSecondTry(before, begun)))) {
          await appendLine(file, renderEnd({ sync, undone: undone.filter((place) => place < MAX_LISTED) }));
        }
      }),
    add: (made) =>
      write(made.length > 0, async () => {
        const ofSlurm = newName();
        await appendLine(file, await lineOf(ofSlurm, { changes: takenFirst(made), unlisted: {} }));
        await appendLine(file, renderEnd({ sync: ofSlurm, undone: [] }));
      }),
    gap: () => gap,
  };
}

function linesFor(of: Chronicled, clock: Clock): (sync: string, listed: Listed) => Promise<Uint8Array> {
  return async (sync, { changes, unlisted }) => {
    const { source, pulled } = of;
    const told = await reasonsFor(changes.slice(0, MAX_LISTED), of, { source, previous: pulled.previous });
    return renderEntry({
      sync,
      atMs: clock.now(),
      source: of.source,
      hasAcceptedRemovals: of.hasAcceptedRemovals,
      changes: told.map((one) => ({ ...one, change: withoutKey(one.change) })),
      unlisted: sumsOf(unlisted, countBy(changes.slice(MAX_LISTED).map(({ event }) => event))),
    });
  };
}

function newName(): string {
  return randomBytes(6).toString("hex");
}

function sumsOf(one: Listed["unlisted"], other: Listed["unlisted"]): Listed["unlisted"] {
  const events = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...events].map((event) => [event, (one[event] ?? 0) + (other[event] ?? 0)]));
}

/** Whether nothing was done that a change could be about. */
function isInVain(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ step, result }) => result !== "done" || step.kind === "keep-ledger");
}

function withoutKey(change: Change): Change {
  return "key" in change ? { ...change, key: describeKey(change.key) } : change;
}
