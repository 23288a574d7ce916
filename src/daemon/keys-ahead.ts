/**
 * Keys come first, where they are all that is new: a key that somebody lost is out before anything else is looked at, however
 * many others there are. What is left to do or to tell is for the whole plan, which follows.
 *
 * In: who is another than when this node was left in step. Out: what was changed.
 */

import type { UserNews } from "../model/draft.ts";
import { Failure } from "../model/failure.ts";
import type { Change } from "../model/plan.ts";
import type { RunReport } from "../model/report.ts";
import type { Chronicled, PlannedAhead, PullResult, Stages } from "./stages.ts";
import { undoneAmong } from "./undone.ts";

/** Each is looked for in the map, and has a file of their own to be read; for more than these the whole plan is as fast. */
const MOST = 100;

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
