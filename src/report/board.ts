/**
 * The status as a board for a terminal: as wide as that one, one thing on each line, the first line says it all.
 *
 * In: a status, the facts of this machine, and what the terminal can show. Out: lines that are never wider than it. Text that came from
 * outside is made harmless before it is measured.
 */

import { styleText } from "node:util";
import { PROBLEMS } from "../model/problem.ts";
import type { HostFacts } from "../platform/host-facts.ts";
import { SEVERITY_COLOURS } from "./render-status.ts";
import { sparkline } from "./sparkline.ts";
import type { FullStatus, PublicStatus, ShownSync } from "./status.ts";
import { cutTo, padTo, toAscii, wrapTo } from "./width.ts";
import { ago, askedWords, counted, printable } from "./words.ts";

/** What the terminal can show. */
export interface Screen {
  readonly columns: number;
  /** False where only ASCII is sure to be shown. */
  readonly isUnicode: boolean;
  readonly colour: boolean;
}

/** What the board shows beside the status. */
export interface BoardFacts {
  readonly host: HostFacts | undefined;
  /** A daemon said this; otherwise it is from the last report on disk. */
  readonly isLive: boolean;
}

type Status = FullStatus | PublicStatus;
type Colour = Parameters<typeof styleText>[0];

/** A line and how it is coloured as a whole. */
interface Row {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

const LABEL = 14;
/** Wider lines are harder to read. */
const WIDEST = 100;
const NARROWEST = 24;

/** All of it, whatever the height. */
export function renderBoard(status: Status, facts: BoardFacts, screen: Screen): string[] {
  const width = Math.max(NARROWEST, Math.min(WIDEST, screen.columns));
  const rows = [
    headline(status),
    ...(facts.isLive ? [] : [noDaemon(status)]),
    ...field("node", nodeOf(status, facts.host), width),
    ...("iam" in status ? field("IAM", iamOf(status), width) : []),
    ...field("last sync", lastSyncOf(status), width),
    ...field("last change", lastChangeOf(status), width),
    ...field("next sync", nextSyncOf(status, facts.isLive), width),
    ...field("served", servedOf(status), width),
    ...refusedRows(status),
    ...sparkRows(status, screen, width),
    ...conditionRows(status, width),
    ...undoneRows(status),
  ];
  return rows.map((row) => painted(row, width, screen));
}

function painted({ text, colour }: Row, width: number, screen: Screen): string {
  const cut = cutTo(text, width);
  const shown = screen.isUnicode ? cut : toAscii(cut);
  return colour !== undefined && screen.colour ? styleText(colour, shown, { validateStream: false }) : shown;
}

/** Healthy or not, and the worst of what is wrong. */
function headline({ healthy, ready, conditions }: Status): Row {
  const [worst] = conditions;
  const why = worst === undefined || healthy ? "" : `: ${worst.title}`;
  const unready = ready ? "" : " (not ready: no users are in place, or they are locked)";
  return {
    text: `${healthy ? "●" : "✖"} ${healthy ? "healthy" : (worst?.severity ?? "not healthy")}${unready}${why}`,
    colour: healthy ? "green" : SEVERITY_COLOURS[worst?.severity ?? "critical"],
  };
}

function noDaemon({ lastSyncSecondsAgo }: Status): Row {
  const age = lastSyncSecondsAgo === null ? "" : `, ${ago(lastSyncSecondsAgo)} ago`;
  return { text: `  No daemon answers here; this is from the last sync${age}.`, colour: "yellow" };
}

/** What does not fit on one line goes on below. */
function field(label: string, parts: readonly string[], width: number): Row[] {
  const lines = wrapParts(parts.filter(Boolean).map(printable), width - LABEL);
  return lines.map((line, nth) => ({ text: `  ${padTo(nth === 0 ? label : "", LABEL - 2)}${line}` }));
}

/** Parts stay whole where they fit on a line. */
function wrapParts(parts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = `${last} · ${part}`;
    if (last !== undefined && wrapTo(joined, columns).length === 1) {
      lines[lines.length - 1] = joined;
    } else {
      lines.push(cutTo(part, columns));
    }
  }
  return lines;
}

function nodeOf({ version }: Status, host: HostFacts | undefined): string[] {
  const machine = host === undefined ? [] : [host.hostname, host.os, host.arch];
  return [...machine, `rollcall ${version}`];
}

function iamOf({ iam, ageSeconds }: FullStatus): string[] {
  return [
    iam.address,
    ageSeconds === null ? "never believed yet" : `last believed ${ago(ageSeconds)} ago`,
    askedWords(iam.askedBy),
    iam.newest === null ? "" : `newest record ${iam.newest.replace(/\.\d+Z$/, "Z")}`,
  ];
}

