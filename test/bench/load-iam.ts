/**
 * A SCIM service for load: pages are made once and kept as bytes, so that it is not what is measured.
 *
 * In: one JSON object of options as its argument. Out: its address on the first line of standard output. It runs as a
 * process of its own until its standard input ends. `/bench/keys?from=1&count=10` gives so many users other keys, and
 * `&line=…` this very one; `/bench/traffic` says what was asked since the last time.
 */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { LIST_RESPONSE, sendError, sendJson } from "../support/fake-iam.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { aKey, POSIX } from "../support/records.ts";

/** What is served, and how. */
export interface LoadOptions {
  readonly users: number;
  /** Milliseconds before each answer. */
  readonly latencyMs: number;
  /** The largest page. */
  readonly maxPage: number;
  readonly etag: boolean;
  readonly gzip: boolean;
  /** Whether ServiceProviderConfig prefers cursors (RFC 9865). */
  readonly cursor: boolean;
  /** Whether `filter=meta.lastModified ge "…"` is obeyed; else it is refused. */
  readonly filter: boolean;
}

/** What came in and went out. */
export interface LoadTraffic {
  readonly requests: number;
  readonly bytes: number;
}

const USERS_PER_GROUP = 50;
const EPOCH_MS = Date.UTC(2026, 0, 1);
/** Between two records: an IAM is not edited all at once. */
const APART_MS = 60_000;

const options: LoadOptions = JSON.parse(process.argv[2] ?? "{}");

interface List {
  readonly records: string[];
  /** Of each record, in milliseconds since 1970. */
  readonly modified: number[];
  readonly pages: Map<string, Page>;
}

interface Page {
  readonly plain: Buffer;
  readonly zipped: Buffer | undefined;
  readonly etag: string;
}

/** About a kilobyte, as an IAM for people sends it. */
function userText(nth: number, modifiedMs: number, keys: readonly string[]): string {
  const hash = createHash("sha256").update(`user ${nth}`).digest("hex");
  const id = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  const name = `user${String(nth).padStart(6, "0")}`;
  return JSON.stringify({
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", POSIX],
    id,
    externalId: hash.slice(32, 52),
    userName: name,
    name: { formatted: `Given${nth} Family${nth}`, givenName: `Given${nth}`, familyName: `Family${nth}` },
    displayName: `Given${nth} Family${nth}`,
    emails: [{ value: `${name}@research.example.org`, type: "work", primary: true }],
    title: "Researcher",
    active: true,
    [POSIX]: {
      uidNumber: 100_000 + nth,
      gidNumber: 500_000 + Math.floor((nth - 1) / USERS_PER_GROUP),
      homeDirectory: `/home/${name}`,
      loginShell: "/bin/bash",
      sshKeys: keys,
    },
    meta: {
      resourceType: "User",
      created: "2025-06-01T08:00:00.000Z",
      lastModified: new Date(modifiedMs).toISOString(),
      location: `https://iam.example.org/scim/v2/Users/${id}`,
      version: `W/"${hash.slice(52, 60)}${modifiedMs.toString(36)}"`,
    },
  });
}

function keysOf(nth: number, seed: number): string[] {
  return [aKey(seed, `user${nth}@laptop`), aKey(seed + 1, `user${nth}@desktop`)];
}

function groupText(nth: number, users: readonly string[]): string {
  const members = users.slice(nth * USERS_PER_GROUP, (nth + 1) * USERS_PER_GROUP).map((text) => {
    const { id, displayName } = JSON.parse(text);
    return { value: id, display: displayName, type: "User" };
  });
  return JSON.stringify({
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    id: `group-${nth}`,
    displayName: `project${String(nth).padStart(5, "0")}`,
    [POSIX]: { gidNumber: 500_000 + nth },
    members,
    meta: {
      resourceType: "Group",
      lastModified: new Date(EPOCH_MS + nth * APART_MS).toISOString(),
      version: `W/"g${nth}"`,
    },
  });
}

function listOf(records: string[], modified: number[]): List {
  return { records, modified, pages: new Map() };
}

