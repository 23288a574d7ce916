/**
 * Keys come first, where they are all that is new: a key that somebody lost is out before anything else is looked at, however
 * many others there are. The whole plan follows, as ever.
 *
 * In: who is another than when this node was left in step. Out: what was changed. Only where the node has exactly what these
 * people had, for few of them, and for none who would be left without a key: everything else is for the whole plan and its fuse.
 */

import type { User } from "../model/directory.ts";
import type { UserNews } from "../model/draft.ts";
import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { Outcome, RunReport } from "../model/report.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import { type ObserveSettings, observeKeysOf } from "../observe/observe.ts";
import { planKeysAhead } from "../plan/keys-ahead.ts";
import type { PlanSettings } from "../plan/settings.ts";
import { rekeyedUsers } from "../validate/rekeyed.ts";
import type { Rules } from "../validate/rules.ts";
import type { PullResult, Stages } from "./run-once.ts";
import { undoneAmong } from "./undone.ts";

/** More than these are no longer a few. */
const MOST = 100;

/** A plan for the keys of some people alone. */
export interface PlannedAhead {
  readonly users: readonly User[];
  readonly observed: Observed;
  readonly plan: Plan;
}

/** Plans it from what is below; undefined where only a whole plan can tell. */
export async function planAhead(
  news: readonly UserNews[],
  from: { readonly rules: Rules; readonly places: ObserveSettings; readonly settings: PlanSettings },
  nowMs: number,
): Promise<PlannedAhead | undefined> {
  const local = await observeLocalAccounts(from.places.root);
  const people = rekeyedUsers(news, from.rules, local);
  if (people === undefined) {
    return undefined;
  }
  const users = people.map(({ after }) => after);
  const names = users.map(({ name }) => name);
  const observed = await observeKeysOf(from.places, { names, local }, nowMs);
  const plan = planKeysAhead(people, observed, from.settings);
  return plan && { users, observed, plan };
}

/** What was changed ahead. */
export type Ahead = Pick<RunReport, "outcomes" | "historyGap"> & Pick<Plan, "changes" | "unlisted">;

/** Changes what can be changed; what fails is left to the whole plan. */
export async function keysAhead(stages: Stages, pulled: PullResult, signal: AbortSignal): Promise<Ahead> {
  const { news } = pulled;
  const isFew = news.length > 0 && news.length <= MOST;
  const planned = isFew ? await stages.planAhead(news) : undefined;
  if (planned === undefined) {
    return NOTHING;
  }
  const { plan, observed, users } = planned;
  const directory = { users, groups: [], withheld: new Set<string>() };
  // These people are all that was compared.
  const draftsOf = (which: keyof UserNews) => ({
    users: news.map((one) => one[which]),
    groups: [],
    problems: [],
  });
  const history = stages.chronicle({
    pulled: { ...pulled, drafts: draftsOf("after"), previous: async () => draftsOf("before") },
    source: stages.source,
    hasAcceptedRemovals: false,
    accepted: [],
    directory,
    everybody: directory,
    observed,
    plan,
  });
  await history.begin();
  const outcomes = await stages.apply(plan, signal);
  await history.end(outcomes);
  await stages.notePublished(outcomes, observed);
  return doneOf(plan, outcomes, history.gap());
}

const NOTHING: Ahead = { outcomes: [], changes: [], unlisted: {}, historyGap: undefined };

/** What was not done is planned again, and told then. */
function doneOf(plan: Plan, outcomes: readonly Outcome[], historyGap: string | undefined): Ahead {
  const undone = new Set(undoneAmong(plan.changes, outcomes));
  return {
    outcomes: outcomes.filter(({ result }) => result === "done"),
    changes: plan.changes.filter((_, place) => !undone.has(place)),
    unlisted: plan.unlisted,
    historyGap,
  };
}

/** A report of the rest, and of what was changed before. */
export function withAhead<Report extends Pick<RunReport, "plan" | "outcomes" | "historyGap">>(
  report: Report,
  ahead: Ahead,
): Report {
  const { plan, outcomes, historyGap } = report;
  return {
    ...report,
    plan: { ...plan, changes: [...ahead.changes, ...plan.changes] },
    outcomes: [...ahead.outcomes, ...outcomes],
    historyGap: historyGap ?? ahead.historyGap,
  };
}
