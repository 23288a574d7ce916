/**
 * The part of the history that somebody asks for, the newest first.
 *
 * In: every sync, and a question. Out: syncs with the changes that answer it, as data for `--json` and as lines of text. Nothing in them can steer a terminal.
 */

import { styleText } from "node:util";
import type { HistoryChange, PastSync, Reason } from "../model/history.ts";
import { nearest } from "../model/nearest.ts";
import type { Change } from "../model/plan.ts";
import { quoted } from "../model/quoted.ts";
import { type DiffLine, diffLineOf, SIGN_COLOURS } from "./diff.ts";
import { printable } from "./words.ts";

/** What is asked. */
export interface HistoryQuestion {
  /** Changes that concern this user alone. */
  readonly user: string | undefined;
  /** Milliseconds since 1970. */
  readonly sinceMs: number | undefined;
  /** The newest so many changes. */
  readonly limit: number;
}

/** A change as it is told. */
export type ToldChange = Change & {
  readonly why: Reason;
  /** Of the record in the IAM; null where it is not known. */
  readonly version: string | null;
  /** `unknown`: the sync was killed; what the next one did not do again, it had done. */
  readonly result: "done" | "not-done" | "unknown";
};

/** A sync as it is told. */
export interface ToldSync {
  readonly sync: string;
  readonly at: string;
  readonly source: PastSync["source"];
  /** False for one that was killed before it came to its end. */
  readonly ended: boolean;
  readonly acceptedRemovals: boolean;
  readonly changes: readonly ToldChange[];
  /** By event: changes beyond what one sync lists; empty when a user was asked for. */
  readonly unlisted: Readonly<Record<string, number>>;
}

/** The answer. */
export interface ToldHistory {
  readonly syncs: readonly ToldSync[];
  /** How many older changes answer the question as well. */
  readonly more: number;
  /** Lines of the file that say nothing. */
  readonly damaged: number;
  /** Whether so much changed at once that a change of this user may have been counted and not listed. */
  readonly isPartial: boolean;
}

/** Answers a question. */
export function tellHistory(
  { syncs, damaged }: { readonly syncs: readonly PastSync[]; readonly damaged: number },
  { user, sinceMs, limit }: HistoryQuestion,
): ToldHistory {
  const told: ToldSync[] = [];
  let left = limit;
  let more = 0;
  const inTime = syncs.filter(({ atMs }) => sinceMs === undefined || atMs >= sinceMs);
  for (const sync of inTime.toReversed()) {
    const changes = sync.changes
      .map((one, place) => toldChange(one, sync, place))
      .filter((change) => user === undefined || ("user" in change && change.user === user));
    const shown = changes.slice(0, left);
    more += changes.length - shown.length;
    left -= shown.length;
    if (shown.length > 0) {
      told.push(toldSync(sync, shown, user === undefined ? sync.unlisted : {}));
    }
  }
  const isPartial = inTime.some(({ unlisted }) => Object.keys(unlisted).length > 0);
  return { syncs: told, more, damaged, isPartial };
}

function toldSync(
  { sync, atMs, source, end, hasAcceptedRemovals }: PastSync,
  changes: readonly ToldChange[],
  unlisted: PastSync["unlisted"],
): ToldSync {
  const at = new Date(atMs).toISOString();
  return {
    sync,
    at,
    source,
    ended: end !== undefined,
    acceptedRemovals: hasAcceptedRemovals,
    changes,
    unlisted,
  };
}

function toldChange(
  { change, reason, version }: HistoryChange,
  { end }: PastSync,
  place: number,
): ToldChange {
  const result = end === undefined ? "unknown" : end.undone.includes(place) ? "not-done" : "done";
  return { ...change, why: reason, version: version ?? null, result };
}

/** How it is printed. */
export interface HistoryStyle {
  readonly colour: boolean;
  /** Whom the question was about, and everybody whom it could have been about. */
  readonly user: string | undefined;
  readonly users: readonly string[];
}

/** Lines of text; each sync under a heading. */
export function renderHistory(told: ToldHistory, style: HistoryStyle): string[] {
  const rows = told.syncs.flatMap(({ changes }) => changes.map(diffLineOf));
  const widths = { what: longest(rows, "what"), name: longest(rows, "name") };
  return [
    ...(told.syncs.length === 0 ? [nothing(style)] : []),
    ...told.syncs.flatMap((sync) => [
      heading(sync),
      ...sync.changes.map((change) => changeLine(change, widths, style.colour)),
      ...Object.entries(sync.unlisted).map(
        ([event, count]) => `  … and ${count} more of ${printable(event)}`,
      ),
    ]),
    ...(told.more > 0 ? [`… and ${told.more} older changes (--limit, --all)`] : []),
    ...(told.isPartial && style.user !== undefined
      ? [
          "Some syncs changed so much that not all of it is listed: first who lost something, and the rest is counted.",
        ]
      : []),
  ];
}

/** The newest change of one person on one line; undefined where the history has none. */
export function describeNewest({ syncs }: ToldHistory): string | undefined {
  const [sync] = syncs;
  const [change] = sync?.changes ?? [];
  return sync === undefined || change === undefined
    ? undefined
    : `Last change ${withoutFractions(sync.at)}:${changeLine(change, { what: 0, name: 0 }, false).slice(1)}`;
}

function withoutFractions(at: string): string {
  return at.replace(/\.\d+Z$/, "Z");
}

function nothing({ user, users }: HistoryStyle): string {
  if (user === undefined) {
    return "Nothing has changed here, as far as the history goes.";
  }
  const meant = nearest(user, users);
  return `The history has nothing about ${quoted(user)}${meant === undefined || meant === user ? "" : `; did you mean ${quoted(meant)}?`}`;
}

const SOURCES = {
  iam: "the IAM was asked",
  memory: "from memory, without the IAM",
  locked: "locked: the IAM was not heard for longer than stale.lockAfter",
} as const;

function heading({ at, source, ended, acceptedRemovals, sync }: ToldSync): string {
  return [
    `${withoutFractions(at)}  ${SOURCES[source]}`,
    ...(acceptedRemovals ? ["an admin accepted its removals"] : []),
    ...(ended ? [] : ["it was killed, so some of this may have been left to the next one"]),
  ]
    .join("; ")
    .concat(` [${printable(sync)}]`);
}

const REASON_WORDS: Readonly<Record<Reason, string>> = {
  iam: "news of the IAM",
  edited: "edited by hand, put back",
  accepted: "accepted by an admin",
  access: "the rules of access",
  locked: "stale.lockAfter",
  killed: "left by a killed sync",
  node: "this node: configuration, accounts, or left undone before",
  unknown: "nothing was remembered to compare with",
};

function changeLine(
  change: ToldChange,
  widths: { readonly what: number; readonly name: number },
  colour: boolean,
): string {
  const { sign, what, name, detail } = diffLineOf(change);
  const why = [
    ...(change.result === "not-done" ? ["NOT DONE"] : []),
    REASON_WORDS[change.why],
    ...(change.version === null ? [] : [`version ${quoted(change.version)}`]),
  ].join(", ");
  const text = printable(
    `  ${sign} ${what.padEnd(widths.what)}  ${name.padEnd(widths.name)}  ${detail}${detail === "" ? "" : "  "}(${why})`,
  );
  return colour ? styleText(SIGN_COLOURS[sign], text, { validateStream: false }) : text;
}

function longest(lines: readonly DiffLine[], field: "what" | "name"): number {
  return lines.reduce((width, line) => Math.max(width, line[field].length), 0);
}
