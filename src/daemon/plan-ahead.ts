/**
 * A plan for the keys of a few people, from a look at them alone.
 *
 * In: who is another than when this node was left in step. Out: a plan; none where the node does not have exactly what these
 * people had, or where one of them would be left without a key: that is for the whole plan and its fuse.
 */

import type { UserNews } from "../model/draft.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import { type ObserveSettings, observeKeysOf } from "../observe/observe.ts";
import { planKeysAhead } from "../plan/keys-ahead.ts";
import type { PlanSettings } from "../plan/settings.ts";
import { rekeyedUsers } from "../validate/rekeyed.ts";
import type { Rules } from "../validate/rules.ts";
import type { PlannedAhead } from "./stages.ts";

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
