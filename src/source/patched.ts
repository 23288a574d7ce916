/**
 * Some resources of a list in the place of what is remembered of them.
 *
 * In: the remembered drafts at some places, and the resources that stand there now. Out: those drafts that
 * are others now, as a whole pull would have them.
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
  /** By their places. */
  readonly patches: ReadonlyMap<number, Draft>;
  readonly news: readonly { readonly before: Draft; readonly after: Draft }[];
  /** By `recordKey`. */
  readonly versions: ReadonlyMap<string, string>;
  /** When the record that changed last of these did so, in milliseconds since 1970; -Infinity where none says it. */
  readonly newestMs: number;
}

/** Undefined where a resource has no place, cannot be read, or is another's: then somebody else may be gone, or be there twice. */
export function patchList<Draft extends UserDraft | GroupDraft>(
  kind: "user" | "group",
  before: ReadonlyMap<number, Draft>,
  { read, placed }: { readonly read: ReadRecord<Draft>; readonly placed: readonly Placed[] },
): PatchedList<Draft> | undefined {
  const patches = new Map<number, Draft>();
  const news: { before: Draft; after: Draft }[] = [];
  const versions = new Map<string, string>();
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const [place, resource] of placed) {
    const old = before.get(place);
    const draft = read(idOf(resource), resource);
    if (old === undefined || "looks" in draft || draft.id !== old.id) {
      return undefined;
    }
    if (textOfDraft(old) !== textOfDraft(draft)) {
      patches.set(place, draft);
      news.push({ before: old, after: draft });
    }
    newestMs = Math.max(newestMs, lastModifiedOf(resource) ?? newestMs);
    const version = versionOf(resource);
    if (version !== undefined) {
      versions.set(recordKey(kind, draft.id), version);
    }
  }
  return { patches, news, versions, newestMs };
}

/** Both lists together. */
export function pulledFromPatches(
  { users, groups }: { readonly users: PatchedList<UserDraft>; readonly groups: PatchedList<GroupDraft> },
  rest: Pick<Pulled, "etags" | "marks"> & { readonly statistics: PullStatistics },
): Pulled {
  return {
    lists: { patches: { users: users.patches, groups: groups.patches } },
    news: groups.news.length === 0 ? users.news : undefined,
    versions: new Map([...users.versions, ...groups.versions]),
    ...rest,
    statistics: { ...rest.statistics, ...newestOf(Math.max(users.newestMs, groups.newestMs)) },
  };
}
