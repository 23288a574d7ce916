/**
 * What one pull came to, from both of its lists.
 */

import type { UserDraft, UserNews } from "../model/draft.ts";
import type { RecordVersions } from "../model/history.ts";
import type { PullStatistics } from "../model/report.ts";
import { type OwnGroupDraft, shareIds } from "./drafts.ts";
import type { Marks } from "./latest.ts";
import type { ListDrafts } from "./records.ts";
import type { Etags, Lists } from "./remembered.ts";

/** What one pull came to. */
export interface Pulled {
  readonly lists: Lists;
  /** Everybody who is not as they were remembered, where the rest of both lists is; undefined where more is new, or nobody compared. */
  readonly news: readonly UserNews[] | undefined;
  readonly statistics: PullStatistics;
  /** The ETag of each page by its address; empty when the server gave none. */
  readonly etags: Etags;
  readonly versions: RecordVersions;
  /** What can be asked for again where there are no ETags; undefined where the lists say too little. */
  readonly marks: Marks | undefined;
}

/** Both lists together. */
export function pulledFrom(
  { users, groups }: { readonly users: ListDrafts<UserDraft>; readonly groups: ListDrafts<OwnGroupDraft> },
  costs: Omit<PullStatistics, "unchanged" | "newest">,
): Omit<Pulled, "etags"> {
  shareIds(groups.drafts, (id) => users.sameId(id));
  const newestMs = Math.max(...[users, groups].map((list) => list.newestMs ?? Number.NEGATIVE_INFINITY));
  return {
    lists: {
      drafts: {
        users: users.drafts,
        groups: groups.drafts,
        problems: [...users.problems, ...groups.problems],
      },
    },
    news: undefined,
    statistics: { ...costs, unchanged: false, ...newestOf(newestMs) },
    versions: { get: (key) => versionIn({ user: users, group: groups }, key) },
    marks: users.mark && groups.mark && { users: users.mark, groups: groups.mark },
  };
}

/** For the statistics of a pull; nothing where no record says when it changed. */
export function newestOf(newestMs: number): Pick<PullStatistics, "newest"> {
  return Number.isFinite(newestMs) ? { newest: new Date(newestMs).toISOString() } : {};
}

/** By a `recordKey`: the kind, a space, and the id. */
function versionIn(
  lists: Readonly<Record<string, Pick<ListDrafts<unknown>, "versionOf">>>,
  key: string,
): string | undefined {
  const space = key.indexOf(" ");
  return lists[key.slice(0, space)]?.versionOf(key.slice(space + 1));
}
