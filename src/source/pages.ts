/**
 * All pages of one list, or none.
 *
 * A list is whole when every page was a ListResponse, as many different resources came as `totalResults`
 * says, and that number was the same on every page. Anything else throws: absent must never look like
 * deleted. Index paging (RFC 7644 §3.4.2.4) fetches the pages after the first in parallel; cursor paging
 * (RFC 9865) follows `nextCursor` from page to page.
 */

import { quoted } from "../model/quoted.ts";
import {
  createCollector,
  type ListRequest,
  MAX_PAGES,
  type Page,
  refuse,
  type WholeList,
} from "./collector.ts";
import type { ReadRecord } from "./drafts.ts";
import { inLanes, together } from "./lanes.ts";
import { pageUrl } from "./query.ts";
import type { ScimClient } from "./scim-client.ts";

/** Fetches a list to its end; all requests of a list that failed are given up. */
export async function fetchList<Draft extends { readonly id: string }>(
  client: ScimClient,
  { request, read }: { readonly request: ListRequest; readonly read: ReadRecord<Draft> },
  signal: AbortSignal,
): Promise<WholeList<Draft>> {
  const collector = createCollector(request, read);
  const fetchPageUntil = (until: AbortSignal) => async (page: PageQuery) => {
    const url = pageUrl(request.base, request.list, page);
    const what = `Fetching ${request.list.path}`;
    const fetched = await client.fetch({ what, url }, until);
    return fetched.kind === "body"
      ? collector.add(fetched, url, page["startIndex"])
      : refuse(request, "304 without If-None-Match");
  };
  await together(signal, (until) =>
    request.paging.method === "cursor"
      ? followCursors(fetchPageUntil(until), request)
      : followIndexes(fetchPageUntil(until), request, client.lanes),
  );
  return collector.finish();
}

type PageQuery = Readonly<Record<string, string>>;
type FetchPage = (page: PageQuery) => Promise<Page>;

async function followIndexes(fetchPage: FetchPage, request: ListRequest, parallel: number): Promise<void> {
  const first = await fetchPage({ startIndex: "1", count: String(request.pageSize) });
  await request.paging.mayGoOn?.();
  const total = first.total ?? refuse(request, "the server sent no totalResults");
  const step = first.length;
  if (step === 0 && total > 0) {
    refuse(request, `the first page is empty, though totalResults is ${total}`);
  }
  if (step > 0 && total / step > MAX_PAGES) {
    refuse(request, `${total} resources at ${step} a page are more than ${MAX_PAGES} pages`, "iam-too-large");
  }
  const starts = Array.from(
    { length: Math.max(0, Math.ceil(total / (step || 1)) - 1) },
    (_, page) => 1 + (page + 1) * step,
  );
  await inLanes(parallel, starts, (start) =>
    fetchRange(fetchPage, { start, end: Math.min(total, start + step - 1) }, request),
  );
}

/** Fetches the resources of one range; a server may give fewer at a time than it gave on the first page. */
async function fetchRange(
  fetchPage: FetchPage,
  range: { readonly start: number; readonly end: number },
  request: ListRequest,
): Promise<void> {
  for (let start = range.start; start <= range.end; ) {
    const page = await fetchPage({ startIndex: String(start), count: String(range.end - start + 1) });
    if (page.length === 0) {
      refuse(request, `the page at startIndex ${start} is empty, though totalResults is ${page.total}`);
    }
    if (page.fresh === 0) {
      refuse(request, `the page at startIndex ${start} holds nothing that had not come before`);
    }
    start += page.length;
  }
}

async function followCursors(fetchPage: FetchPage, request: ListRequest): Promise<void> {
  const seen = new Set<string>();
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const { nextCursor, fresh }: Page = await fetchPage({ cursor, count: String(request.pageSize) });
    if (nextCursor !== undefined && fresh === 0) {
      refuse(request, "a page held nothing new, yet there is another cursor");
    }
    if (nextCursor !== undefined && seen.has(nextCursor)) {
      refuse(request, `the cursor ${quoted(nextCursor)} came a second time, so the list has no end`);
    }
    seen.add(cursor);
    cursor = nextCursor;
  }
}
