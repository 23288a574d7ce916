/**
 * Some resources of a list in the place of what is remembered of them.
 *
 * In: remembered drafts, and resources with their places among them. Out: drafts as a whole pull would have them, and which of them
 * say something else than before.
 */

import type { GroupDraft, UserDraft } from "../model/draft.ts";
import { textOfDraft } from "../model/draft.ts";
import { recordKey } from "../model/ledger.ts";
import type { PullStatistics } from "../model/report.ts";
import { idOf, type ReadRecord } from "./drafts.ts";
import { newestOf, type Pulled } from "./pulled.ts";
import { lastModifiedOf, versionOf } from "./versions.ts";

/** A resource, and the place of its draft. */
export type Placed = readonly [place: number, resource: unknown];

/** One list with what came of it. */
export interface PatchedList<Draft> {
  readonly drafts: readonly Draft[];
  readonly news: readonly { readonly before: Draft; readonly after: Draft }[];
  /** By `recordKey`. */
  readonly versions: ReadonlyMap<string, string>;
  /** When the record that changed last of these did so, in milliseconds since 1970; -Infinity where none says it. */
  readonly newestMs: number;
}

/** Undefined where a resource has no place, cannot be read, or has the id of another. */
export function patchList<Draft extends UserDraft | GroupDraft>(
  kind: "user" | "group",
  before: readonly Draft[],
  { read, placed }: { readonly read: ReadRecord<Draft>; readonly placed: readonly Placed[] },
): PatchedList<Draft> | undefined {
  const drafts = before.slice();
  const news: { before: Draft; after: Draft }[] = [];
  const versions = new Map<string, string>();
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const [place, resource] of placed) {
    const old = before[place];
    const draft = read(idOf(resource), resource);
    if (old === undefined || "looks" in draft) {
      return undefined;
    }
    if (textOfDraft(old) !== textOfDraft(draft)) {
      drafts[place] = draft;
      news.push({ before: old, after: draft });
    }
    newestMs = Math.max(newestMs, lastModifiedOf(resource) ?? newestMs);
    const version = versionOf(resource);
    if (version !== undefined) {
      versions.set(recordKey(kind, draft.id), version);
    }
  }
  const isAsBefore = news.every((one) => one.before.id === one.after.id);
  const isSound = isAsBefore || new Set(drafts.map(({ id }) => id)).size === before.length;
  return isSound ? { drafts, news, versions, newestMs } : undefined;
}

/** Both lists together. Of a record that came to the place of another nobody can say what it was before. */
export function pulledFromPatches(
  { users, groups }: { readonly users: PatchedList<UserDraft>; readonly groups: PatchedList<GroupDraft> },
  rest: Pick<Pulled, "etags" | "marks"> & { readonly statistics: PullStatistics },
): Pulled {
  const isUsersAlone =
    groups.news.length === 0 && users.news.every(({ before, after }) => before.id === after.id);
  return {
    drafts: { users: users.drafts, groups: groups.drafts, problems: [] },
    news: isUsersAlone ? users.news : undefined,
    versions: new Map([...users.versions, ...groups.versions]),
    ...rest,
    statistics: { ...rest.statistics, ...newestOf(Math.max(users.newestMs, groups.newestMs)) },
  };
}
