/**
 * The status at a glance: one line that says it all, then what is wrong and what to do, the worst first.
 *
 * In: a status. Out: lines of text. Every value that came from outside is quoted.
 */

import { styleText } from "node:util";
import { quoted } from "../model/quoted.ts";
import type { Severity } from "./conditions.ts";
import { renderProblems, type Style } from "./messages.ts";
import type { FullStatus, PublicStatus, ShownSync } from "./status.ts";
import { ago, askedWords, printable } from "./words.ts";

/** `isLive`: a daemon said this; otherwise it is from the last report on disk. */
export function renderStatus(status: FullStatus | PublicStatus, style: Style, isLive: boolean): string[] {
  return [
    headline(status, style),
    ...(isLive ? [] : [noDaemonLine(status)]),
    servedLine(status),
    timesLine(status),
    ...lastSyncLines(status),
    ...(status.lastRunFailed === null || status.conditions.some(({ code }) => code === status.lastRunFailed)
      ? []
      : [`  the last sync failed: ${status.lastRunFailed}; a condition is shown when that lasts`]),
    ...status.conditions.flatMap((condition) => conditionLines(condition, style)),
    ...renderDetails(status, style),
  ];
}

/** Every problem and what was not done, for root; otherwise how to see it. */
export function renderDetails(status: FullStatus | PublicStatus, style: Style): string[] {
  return "config" in status ? fullLines(status, style) : ["As root, this shows every detail."];
}

/** When the last sync was, what it changed, and the last one before it that changed anything. */
function lastSyncLines({ lastSync, lastChange }: FullStatus | PublicStatus): string[] {
  const describe = ({ at, result, seconds, added, removed, changed }: ShownSync) => {
    const took = seconds === null ? "" : `, ${seconds.toFixed(2)} s`;
    return `${at} (${result}${took}): ${added} added, ${removed} removed, ${changed} changed`;
  };
  return [
    ...(lastSync === null ? [] : [`  last sync ${describe(lastSync)}`]),
    ...(lastChange === null || lastChange.at === lastSync?.at
      ? []
      : [`  last change ${describe(lastChange)}`]),
  ];
}

function noDaemonLine({ lastSyncSecondsAgo }: FullStatus | PublicStatus): string {
  const age = lastSyncSecondsAgo === null ? "" : `, ${ago(lastSyncSecondsAgo)} ago`;
  return `No daemon answers here; this is from the last sync${age}. Start one: systemctl start rollcall`;
}

/** How each severity is shown on a terminal. */
export const SEVERITY_COLOURS = {
  critical: "red",
  degraded: "yellow",
  notice: "cyan",
} as const satisfies Record<Severity, string>;

type Shown = FullStatus["conditions"][number] | PublicStatus["conditions"][number];

function headline({ healthy, ready, conditions }: FullStatus | PublicStatus, { colour }: Style): string {
  const worst = conditions[0]?.severity;
  const word = healthy ? "healthy" : (worst ?? "not healthy");
  const text = `${healthy ? "●" : "✖"} ${word}${ready ? "" : ", not ready: no users are in place, or they are locked"}`;
  return colour ? styleText(healthy ? "green" : SEVERITY_COLOURS[worst ?? "critical"], text) : text;
}

function servedLine({ served, refused }: FullStatus | PublicStatus): string {
  if (served === null) {
    return "  No sync has succeeded here yet.";
  }
  const { users, active, groups, keys } = served;
  return `  ${users} users (${users - active} may not log in), ${groups} groups, ${keys} keys; ${refused} records refused`;
}

function timesLine({ ageSeconds, nextRunInSeconds, running }: FullStatus | PublicStatus): string {
  const heard =
    ageSeconds === null ? "the IAM was never heard" : `the IAM was last believed ${ago(ageSeconds)} ago`;
  const next = running
    ? "; a sync is running"
    : nextRunInSeconds === null
      ? ""
      : `; the next sync is in ${ago(nextRunInSeconds)}`;
  return `  ${heard}${next}`;
}

function conditionLines(condition: Shown, { colour }: Style): string[] {
  const { code, severity, title, remedy, forSeconds } = condition;
  const head = `${severity}: ${title}, for ${ago(forSeconds)} [${code}]`;
  const detail = "detail" in condition ? condition.detail : "";
  return [
    colour ? styleText(SEVERITY_COLOURS[severity], head) : head,
    ...(detail === "" ? [] : detail.split("\n").map((line) => `    ${printable(line)}`)),
    `    ${remedy}`,
  ];
}

function fullLines(
  { problems, undone, iam, config, host, disks, version }: FullStatus,
  style: Style,
): string[] {
  return [
    ...renderProblems(problems, style),
    ...undone.map(
      ({ kind, user, path, files, message }) =>
        `  not done: ${kind} ${quoted(user ?? path ?? files?.[0])}: ${printable(message ?? "")}`,
    ),
    `  IAM: ${[
      printable(iam.address),
      askedWords(iam.askedBy),
      iam.newest === null ? "" : `newest record ${iam.newest}`,
    ]
      .filter(Boolean)
      .join(", ")}`,
    `  rollcall ${version}, ${config.path}${host === null ? "" : `, ${host.os} on ${host.hostname}`}`,
    ...disks.map(
      ({ name, path, freeBytes }) => `  ${name}: ${path}, ${Math.floor(freeBytes / 1024 ** 2)} MiB free`,
    ),
  ];
}
