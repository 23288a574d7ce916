/**
 * Fetches only the pages that changed, where each of the last pull has an ETag (RFC 7644 §3.14).
 *
 * In: what is remembered of the last pull. Out: the drafts of both lists as a whole pull would have them. Undefined where only a
 * whole pull can tell: records came or went, so that pages moved; most pages changed; or a page is not what it should be.
 */

import type { GroupDraft, UserDraft } from "../model/draft.ts";
import type { Body } from "./answers.ts";
import { groupReader, type ReadRecord, userReader } from "./drafts.ts";
import { type PatchedList, type Placed, patchList, pulledFromPatches } from "./patched.ts";
import { changedPages, type Pages } from "./probe.ts";
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

/** Asks for every page of both lists, and puts those that changed in the place of the old ones. */
export async function pullChanged(parts: ChangedParts, signal: AbortSignal): Promise<Pulled | undefined> {
  const { client, settings, attributes, remembered } = parts;
  const { etags } = remembered;
  const most = Math.max(1, Object.keys(etags).length * MOST_SHARE);
  const changed = await changedPages(client, { etags, most }, signal);
  const before = changed && (await remembered.draftsOfEtags());
  // A record without an id has a place in a list and no draft.
  if (changed === undefined || before === undefined || before.problems.length > 0) {
    return undefined;
  }
  const around = { base: settings.url, etags, changed };
  const users = patchPages("user", before.users, {
    ...around,
    list: settings.users,
    read: userReader(attributes.user),
  });
  const groups = patchPages("group", before.groups, {
    ...around,
    list: settings.groups,
    read: groupReader(attributes.group),
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

/** With more than this share of all, a whole pull costs little more and tells everything. */
const MOST_SHARE = 0.25;

/** One list, its pages, and how its records are read. */
interface ListPages<Draft> {
  readonly base: string;
  readonly list: ListSettings;
  readonly etags: Etags;
  readonly changed: Pages;
  readonly read: ReadRecord<Draft>;
}

function patchPages<Draft extends UserDraft | GroupDraft>(
  kind: "user" | "group",
  before: readonly Draft[],
  pages: ListPages<Draft>,
): PatchedList<Draft> | undefined {
  const starts = startsOf(pages);
  const placed: Placed[] = [];
  for (const [nth, [start, url]] of starts.entries()) {
    const body = pages.changed.get(url);
    const end = starts[nth + 1]?.[0] ?? before.length + 1;
    const resources =
      body === undefined ? [] : resourcesOf(body, { total: before.length, count: end - start });
    if (resources === undefined || (nth === 0 && start !== 1)) {
      return undefined;
    }
    placed.push(...resources.map((resource, place) => [start - 1 + place, resource] as const));
  }
  return starts.length > 0 ? patchList(kind, before, { read: pages.read, placed }) : undefined;
}

/** The pages of one list by where they start; none where they are not numbered by position. The other list may have the same path. */
function startsOf({
  base,
  list,
  etags,
}: Pick<ListPages<unknown>, "base" | "list" | "etags">): (readonly [start: number, url: string])[] {
  return Object.keys(etags)
    .flatMap((url) => {
      const { startIndex, ...rest } = Object.fromEntries(new URL(url).searchParams);
      const { count } = rest;
      const page = { ...(startIndex !== undefined && { startIndex }), ...(count !== undefined && { count }) };
      return pageUrl(base, list, page) === url ? [[Number(startIndex), url] as const] : [];
    })
    .sort(([left], [right]) => left - right);
}

/** Undefined for a page of a list that is longer or shorter than it was, or is none. */
function resourcesOf(
  { json }: Body,
  { total, count }: { readonly total: number; readonly count: number },
): readonly unknown[] | undefined {
  const page = readListResponse(json);
  if ("fault" in page || page.totalResults !== total || page.Resources?.length !== count) {
    return undefined;
  }
  return page.Resources;
}

/** One page without an ETag makes the others useless. */
function etagsAfter(etags: Etags, changed: Pages): Etags {
  const news = [...changed].map(([url, { etag }]) => [url, etag] as const);
  return news.every(([, etag]) => etag !== undefined)
    ? { ...etags, ...Object.fromEntries(news.map(([url, etag]) => [url, etag ?? ""])) }
    : {};
}