const modified = Array.from({ length: options.users }, (_, index) => EPOCH_MS + index * APART_MS);
const users = listOf(
  modified.map((at, index) => userText(index + 1, at, keysOf(index + 1, 2 * index))),
  modified,
);
const groups = listOf(
  Array.from({ length: Math.ceil(options.users / USERS_PER_GROUP) }, (_, nth) =>
    groupText(nth, users.records),
  ),
  Array.from({ length: Math.ceil(options.users / USERS_PER_GROUP) }, (_, nth) => EPOCH_MS + nth * APART_MS),
);
let changes = 0;
let traffic = { requests: 0, bytes: 0 };

function pageOf(list: List, query: URLSearchParams): Page {
  const since = /^meta\.lastModified ge "([^"]+)"$/.exec(query.get("filter") ?? "")?.[1];
  const cursor = query.get("cursor") ?? undefined;
  const count = Math.min(options.maxPage, Number(query.get("count") ?? options.maxPage));
  const start = cursor === undefined ? Number(query.get("startIndex") ?? 1) - 1 : Number(cursor || 0);
  const key = `${since} ${cursor === undefined} ${start} ${count}`;
  const known = list.pages.get(key);
  if (known !== undefined) {
    return known;
  }
  const all =
    since === undefined
      ? list.records
      : list.records.filter((_, index) => (list.modified[index] ?? 0) >= Date.parse(since));
  const records = all.slice(start, start + count);
  const next = start + records.length;
  const paging =
    cursor === undefined
      ? `"startIndex":${start + 1},"itemsPerPage":${records.length},`
      : next < all.length
        ? `"nextCursor":"${next}",`
        : "";
  const head = `{"schemas":["${LIST_RESPONSE}"],"totalResults":${all.length},${paging}"Resources":[`;
  const plain = Buffer.from(`${head}${records.join(",")}]}`);
  const etag = `W/"${createHash("sha1").update(plain).digest("hex")}"`;
  const page = { plain, zipped: options.gzip ? gzipSync(plain) : undefined, etag };
  list.pages.set(key, page);
  return page;
}

/** Other keys for users numbered from `from`, and a time of change later than any before. */
function changeKeys(from: number, count: number, line: string | null): void {
  changes += 1;
  const at = EPOCH_MS + (options.users + changes) * APART_MS;
  for (let nth = from; nth < from + count; nth += 1) {
    users.modified[nth - 1] = at;
    const seed = 1_000_000 * changes + 2 * nth;
    users.records[nth - 1] = userText(nth, at, line === null ? keysOf(nth, seed) : [line]);
  }
  users.pages.clear();
}

async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(message.url ?? "/", "http://localhost");
  const number = (name: string) => Number(url.searchParams.get(name));
  if (url.pathname === "/bench/traffic") {
    sendJson(response, traffic);
    traffic = { requests: 0, bytes: 0 };
    return;
  }
  if (url.pathname === "/bench/keys") {
    changeKeys(number("from"), number("count"), url.searchParams.get("line"));
    sendJson(response, {});
    return;
  }
  traffic.requests += 1;
  await (options.latencyMs > 0 ? sleep(options.latencyMs) : undefined);
  const list = { Users: users, Groups: groups }[url.pathname.split("/").at(-1) ?? ""];
  if (list === undefined) {
    const offer = options.cursor ? { cursor: true, index: true, defaultPaginationMethod: "cursor" } : {};
    sendJson(response, { pagination: offer });
  } else if (url.searchParams.has("filter") && !options.filter) {
    sendError(response, 400, "filters are not supported");
  } else {
    sendPage(response, pageOf(list, url.searchParams), message.headers);
  }
}

function sendPage(response: ServerResponse, page: Page, headers: IncomingMessage["headers"]): void {
  const etag = options.etag ? { etag: page.etag } : {};
  if (options.etag && headers["if-none-match"] === page.etag) {
    response.writeHead(304, etag).end();
    return;
  }
  const isZipped = page.zipped !== undefined && /gzip/.test(String(headers["accept-encoding"]));
  const body = page.zipped !== undefined && isZipped ? page.zipped : page.plain;
  const encoding = isZipped ? { "content-encoding": "gzip" } : {};
  traffic.bytes += body.length;
  response.writeHead(200, {
    "content-type": "application/scim+json",
    "content-length": body.length,
    ...etag,
    ...encoding,
  });
  response.end(body);
}

const server = createServer((message, response) => void answer(message, response));
console.log(`http://127.0.0.1:${await listenOnLoopback(server)}`);
process.stdin.resume().on("end", () => process.exit());
