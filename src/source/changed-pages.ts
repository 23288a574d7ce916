/**
 * Fetches only the pages that changed, where each of the last pull has an ETag (RFC 7644 §3.14).
 *
 * In: what is remembered of the last pull. Out: the drafts that are others now, by their places. Undefined where only a
 * whole pull can tell: records came, went or moved; most pages changed; or a page is not what it should be.
 */

import type { PickedDrafts } from "./draft-parts.ts";
import { groupReader, userReader } from "./drafts.ts";
import { type Placed, patchList, pulledFromPatches } from "./patched.ts";
import { fetchChangedPages, type Pages, pageName } from "./probe.ts";
import type { Pulled } from "./pulled.ts";
import { pageUrl } from "./query.ts";
import type { Etags, Remembered } from "./remembered.ts";
import { readListResponse } from "./schema.ts";
import type { ScimClient } from "./scim-client.ts";
import type { AttributePaths, ListSettings, ScimSettings } from "./settings.ts";

/** What is asked with, and what answers are read by. */
export interface ChangedParts {
  readonly client: ScimClient;
  readonly settings: ScimSettings;
  readonly attributes: AttributePaths;
  readonly remembered: Remembered;
}

/** The same, and which pages are asked for. */
export interface PagesParts extends ChangedParts {
  /** The names of those that were seen to change: the others can wait for the next turn. Undefined to ask for all. */
  readonly changedPages: readonly string[] | undefined;
}

/** Asks for every page of both lists that may have changed, and puts those that did in the place of the old ones. */
export async function pullChanged(parts: PagesParts, signal: AbortSignal): Promise<Pulled | undefined> {
  const { client, settings, attributes, remembered } = parts;
  const { etags } = remembered;
  const most = Math.max(1, Object.keys(etags).length * MOST_SHARE);
  const changed = await fetchChangedPages(client, { etags: etagsToAsk(parts), most }, signal);
  const pages = changed && pagesOfBoth(changed, { settings, etags });
  const places = pages && { users: placesOn(pages.users), groups: placesOn(pages.groups) };
  const before = places && (await remembered.some({ places }));
  if (changed === undefined || pages === undefined || before === undefined || !fit(pages, before.counts)) {
    return undefined;
  }
  const [ofUsers, ofGroups] = [userReader(attributes.user), groupReader(attributes.group)];
  const users = patchList("user", before.users, { read: ofUsers, placed: pages.users.flatMap(placedOn) });
  const groups = patchList("group", before.groups, {
    read: ofGroups,
    placed: pages.groups.flatMap(placedOn),
  });
  if (users === undefined || groups === undefined) {
    return undefined;
  }
  return pulledFromPatches(
    { users, groups },
    {
      statistics: { ...client.traffic, mayShift: changed.size > 0, unchanged: changed.size === 0 },
      etags: etagsAfter(etags, changed),
      marks: changed.size === 0 ? remembered.marks : undefined,
    },
  );
}

/** With more than this share of all pages, a whole pull costs little more and tells everything. */
const MOST_SHARE = 0.25;

/** Where what is remembered is not what the names were made from, all of them. */
function etagsToAsk({ remembered: { etags }, changedPages: names }: PagesParts): Etags {
  const some = Object.entries(etags).filter(([url, etag]) => names?.includes(pageName(url, etag)));
  return some.length === names?.length ? Object.fromEntries(some) : etags;
}

/** A page that changed. */
interface ChangedPage {
  /** Place of its first record in the list, from 0. */
  readonly start: number;
  /** That of the first one on the next page; undefined on the last. */
  readonly end: number | undefined;
  readonly total: number | undefined;
  readonly resources: readonly unknown[];
}

type ByList<Value> = Readonly<Record<"users" | "groups", Value>>;

function pagesOfBoth(
  changed: Pages,
  { settings, etags }: { readonly settings: ScimSettings; readonly etags: Etags },
): ByList<readonly ChangedPage[]> | undefined {
  const pagesOf = (list: ListSettings) => pagesAmong(changed, startsOf({ base: settings.url, list, etags }));
  const [users, groups] = [pagesOf(settings.users), pagesOf(settings.groups)];
  return users && groups && { users, groups };
}

/** Undefined where one of them is no page of a list, or the first is missing. */
function pagesAmong(changed: Pages, starts: readonly PageStart[]): readonly ChangedPage[] | undefined {
  const pages: ChangedPage[] = [];
  for (const [nth, [start, url]] of starts.entries()) {
    const body = changed.get(url);
    const page = body && readListResponse(body.json);
    if (page !== undefined && "fault" in page) {
      return undefined;
    }
    if (page !== undefined) {
      const { totalResults: total, Resources: resources } = page;
      pages.push({ start, end: starts[nth + 1]?.[0], total, resources: resources ?? [] });
    }
  }
  return starts[0]?.[0] === 0 ? pages : undefined;
}

/** Whether the lists are as long as they were, and so is each page. */
function fit({ users, groups }: ByList<readonly ChangedPage[]>, counts: PickedDrafts["counts"]): boolean {
  const isFit =
    (count: number) =>
    ({ start, end = count, total, resources }: ChangedPage) =>
      total === count && resources.length === end - start;
  // A record without an id has a place in a list and no draft.
  return counts.problems === 0 && users.every(isFit(counts.users)) && groups.every(isFit(counts.groups));
}

function placedOn({ start, resources }: ChangedPage): readonly Placed[] {
  return resources.map((resource, nth) => [start + nth, resource]);
}

function placesOn(pages: readonly ChangedPage[]): ReadonlySet<number> {
  return new Set(pages.flatMap(placedOn).map(([place]) => place));
}

/** Where a page starts, from 0. */
type PageStart = readonly [start: number, url: string];

/** The pages of one list in their order; none where they are not numbered by position. The other list may have the same path. */
function startsOf({
  base,
  list,
  etags,
}: {
  readonly base: string;
  readonly list: ListSettings;
  readonly etags: Etags;
}): PageStart[] {
  return Object.keys(etags)
    .flatMap((url): PageStart[] => {
      const { startIndex, ...rest } = Object.fromEntries(new URL(url).searchParams);
      const { count } = rest;
      const page = { ...(startIndex !== undefined && { startIndex }), ...(count !== undefined && { count }) };
      return pageUrl(base, list, page) === url ? [[Number(startIndex) - 1, url]] : [];
    })
    .sort(([left], [right]) => left - right);
}

/** One page without an ETag makes the others useless. */
function etagsAfter(etags: Etags, changed: Pages): Etags {
  const news = [...changed].map(([url, { etag }]) => [url, etag] as const);
  return news.every(([, etag]) => etag !== undefined)
    ? { ...etags, ...Object.fromEntries(news.map(([url, etag]) => [url, etag ?? ""])) }
    : {};
}
