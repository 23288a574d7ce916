/**
 * Which changes of a plan were not made.
 *
 * In: changes, and how the steps ended. Out: places in the list. Pure.
 */

import type { Change, Step } from "../model/plan.ts";
import type { Outcome } from "../model/report.ts";

/** The places of the changes that hang on a step which failed or was not begun. */
export function undoneAmong(changes: readonly Change[], outcomes: readonly Outcome[]): number[] {
  if (outcomes.every(({ result }) => result === "done")) {
    return [];
  }
  const planned = new Set(outcomes.map(({ step }) => keyOf(step)));
  const undone = new Set(outcomes.filter(({ result }) => result !== "done").map(({ step }) => keyOf(step)));
  return changes.flatMap((change, place) =>
    stepsFor(change, planned).some((key) => undone.has(key)) ? [place] : [],
  );
}

function keyOf(step: Step): string {
  if (step.kind === "publish-map") {
    return `${step.kind} ${step.map}`;
  }
  if (step.kind === "remove-leftover") {
    return `${step.kind} ${step.path}`;
  }
  return "user" in step ? `${step.kind} ${step.user}` : step.kind;
}

/** The steps that a change hangs on; none for one of Slurm's. */
function stepsFor(change: Change, planned: ReadonlySet<string>): string[] {
  const { event } = change;
  if (event === "file-repaired") {
    return stepsForFile(change.file.slice(change.file.lastIndexOf("/") + 1), planned);
  }
  if (event === "leftover-removed") {
    return [`remove-leftover ${change.path}`];
  }
  if (event === "home-created" || event === "sessions-ended") {
    return [`${event === "home-created" ? "create-home" : "end-sessions"} ${change.user}`];
  }
  if (event === "key-revoked" || event === "key-granted" || event === "key-relabelled") {
    // A rotated key has one step for both halves.
    const [first, second] = [`revoke-keys ${change.user}`, `grant-keys ${change.user}`];
    const keys = event === "key-revoked" ? [first, second] : [second, first];
    return keys.filter((key) => planned.has(key)).slice(0, 1);
  }
  if (event.startsWith("sudo-")) {
    return ["write-sudo"];
  }
  if (/^(?:group|member)-/.test(event)) {
    return ["publish-map group"];
  }
  return event.startsWith("user-") ? ["publish-map passwd", "publish-map shadow"] : [];
}

/** A map, somebody's keys, or else the one other file that is watched. */
function stepsForFile(name: string, planned: ReadonlySet<string>): string[] {
  const map = /^(passwd|group|shadow|sshkey)\.cache(?:\.|$)/.exec(name)?.[1];
  if (map !== undefined) {
    return [`publish-map ${map}`];
  }
  const keys = [`revoke-keys ${name}`, `grant-keys ${name}`].filter((key) => planned.has(key));
  return keys.length > 0 ? keys : ["write-sudo"];
}
