/**
 * People of whom nothing else is new than their keys.
 *
 * In: drafts as they were and as they are. Out: the same people as users, with sound fields, before and after. Nothing is known
 * here of others who compete with them; a user who has that name by another record is told from them by the ledger.
 */

import type { User } from "../model/directory.ts";
import { textOfDraft, type UserDraft, type UserNews } from "../model/draft.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem } from "../model/problem.ts";
import type { Rules } from "./rules.ts";
import { checkUser, userRules } from "./users.ts";

/** Somebody before and after a change of their keys; with a key then and now. */
export interface Rekeyed {
  readonly before: User;
  readonly after: User;
}

/** Such people, and whether each key of theirs, then and now, is accepted, so that there is no problem to come or to go. */
export interface RekeyedUsers {
  readonly people: readonly Rekeyed[];
  readonly isEveryKeySound: boolean;
}

/** All of them, or undefined where one has more that is new, is not sound, or would have no key any more. */
export function rekeyedUsers(
  news: readonly UserNews[],
  rules: Rules,
  local: LocalAccounts,
): RekeyedUsers | undefined {
  const limits = userRules(rules, local);
  const problems: Problem[] = [];
  const userOf = (draft: UserDraft) => checkUser(draft, limits, problems);
  const people: Rekeyed[] = [];
  for (const { before, after } of news) {
    const [then, now] = [userOf(before), userOf(after)];
    if (withoutKeys(before) !== withoutKeys(after) || !hasKeys(then) || !hasKeys(now)) {
      return undefined;
    }
    people.push({ before: then, after: now });
  }
  // What else is wrong with them was so before, and has been told.
  return { people, isEveryKeySound: problems.every(({ field }) => field !== "keys") };
}

function withoutKeys(draft: UserDraft): string {
  return textOfDraft({ ...draft, keys: undefined });
}

function hasKeys(user: User | undefined): user is User {
  return user !== undefined && user.keys.length > 0;
}