function lastSyncOf({ lastSync, lastSyncSecondsAgo, lastRunFailed, running }: Status): string[] {
  if (lastSync === null || lastSyncSecondsAgo === null) {
    return [running ? "the first one is running" : "none has come to its end yet"];
  }
  const took = lastSync.seconds === null ? "" : `took ${durationOf(lastSync.seconds)}`;
  const what = {
    done: changesOf(lastSync),
    unchanged: "nothing new",
    failed: `failed${lastRunFailed === null ? "" : `: ${lastRunFailed}`}`,
  };
  return [`${ago(lastSyncSecondsAgo)} ago`, took, what[lastSync.result], running ? "another is running" : ""];
}

function lastChangeOf({ lastChange, lastSync, lastSyncSecondsAgo }: Status): string[] {
  if (lastChange === null || lastSync === null || lastChange.at === lastSync.at) {
    return [];
  }
  const between = (Date.parse(lastSync.at) - Date.parse(lastChange.at)) / 1000;
  const seconds = Math.max(0, Math.round(between + (lastSyncSecondsAgo ?? 0)));
  return [`${ago(seconds)} ago`, changesOf(lastChange)];
}

function changesOf({ added, removed, changed }: ShownSync): string {
  const parts = [
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
  ];
  return parts.length === 0 ? "nothing to change" : parts.join(", ");
}

function nextSyncOf({ nextRunInSeconds }: Status, isLive: boolean): string[] {
  if (!isLive) {
    return ["none without a daemon: systemctl start rollcall"];
  }
  return nextRunInSeconds === null ? [] : [`in ${ago(nextRunInSeconds)}`];
}

function servedOf({ served }: Status): string[] {
  if (served === null) {
    return ["nobody yet"];
  }
  const { users, active, groups, keys } = served;
  const shut = users > active ? ` (${users - active} may not log in)` : "";
  return [`${counted(users, "user")}${shut}`, counted(groups, "group"), counted(keys, "key")];
}

function refusedRows({ refused, refusedBy }: Status): Row[] {
  const reasons = Object.entries(PROBLEMS)
    .map(([code, { title }]) => ({ code, title, count: refusedBy[code] ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((left, right) => right.count - left.count);
  return refused === 0
    ? []
    : [
        { text: `  ${padTo("refused", LABEL - 2)}${counted(refused, "record")}`, colour: "yellow" },
        ...reasons.map(({ code, title, count }) => ({
          text: `${" ".repeat(LABEL)}${String(count).padStart(5)}  ${title} [${code}]`,
        })),
      ];
}

/** As many of the last syncs as there is room for. */
function sparkRows({ recent }: Status, { isUnicode }: Screen, width: number): Row[] {
  const legend = recent.some(({ result }) => result === "failed") ? FAILED : "";
  const syncs = recent.slice(-Math.max(1, width - LABEL - SCALE - legend.length));
  const draw = (label: string, valueOf: (sync: ShownSync) => number, nameOf: (value: number) => string) => {
    const values = syncs.map((sync) => (sync.result === "failed" ? undefined : valueOf(sync)));
    const most = Math.max(...syncs.map(valueOf));
    const drawn = sparkline(values, isUnicode);
    return { text: `  ${padTo(label, LABEL - 2)}${drawn}  up to ${nameOf(most)}${legend}` };
  };
  return syncs.length < 2
    ? []
    : [
        draw("durations", ({ seconds }) => seconds ?? 0, durationOf),
        draw("changes", ({ added, removed, changed }) => added + removed + changed, String),
      ];
}

/** Columns for `  up to 99999 s`. */
const SCALE = 15;
const FAILED = "; x failed";

function durationOf(seconds: number): string {
  return seconds < 120 ? `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(0)} s` : ago(seconds);
}

const DETAIL_LINES = 6;

function conditionRows({ conditions }: Status, width: number): Row[] {
  return conditions.flatMap((condition): Row[] => {
    const { code, severity, title, remedy, forSeconds } = condition;
    const colour = SEVERITY_COLOURS[severity];
    const detail = "detail" in condition ? condition.detail : "";
    const details =
      detail === "" ? [] : detail.split("\n").flatMap((line) => wrapTo(printable(line), width - 4));
    return [
      { text: "" },
      ...wrapTo(`${severity}: ${title}, for ${ago(forSeconds)} [${code}]`, width).map((text) => ({
        text,
        colour,
      })),
      ...details.slice(0, DETAIL_LINES).map((line) => ({ text: `    ${line}` })),
      ...(details.length > DETAIL_LINES ? [{ text: "    … (--all shows the rest)" }] : []),
      ...wrapTo(remedy, width - 4).map((line, nth) => ({ text: `  ${nth === 0 ? "→" : " "} ${line}` })),
    ];
  });
}

function undoneRows(status: Status): Row[] {
  const undone = "undone" in status ? status.undone.length : 0;
  return undone === 0
    ? []
    : [{ text: `  ${counted(undone, "step")} of the last sync not done (--all lists them)` }];
}
