/**
 * Keys come first, where they are all that is new: a key that somebody lost is out before anything else is looked at, however
 * many others there are. What is left to do or to tell is for the whole plan, which follows.
 *
 * In: who is another than when this node was left in step. Out: what was changed. Only where the node has exactly what these
 * people had, for few of them, and for none who would be left without a key: everything else is for the whole plan and its fuse.
 */

import type { User } from "../model/directory.ts";
import type { UserNews } from "../model/draft.ts";
import { Failure } from "../model/failure.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { RunReport } from "../model/report.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import { type ObserveSettings, observeKeysOf } from "../observe/observe.ts";
import { planKeysAhead } from "../plan/keys-ahead.ts";
import type { PlanSettings } from "../plan/settings.ts";
import { rekeyedUsers } from "../validate/rekeyed.ts";
import type { Rules } from "../validate/rules.ts";
import type { Chronicled } from "./chronicle.ts";
import type { PullResult, Stages } from "./run-once.ts";
import { undoneAmong } from "./undone.ts";

/** Each is looked for in the map, and has a file of their own to be read; for more than these the whole plan is as fast. */
const MOST = 100;

/** A plan for the keys of some people alone. */
export interface PlannedAhead {
  readonly users: readonly User[];
  readonly observed: Observed;
  readonly plan: Plan;
  /** A whole plan would have nothing else to do, and nothing else to tell. */
  readonly isAll: boolean;
}

/** Plans it from what is below; undefined where only a whole plan can tell. */
export async function planAhead(
  news: readonly UserNews[],
  from: { readonly rules: Rules; readonly places: ObserveSettings; readonly settings: PlanSettings },
  nowMs: number,
): Promise<PlannedAhead | undefined> {
  const local = await observeLocalAccounts(from.places.root);
  const rekeyed = rekeyedUsers(news, from.rules, local);
  if (rekeyed === undefined) {
    return undefined;
  }
  const { people, isEveryKeySound } = rekeyed;
  const users = people.map(({ after }) => after);
  const names = users.map(({ name }) => name);
  const observed = await observeKeysOf(from.places, { names, local }, nowMs);
  // Without a list of what was published one would be made that has the files of these people alone.
  const plan = observed.published === undefined ? undefined : planKeysAhead(people, observed, from.settings);
  return plan && { users, observed, plan, isAll: isEveryKeySound };
}

/** What was changed ahead. */
export interface Ahead extends Pick<RunReport, "outcomes" | "historyGap" | "setsOwners"> {
  readonly changes: readonly Change[];
  /** Nothing is left to do or to tell. */
  readonly isAll: boolean;
}

/** Changes what can be changed; undefined where that is nothing. */
export async function keysAhead(
  stages: Stages,
  pulled: PullResult,
  signal: AbortSignal,
): Promise<Ahead | undefined> {
  const { news } = pulled;
  const isFew = news.length > 0 && news.length <= MOST;
  const planned = isFew ? await stages.planAhead(news) : undefined;
  if (planned === undefined) {
    return undefined;
  }
  const { plan, observed, isAll } = planned;
  const history = stages.chronicle(groundsOf(stages, planned, pulled));
  await history.begin();
  const outcomes = await stages.apply(plan, signal);
  await history.end(outcomes);
  await stages.notePublished(outcomes, observed);
  const undone = new Set(undoneAmong(plan.changes, outcomes));
  // What was not done is planned again, and told then.
  const done = outcomes.filter(({ result }) => result === "done");
  return {
    outcomes: done,
    changes: plan.changes.filter((_, place) => !undone.has(place)),
    setsOwners: observed.ownsFiles,
    historyGap: history.gap(),
    isAll: isAll && done.length === outcomes.length,
  };
}

/** These people are all that was compared. */
function groundsOf(
  { source }: Stages,
  { plan, observed, users }: PlannedAhead,
  pulled: PullResult,
): Chronicled {
  const directory = { users, groups: [], withheld: new Set<string>() };
  const draftsOf = (which: keyof UserNews) => ({
    users: pulled.news.map((one) => one[which]),
    groups: [],
    problems: [],
  });
  return {
    pulled: { ...pulled, drafts: async () => draftsOf("after"), previous: async () => draftsOf("before") },
    source,
    hasAcceptedRemovals: false,
    accepted: [],
    directory,
    everybody: directory,
    observed,
    plan,
  };
}

/** A failure of the rest says that nothing was changed; by then these keys were. */
export function besidesAhead(error: unknown, { changes }: Ahead): unknown {
  const users = new Set(changes.flatMap((change) => ("user" in change ? [change.user] : []))).size;
  if (!(error instanceof Failure) || users === 0) {
    return error;
  }
  const whose = users === 1 ? "one user" : `${users} users`;
  const message = `${error.message} Before that, the keys of ${whose} were changed.`;
  return new Failure(error.code, message, { cause: error });
}

/** A report of the rest, and of what was changed before. */
export function withAhead<Report extends Pick<RunReport, "plan" | "outcomes" | "historyGap">>(
  report: Report,
  ahead: Ahead | undefined,
): Report {
  const { plan, outcomes, historyGap } = report;
  return ahead === undefined
    ? report
    : {
        ...report,
        plan: { ...plan, changes: [...ahead.changes, ...plan.changes] },
        outcomes: [...ahead.outcomes, ...outcomes],
        historyGap: historyGap ?? ahead.historyGap,
      };
}
