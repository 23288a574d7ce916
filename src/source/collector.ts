/**
 * The pages of one list, held against each other: is it whole?
 *
 * In: pages in whatever order they arrive. Out: a draft of every resource, once, in the order of the list; or a failure,
 * because absent must never look like deleted. A page is taken apart as it comes and not kept.
 */

import { Failure } from "../model/failure.ts";
import type { Body } from "./answers.ts";
import type { ReadRecord } from "./drafts.ts";
import { createRecords, type ListDrafts, type Records } from "./records.ts";
import { type ListResponse, readListResponse } from "./schema.ts";
import type { ListSettings } from "./settings.ts";

/** How pages follow each other: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865). */
export interface Paging {
  readonly method: "index" | "cursor";
  /** Called after the first page; rejects when the others must not be asked for. */
  readonly mayGoOn?: () => Promise<void>;
}

/** One list to fetch. */
export interface ListRequest {
  readonly base: string;
  readonly kind: "user" | "group";
  readonly list: ListSettings;
  readonly pageSize: number;
  readonly paging: Paging;
  /** Called after each page: how many resources there are so far, and how many there will be. */
  readonly onPage: (fetched: number, total: number | undefined) => void;
}

/** A whole list. */
export interface WholeList<Draft> extends ListDrafts<Draft> {
  /** True when it came in pages numbered by position. */
  readonly mayShift: boolean;
  /** The ETag of each page by its address; undefined when a page had none. */
  readonly etags: Readonly<Record<string, string>> | undefined;
}

/** More pages than this are a server's mistake or an attack, not a directory. */
export const MAX_PAGES = 20_000;
const MAX_RESOURCES = 1_000_000;
/** Of all bodies of a list: it is held in memory until it is whole. */
const MAX_BYTES = 512 * 1024 ** 2;

/** What one page brought. */
export interface Page {
  readonly length: number;
  /** How many of its resources had not come before. */
  readonly fresh: number;
  readonly total: number | undefined;
  readonly nextCursor: string | undefined;
}

/** What the pages of one list come to, held against each other. */
export interface Collector<Draft> {
  /** Takes one page in; throws when it does not fit to the others. */
  add(page: Body, url: string, startIndex: string | undefined): Page;
  /** The list; throws when it is not whole. */
  finish(): WholeList<Draft>;
}

/** Makes one that has seen no page yet. */
export function createCollector<Draft extends { readonly id: string }>(
  request: ListRequest,
  read: ReadRecord<Draft>,
): Collector<Draft> {
  const records = createRecords(read);
  const etags = new Map<string, string | undefined>();
  let total: number | undefined;
  let received = 0;
  return {
    add({ json, etag, bytes }, url, startIndex) {
      const page = parsePage(json, request);
      if (etags.size > 0 && page.totalResults !== total) {
        refuse(request, `totalResults went from ${total} to ${page.totalResults} between pages`);
      }
      total = page.totalResults;
      etags.set(url, etag);
      received += bytes;
      refuseExcess(request, { pages: etags.size, bytes: received, resources: total ?? 0 });
      const before = records.size;
      const resources = page.Resources ?? [];
      refuseFlood(request, resources.length, total);
      addAll(records, resources, startIndex);
      refuseFlood(request, records.size, total);
      request.onPage(records.size, total);
      return {
        length: resources.length,
        fresh: records.size - before,
        total,
        nextCursor: page.nextCursor || undefined,
      };
    },
    finish() {
      if (total !== undefined && records.size !== total) {
        refuse(request, `${records.size} different resources came, but totalResults is ${total}`);
      }
      const mayShift = request.paging.method === "index" && etags.size > 1;
      return { ...records.finish(request.kind), etags: completeEtags(etags), mayShift };
    },
  };
}

/**
 * A resource without an id is known by what it says and where it stands: in the list; or behind a cursor on its page, so
 * that the same page behind another cursor adds none.
 */
function addAll(
  records: Records<unknown>,
  resources: readonly unknown[],
  startIndex: string | undefined,
): void {
  const start = startIndex === undefined ? records.size : Number(startIndex);
  resources.forEach((resource, position) => {
    const index = start + position;
    records.add(resource, { index, place: startIndex === undefined ? position : index });
  });
}

/** What no list may come to, nor claim: waiting for the rest of it would only cost more. */
function refuseExcess(
  request: ListRequest,
  { pages, bytes, resources }: Readonly<Record<"pages" | "bytes" | "resources", number>>,
): void {
  if (resources > MAX_RESOURCES) {
    refuse(request, `totalResults is ${resources}, more than ${MAX_RESOURCES}`, "iam-too-large");
  }
  if (pages > MAX_PAGES) {
    refuse(request, `more than ${MAX_PAGES} pages`, "iam-too-large");
  }
  if (bytes > MAX_BYTES) {
    refuse(request, `its pages are larger than ${MAX_BYTES} bytes together`, "iam-too-large");
  }
}

function refuseFlood(request: ListRequest, count: number, total: number | undefined): void {
  if (count > MAX_RESOURCES) {
    refuse(request, `more than ${MAX_RESOURCES} resources`, "iam-too-large");
  }
  if (total !== undefined && count > total) {
    refuse(request, `${count} resources came, but totalResults is ${total}`);
  }
}

/** One page without an ETag makes the others useless: it could have changed unseen. */
function completeEtags(
  etags: ReadonlyMap<string, string | undefined>,
): Readonly<Record<string, string>> | undefined {
  const known = [...etags].flatMap(([url, etag]) => (etag === undefined ? [] : [[url, etag] as const]));
  return known.length === etags.size ? Object.fromEntries(known) : undefined;
}

function parsePage(json: unknown, request: ListRequest): ListResponse {
  const page = readListResponse(json);
  return "fault" in page
    ? refuse(request, `the answer is no ListResponse: ${page.fault}`, "iam-invalid")
    : page;
}

/** Throws: the list cannot be used. */
export function refuse(
  { base, list }: ListRequest,
  reason: string,
  code: "iam-incomplete" | "iam-invalid" | "iam-too-large" = "iam-incomplete",
): never {
  const message = `Fetching ${list.path} from ${base}: ${reason}. A list that is not whole is never used; nothing was changed.`;
  throw new Failure(code, message);
}
