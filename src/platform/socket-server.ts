/**
 * HTTP on a Unix socket, for `curl --unix-socket` and for this program itself.
 *
 * Whoever can reach a socket may be slow, hostile or many, so everything has a bound: connections, the time and
 * the size of a request, and how long an answer may take to be read. When there are too many connections, the
 * oldest makes room.
 */

import { readFileSync } from "node:fs";
import { chmod, rename, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { systemClock } from "./clock.ts";
import { ignoreAbsence, temporaryName } from "./files.ts";

/** One request, read to its end. */
export interface SocketRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly body: string;
}

/** What is sent back. */
export interface SocketAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers a request; what it throws becomes a 500 without details. */
export type Route = (request: SocketRequest) => Promise<SocketAnswer>;

/** Connections at a time; more, for as long as a burst lasts, but a quarter of the descriptors at most. */
const MAX_CONNECTIONS = 128;
const MAX_BURST = 2048;
const PATIENCE_MS = 200;
const MAX_BODY_BYTES = 4096;
const MAX_HEADER_BYTES = 4096;
/** For the whole request to arrive. */
const REQUEST_MS = 5000;
/** Without a byte of the answer being read. */
const IDLE_MS = 10_000;

/**
 * Listens at `path` until it is disposed of. The socket is made aside and renamed into place, so that nobody meets it
 * without its mode; one that was left behind is replaced. Who may connect is up to `mode` (unix(7)).
 */
export async function serveSocket(
  { path, mode }: { readonly path: string; readonly mode: number },
  route: Route,
): Promise<AsyncDisposable> {
  const server = boundedServer(route);
  const aside = join(dirname(path), temporaryName());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: aside, backlog: 511 }, resolve);
  });
  await chmod(aside, mode);
  await rename(aside, path);
  return {
    async [Symbol.asyncDispose]() {
      await unlink(path).catch(ignoreAbsence);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function boundedServer(route: Route): Server {
  const asked = new WeakSet<Socket>();
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      // One request for each connection: what is sent behind it is not read.
      if (asked.has(request.socket)) {
        request.socket.destroy();
      } else {
        asked.add(request.socket);
        void answer(route, request, response);
      }
    },
  );
  server.keepAliveTimeout = 1;
  const connections = new Map<Socket, number>();
  const burst = burstLimit();
  server.on("connection", (socket: Socket) => {
    const now = systemClock.monotonicMs();
    connections.set(socket, now);
    socket.on("close", () => connections.delete(socket));
    makeRoom(connections, burst, now);
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

/** In the order in which they came: whoever had time enough goes first, the newest when nobody had. */
function makeRoom(connections: ReadonlyMap<Socket, number>, burst: number, now: number): void {
  const [oldest] = connections;
  if (connections.size > MAX_CONNECTIONS && oldest !== undefined && now - oldest[1] > PATIENCE_MS) {
    oldest[0].destroy();
  } else if (connections.size > burst) {
    [...connections.keys()].at(-1)?.destroy();
  }
}

/** Descriptors are needed for syncs as well. */
function burstLimit(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const descriptors = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1024);
  return Math.min(MAX_BURST, Math.floor(descriptors / 4));
}

async function answer(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // An answer may take its time, as a sync does; but whoever asked must be there to read it.
  request.socket.setTimeout(0);
  response.on("finish", () => request.socket.setTimeout(IDLE_MS, () => request.socket.destroy()));
  const { status, contentType, body } = await readAndRoute(route, request);
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(body);
}

async function readAndRoute(route: Route, request: IncomingMessage): Promise<SocketAnswer> {
  try {
    const isPost = request.method === "POST";
    const body = isPost ? await readBody(request) : "";
    if (body === undefined) {
      return plain(413, "The body is too large.");
    }
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    return await route({ method: request.method ?? "GET", path, body });
  } catch {
    return plain(500, "Answering this failed; the log has the reason if there is one.");
  }
}

/** Undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** One sentence. */
export function plain(status: number, sentence: string): SocketAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${sentence}\n` };
}
