/**
 * What a person decides about a sync, and what they are told when a decision is needed or is about nothing.
 */

import { createHash } from "node:crypto";
import { Failure } from "../model/failure.ts";
import { isLoss } from "../model/listed.ts";
import type { Plan } from "../model/plan.ts";
import { type Problem, refusesRecord } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { Decisions } from "../validate/ledger.ts";

/** What a person, or the daemon, asks for beyond a plain sync. */
export interface Asked {
  /** The id of the one plan whose removals are accepted. */
  readonly accepted?: string | undefined;
  /** `user:NAME` and `group:NAME`: to take as the IAM has them, whatever the ledger remembers; or all of them. */
  readonly accepts?: readonly string[] | "all" | undefined;
  /** Serve whom the IAM named when it was last believed, without asking it. */
  readonly offline?: boolean | undefined;
}

/** Two plans have the same id when they take the same from the same people. */
export function planIdOf({ changes }: Plan): string {
  return idOfRemovals(changes.filter(isLoss));
}

/** What stands for removals on the command line, whatever they are of. */
export function idOfRemovals(taken: unknown): string {
  return createHash("sha256").update(JSON.stringify(taken)).digest("hex").slice(0, 12);
}

const NAMED = 10;

/** What a decision is about. */
export interface Decidable extends Decisions {
  readonly plan: Plan;
  readonly planId: string;
  readonly problems: readonly Problem[];
  /** Why the fuse blows; undefined when it holds. */
  readonly refusal: string | undefined;
}

/** Throws where the fuse blows and nobody has agreed to exactly these removals. */
export function refuseRemovals(
  { plan, planId, refusal, problems }: Decidable,
  accepted: string | undefined,
): void {
  if (refusal === undefined || accepted === planId) {
    return;
  }
  const { users, groups } = plan.removals;
  const lost = [
    ...(users.length > 0 ? [`users ${someOf(users)}`] : []),
    ...(groups.length > 0 ? [`groups ${someOf(groups)}`] : []),
  ];
  const mismatch = accepted === undefined ? "" : `The id ${quoted(accepted)} belongs to another plan. `;
  const remade = problems.filter(({ code }) => code === "name-remembered").length;
  const renewed =
    remade === 0
      ? ""
      : `${remade} of the records have names that other records had, as after a move to another IAM: if they are the same people, run "rollcall accept --every" instead. `;
  throw new Failure(
    "removals-refused",
    `This sync was refused because ${refusal}: ${lost.join("; ")}. Nothing was changed. ${mismatch}${renewed}${causesOf(problems)}` +
      `Look at everything with "rollcall plan". If it is right, "rollcall sync --accept-removals ${planId}" lets exactly ` +
      `this through. If not, mend the IAM or the configuration; the next sync asks again.`,
  );
}

/** Of so many records the same is wrong that it is hardly the records. */
const MANY = 10;

/** What may be wrong with the configuration rather than with people: names that nobody has, the same trouble everywhere. */
function causesOf(problems: readonly Problem[]): string {
  const unknown = problems
    .filter(({ code }) => code === "access-unknown")
    .map(({ field, reason }) => `${field}: ${reason}`);
  const refused = Map.groupBy(problems.filter(refusesRecord), ({ code, field }) => `${code} ${field}`);
  const [first] = [...refused.values()].sort((one, other) => other.length - one.length);
  const [example] = first ?? [];
  const common =
    first === undefined || example === undefined || first.length < MANY
      ? []
      : [`${first.length} records are refused for the same reason: ${example.reason} [${example.code}]`];
  const causes = [...unknown, ...common];
  return causes.length === 0 ? "" : `First look at this: ${causes.slice(0, NAMED).join("; ")}. `;
}

/** What stands for `user:NAME` or `group:NAME` on the command line. */
function wordsOf(one: string): string {
  return one.startsWith("group:") ? `--group ${one.slice("group:".length)}` : one.slice("user:".length);
}

function someOf(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).map(quoted).join(", ")}${more}`;
}

/** A name that is not held back is a typing mistake, or was mended meanwhile; a person should know. */
export function refuseIdleDecision({ accepted, acceptable }: Decidable, accepts: Asked["accepts"]): void {
  const idle = accepts === "all" ? [] : (accepts ?? []).filter((one) => !accepted.includes(one));
  if (idle.length > 0) {
    const others =
      acceptable.length === 0 ? "nothing is" : `only these are: ${someOf(acceptable.map(wordsOf))}`;
    throw new Failure(
      "nothing-held",
      `Nothing that could be accepted is held back for ${someOf(idle.map(wordsOf))}; ${others}. Nothing was changed. "rollcall plan" shows what is held back or refused, and why.`,
    );
  }
}
