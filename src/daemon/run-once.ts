/**
 * One sync, from the IAM to this node.
 *
 * In: the stages (`stages.ts`), put together in `wire.ts`. Out: a report. The order of the stages is known here and nowhere
 * else, but for keys that go ahead (`keys-ahead.ts`): everything up to the plan only looks, everything after it
 * only touches this node. Slurm comes last, with a look, a plan and changes of its own (`slurm.ts`), so that
 * nothing here waits for it.
 */

import type { Directory } from "../model/directory.ts";
import { Failure } from "../model/failure.ts";
import { type Ledger, recordKey } from "../model/ledger.ts";
import type { Plan } from "../model/plan.ts";
import type { PullStatistics, RunRecord, RunReport } from "../model/report.ts";
import { type Asked, planIdOf, refuseIdleDecision, refuseRemovals } from "./decisions.ts";
import { type Ahead, besidesAhead, keysAhead, withAhead } from "./keys-ahead.ts";
import type { Planned, PullResult, Stages } from "./stages.ts";

/** Decides what a sync would do; reads the IAM and the node, writes nothing. */
export async function planOnce(stages: Stages, signal: AbortSignal, first?: PullResult): Promise<Planned> {
  const pulled = first ?? (await stages.pull(signal));
  // Soon: without the lock another sync may replace what is remembered.
  const drafts = await pulled.drafts();
  const before = await stages.observeBefore();
  const validated = stages.validate(drafts, before);
  const { directory, everybody, problems, accepted, acceptable } = validated;
  const observed = await stages.observe(directory, before);
  const plan = stages.plan(directory, observed);
  const refusal = stages.refusalOf(plan.removals);
  return {
    pulled,
    directory,
    everybody,
    observed,
    plan,
    planId: planIdOf(plan),
    problems: [...problems, ...plan.problems],
    refusal,
    accepted,
    acceptable,
  };
}

/** A run that ended with the pull: there was nothing new, and the node is known to be in step. */
export interface Unchanged {
  readonly unchanged: PullStatistics;
}

/** A run that changed some keys: nothing else was new, and all else is as the record before said. */
export interface KeysAlone extends Ahead {
  readonly last: RunRecord;
  readonly pull: PullStatistics;
  readonly seconds: number;
}

/** Brings the node in step, with what a person has decided. */
export async function runOnce(
  stages: Stages,
  asked: Asked,
  signal: AbortSignal,
): Promise<RunReport | Unchanged | KeysAlone> {
  const start = stages.monotonicMs();
  using _lock = await stages.lock();
  const first = await stages.pull(signal);
  if (first.isOld) {
    // The lists are the old ones; what to ask with may be new.
    await first.remember();
    return { unchanged: first.statistics };
  }
  const ahead = await keysAhead(stages, first, signal);
  try {
    const last = ahead?.isAll === true ? await stages.lastRecord() : undefined;
    if (ahead !== undefined && last !== undefined) {
      await first.remember();
      return { ...ahead, last, pull: first.statistics, seconds: (stages.monotonicMs() - start) / 1000 };
    }
    const planned = await planSurely(stages, signal, first);
    const report = withAhead(await carryOut(stages, { asked, planned }, signal), ahead);
    return { ...report, seconds: (stages.monotonicMs() - start) / 1000 };
  } catch (error) {
    throw ahead === undefined ? error : besidesAhead(error, ahead);
  }
}

async function carryOut(
  stages: Stages,
  { asked: { accepted, accepts }, planned }: { readonly asked: Asked; readonly planned: Planned },
  signal: AbortSignal,
): Promise<Omit<RunReport, "seconds">> {
  const { pulled, directory, observed, plan, planId, problems } = planned;
  refuseIdleDecision(planned, accepts);
  refuseRemovals(planned, accepted);
  const hasAcceptedRemovals = planned.refusal !== undefined;
  const history = stages.chronicle({ ...planned, source: stages.source, hasAcceptedRemovals });
  await history.begin();
  const outcomes = await stages.apply(plan, signal);
  await history.end(outcomes);
  // Where the ledger could not be kept nothing else can be, and its outcome says so.
  if (outcomes.every(({ step, result }) => step.kind !== "keep-ledger" || result === "done")) {
    await stages.notePublished(outcomes, observed);
    await pulled.remember();
  }
  const slurm = await stages.slurm?.sync(directory, accepted, signal);
  await history.add(slurm?.changes ?? []);
  return {
    source: stages.source,
    plan,
    planId,
    problems,
    outcomes,
    served: countServed(directory),
    pull: pulled.statistics,
    setsOwners: observed.ownsFiles,
    accepted: planned.accepted,
    shutOut: countShutOut(directory, observed.ledger),
    ledgerIsRebuilt: isWithinADay(observed.ledger.rebuiltAt, observed.nowMs),
    slurm,
    historyGap: history.gap(),
  };
}

/** People who hold something on this node, whom the IAM has, and who are not served. */
function countShutOut({ withheld }: Directory, { holdings }: Ledger): number {
  if (withheld.size === 0) {
    return 0;
  }
  const people = holdings.filter(({ kind, lastSeen }) => kind === "user" && lastSeen === undefined);
  return new Set(people.map(({ kind, id }) => recordKey(kind, id)).filter((key) => withheld.has(key))).size;
}

function isWithinADay(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && Math.abs(nowMs - atMs) < 24 * 3600 * 1000;
}

const SURE_AFTER = 4;

/**
 * A plan whose absences were seen twice. Pages are numbered by position: while somebody is added and somebody
 * removed between two requests, a third person may slip through, and the totals still agree.
 */
export async function planSurely(stages: Stages, signal: AbortSignal, first?: PullResult): Promise<Planned> {
  let last = await planOnce(stages, signal, first);
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
