/**
 * A SCIM 2.0 service on loopback that misbehaves on demand.
 *
 * In: users and groups, which may be changed while it runs. Out: real HTTP. By itself it is a well-behaved
 * server with index and cursor paging; `misbehave` sees every request first and may answer it in its place.
 */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { gzipSync } from "node:zlib";
import { listenOnLoopback } from "./loopback.ts";

export type Resource = Record<string, unknown>;

/** One request, as `misbehave` sees it. */
export interface IamRequest {
  readonly list: string;
  readonly startIndex: number;
  readonly cursor: string | undefined;
  readonly count: number;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** How many requests for this list came before. */
  readonly nth: number;
}

export interface FakeIamOptions {
  readonly token?: string;
  readonly maxPage?: number;
  readonly etags?: boolean;
  readonly gzip?: boolean;
  /** Filters by meta.lastModified, alone or with `active eq …` before it; without it a filter is ignored. */
  readonly filters?: boolean;
  readonly pagination?: Readonly<Record<string, unknown>>;
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
}

export interface FakeIam extends AsyncDisposable {
  readonly url: string;
  readonly requests: IamRequest[];
  users: unknown[];
  groups: unknown[];
  token: string;
  filters: boolean;
  /** Return true when the answer has been given. */
  misbehave: ((request: IamRequest, response: ServerResponse, iam: FakeIam) => boolean) | undefined;
}

export const TOKEN = "test-token-9f2c41";
export const LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
export const SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error";

export async function startFakeIam(
  users: unknown[],
  groups: unknown[],
  options: FakeIamOptions = {},
): Promise<FakeIam> {
  const listener: RequestListener = (request, response) => answer({ iam, options }, request, response);
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer(
          { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined },
          listener,
        );
  const port = await listenOnLoopback(server);
  const iam: FakeIam = {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/scim/v2`,
    requests: [],
    users,
    groups,
    token: options.token ?? TOKEN,
    filters: options.filters ?? false,
    misbehave: undefined,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return iam;
}

function answer(
  { iam, options }: { readonly iam: FakeIam; readonly options: FakeIamOptions },
  message: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(message.url ?? "/", iam.url);
  const list = url.pathname.split("/").at(-1) ?? "";
  const request: IamRequest = {
    list,
    startIndex: Number(url.searchParams.get("startIndex") ?? 1),
    cursor: url.searchParams.get("cursor") ?? undefined,
    count: Number(url.searchParams.get("count") ?? 100),
    query: url.searchParams,
    headers: message.headers,
    nth: iam.requests.filter((earlier) => earlier.list === list).length,
  };
  iam.requests.push(request);
  if (iam.misbehave?.(request, response, iam) === true) {
    return;
  }
  if (message.headers.authorization !== `Bearer ${iam.token}`) {
    sendError(response, 401, "the token is not valid");
  } else if (list === "ServiceProviderConfig" && options.pagination !== undefined) {
    sendJson(response, { pagination: options.pagination });
  } else if (list === "Users" || list === "Groups") {
    sendPage(response, { iam, options, request });
  } else {
    sendError(response, 404, "no such resource");
  }
}

/** A page as a well-behaved server makes it. */
export function pageOf(iam: FakeIam, request: IamRequest, maxPage = 1000): Record<string, unknown> {
  const all = listOf(iam, request);
  const start = request.cursor === undefined ? request.startIndex - 1 : Number(request.cursor || 0);
  const resources = all.slice(start, start + Math.min(request.count, maxPage));
  const next = start + resources.length;
  return {
    schemas: [LIST_RESPONSE],
    totalResults: all.length,
    Resources: resources,
    ...(request.cursor === undefined
      ? { startIndex: start + 1, itemsPerPage: resources.length }
      : next < all.length && { nextCursor: String(next) }),
  };
}

/** What a list has, by the filter where the server knows filters. */
export function listOf(iam: FakeIam, { list, query }: Pick<IamRequest, "list" | "query">): unknown[] {
  const all = list === "Users" ? iam.users : iam.groups;
  const filter = query.get("filter");
  return iam.filters && filter !== null ? all.filter((one) => matches(one as Resource, filter)) : all;
}

/** Comparisons joined by `and`, in brackets or not; throws for any other filter. */
function matches(resource: Resource, filter: string): boolean {
  return filter.split(" and ").every((part) => {
    const [, path = "", operator, json = ""] =
      /^\(?([\w.]+) (eq|ge) ("[^"]*"|true|false)\)?$/.exec(part) ?? [];
    if (operator === undefined) {
      throw new Error(`a filter that this server does not know: ${filter}`);
    }
    const value = path
      .split(".")
      .reduce<unknown>((at, name) => (at as Resource | null | undefined)?.[name], resource);
    const wanted: unknown = JSON.parse(json);
    return operator === "eq" ? value === wanted : Date.parse(String(value)) >= Date.parse(String(wanted));
  });
}

function sendPage(
  response: ServerResponse,
  {
    iam,
    options,
    request,
  }: { readonly iam: FakeIam; readonly options: FakeIamOptions; readonly request: IamRequest },
): void {
  const body = JSON.stringify(pageOf(iam, request, options.maxPage));
  const etag = `W/"${createHash("sha1").update(body).digest("hex")}"`;
  if (options.etags === true && request.headers["if-none-match"] === etag) {
    response.writeHead(304).end();
    return;
  }
  const zipped = options.gzip === true && /gzip/.test(String(request.headers["accept-encoding"]));
  response.writeHead(200, {
    "content-type": "application/scim+json",
    ...(options.etags === true && { etag }),
    ...(zipped && { "content-encoding": "gzip" }),
  });
  response.end(zipped ? gzipSync(body) : body);
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): true {
  response.writeHead(status, { "content-type": "application/scim+json" }).end(JSON.stringify(body));
  return true;
}

export function sendError(response: ServerResponse, status: number, detail: string): true {
  return sendJson(response, { schemas: [SCIM_ERROR], status: String(status), detail }, status);
}
