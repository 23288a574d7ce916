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
    return step.keys === undefined ? `${step.kind} ${step.map}` : `keys ${step.keys}`;
  }
  if (step.kind === "revoke-keys" && step.content === undefined) {
    return `remove-keys ${step.user}`;
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
    return stepsForKey(change.user, event === "key-revoked", planned);
  }
  if (event.startsWith("sudo-")) {
    return ["write-sudo"];
  }
  if (/^(?:group|member)-/.test(event)) {
    return ["publish-map group"];
  }
  return event.startsWith("user-") ? ["publish-map passwd", "publish-map shadow"] : [];
}

/** Where keys are in a map it is published once or twice; a rotated key in a file has one step for both halves. */
function stepsForKey(user: string, isRevoked: boolean, planned: ReadonlySet<string>): string[] {
  const [rewrite, removal, grant] = [`revoke-keys ${user}`, `remove-keys ${user}`, `grant-keys ${user}`];
  const first = (...keys: string[]) => keys.filter((key) => planned.has(key)).slice(0, 1);
  return isRevoked
    ? [...first("keys revoked"), ...first(rewrite, removal, grant)]
    : first("keys granted", "keys revoked", grant, rewrite);
}

/** A map, somebody's keys, or else the one other file that is watched. */
function stepsForFile(name: string, planned: ReadonlySet<string>): string[] {
  const map = /^(passwd|group|shadow|sshkey)\.cache(?:\.|$)/.exec(name)?.[1];
  if (map !== undefined) {
    return [`publish-map ${map}`, ...(map === "sshkey" ? ["keys revoked", "keys granted"] : [])];
  }
  const steps = ["revoke-keys", "remove-keys", "grant-keys"].map((kind) => `${kind} ${name}`);
  const keys = steps.filter((key) => planned.has(key));
  return keys.length > 0 ? keys : ["write-sudo"];
}
