/**
 * One sync, from the IAM to this node.
 *
 * In: the stages, put together in `wire.ts`. Out: a report. The order of the stages is known here and nowhere
 * else: everything up to the plan only looks, everything after it only touches this node.
 */

import { createHash } from "node:crypto";
import type { Directory } from "../model/directory.ts";
import type { Drafts } from "../model/draft.ts";
import { Failure } from "../model/failure.ts";
import type { LocalAccounts, NodeBefore, Observed } from "../model/observed.ts";
import type { Plan, Removals } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { Outcome, PullStatistics, RunReport, Source } from "../model/report.ts";

/** What the IAM said, and a way to remember it once the node is in step with it. */
export interface PullResult {
  readonly drafts: Drafts;
  readonly statistics: PullStatistics;
  readonly remember: () => Promise<void>;
}

/** The stages of a run, each with its settings already in it. */
export interface Stages {
  /** Where the pull comes from. */
  readonly source: Source;
  pull(signal: AbortSignal): Promise<PullResult>;
  observeBefore(): Promise<NodeBefore>;
  validate(
    drafts: Drafts,
    before: NodeBefore,
  ): { readonly directory: Directory; readonly problems: readonly Problem[] };
  observe(directory: Directory, local: LocalAccounts): Promise<Observed>;
  plan(directory: Directory, observed: Observed): Plan;
  /** Why the fuse blows; undefined when it holds. */
  refusalOf(removals: Removals): string | undefined;
  /** Keeps every other sync of this node out until it is disposed of. */
  lock(): Promise<Disposable>;
  apply(plan: Plan, signal: AbortSignal): Promise<readonly Outcome[]>;
  /** Milliseconds that never jump. */
  monotonicMs(): number;
}

/** A plan with everything that led to it. Nothing has been touched yet. */
export interface Planned {
  readonly pulled: PullResult;
  readonly directory: Directory;
  readonly observed: Observed;
  readonly plan: Plan;
  readonly planId: string;
  readonly problems: readonly Problem[];
  readonly refusal: string | undefined;
}

/** Decides what a sync would do; reads the IAM and the node, writes nothing. */
export async function planOnce(stages: Stages, signal: AbortSignal): Promise<Planned> {
  const pulled = await stages.pull(signal);
  const before = await stages.observeBefore();
  const { directory, problems } = stages.validate(pulled.drafts, before);
  const observed = await stages.observe(directory, before.local);
  const plan = stages.plan(directory, observed);
  const refusal = stages.refusalOf(plan.removals);
  return {
    pulled,
    directory,
    observed,
    plan,
    planId: planIdOf(plan),
    problems: [...problems, ...plan.problems],
    refusal,
  };
}

/** Brings the node in step. `accepted` is the id of the one plan whose removals a person has agreed to. */
export async function runOnce(
  stages: Stages,
  accepted: string | undefined,
  signal: AbortSignal,
): Promise<RunReport> {
  const start = stages.monotonicMs();
  using _lock = await stages.lock();
  const { pulled, directory, observed, plan, planId, problems, refusal } = await planSurely(stages, signal);
  if (refusal !== undefined && accepted !== planId) {
    throw removalsRefused(plan.removals, refusal, { planId, accepted });
  }
  const outcomes = await stages.apply(plan, signal);
  await pulled.remember();
  return {
    source: stages.source,
    plan,
    planId,
    problems,
    outcomes,
    served: countServed(directory),
    pull: pulled.statistics,
    setsOwners: observed.ownsFiles,
    seconds: (stages.monotonicMs() - start) / 1000,
  };
}

const SURE_AFTER = 4;

/**
 * A plan whose absences were seen twice. Pages are numbered by position: while somebody is added and somebody
 * removed between two requests, a third person may slip through, and the totals still agree.
 */
export async function planSurely(stages: Stages, signal: AbortSignal): Promise<Planned> {
  let last = await planOnce(stages, signal);
  for (let pulls = 1; last.pulled.statistics.mayShift && absencesIn(last.plan).size > 0; pulls += 1) {
    if (pulls === SURE_AFTER) {
      throw new Failure(
        "iam-incomplete",
        `The lists changed with each of ${pulls} pulls, so nobody can tell who is really gone. Nothing was changed; the next sync asks again.`,
      );
    }
    const next = await planOnce(stages, signal);
    if (absencesIn(next.plan).isSubsetOf(absencesIn(last.plan))) {
      return next;
    }
    last = next;
  }
  return last;
}

/** Whoever would go because a list does not have them. */
function absencesIn({ changes }: Plan): Set<string> {
  const gone = changes.filter(
    ({ event }) => event === "user-removed" || event === "group-removed" || event === "member-removed",
  );
  return new Set(gone.map((change) => JSON.stringify(change)));
}

/** What a directory comes to in numbers. */
export function countServed({ users, groups }: Directory): RunReport["served"] {
  return {
    users: users.length,
    active: users.filter((user) => user.active).length,
    groups: groups.length,
    keys: users.reduce((sum, user) => sum + user.keys.length, 0),
    keyless: users.filter((user) => user.active && user.keys.length === 0).length,
  };
}

const TAKES_AWAY = new Set([
  "user-removed",
  "user-deactivated",
  "group-removed",
  "member-removed",
  "key-revoked",
  "user-changed",
]);

/** Two plans have the same id when they take the same from the same people. */
function planIdOf({ changes }: Plan): string {
  const taken = changes.filter(({ event }) => TAKES_AWAY.has(event));
  return createHash("sha256").update(JSON.stringify(taken)).digest("hex").slice(0, 12);
}

const NAMED = 10;

function removalsRefused({ users, groups }: Removals, refusal: string, ids: AcceptedId): Failure {
  const names = users.slice(0, NAMED).map(quoted).join(", ");
  const more = users.length > NAMED ? ` and ${users.length - NAMED} more` : "";
  const lost = [
    ...(users.length > 0 ? [`users ${names}${more}`] : []),
    ...(groups.length > 0 ? [`groups ${groups.slice(0, NAMED).map(quoted).join(", ")}`] : []),
  ];
  const mismatch =
    ids.accepted === undefined ? "" : `The id ${quoted(ids.accepted)} belongs to another plan. `;
  return new Failure(
    "removals-refused",
    `This sync was refused because ${refusal}: ${lost.join("; ")}. Nothing was changed. ${mismatch}` +
      `If the IAM is right, look at everything with "rollcall plan" and run this sync again with ` +
      `--accept-removals ${ids.planId}, which lets exactly this through. If it is not, mend the IAM; the next sync asks again.`,
  );
}

interface AcceptedId {
  readonly planId: string;
  readonly accepted: string | undefined;
}
