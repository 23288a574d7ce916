/**
 * The one door to HTTP: a GET, bounded in time and in bytes, that follows no redirect.
 */

import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip as zippedToPlain } from "node:zlib";
import { Agent, type Dispatcher } from "undici";
import { errorCodeOf } from "../model/failure.ts";

/** How to reach a server. */
export interface HttpOptions {
  /** From the first try to connect to the last byte read. */
  readonly timeoutMs: number;
  /** Of one body, before and after decompression. */
  readonly maxBodyBytes: number;
  /** So many requests are in flight at most; others wait in line. */
  readonly connections: number;
  /** PEM texts; the system's own authorities when undefined. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** One answer, read to its end. */
export interface HttpAnswer {
  readonly status: number;
  /** The value of a header, by its name in lower case. */
  header(name: string): string | undefined;
  /** The body, unpacked, as UTF-8. */
  readonly text: string;
  /** Of the body, unpacked. */
  readonly bytes: number;
  /** Bytes of the body as they came over the wire. */
  readonly wireBytes: number;
}

/** Keeps connections alive until it is disposed of. */
export interface HttpClient extends AsyncDisposable {
  get(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer>;
}

/** Thrown for a body beyond `maxBodyBytes`. */
export class BodyTooLarge extends Error {}

/** Opens no connection before the first request. */
export function createHttpClient(options: HttpOptions): HttpClient {
  const { ca, cert, key, connections, timeoutMs } = options;
  const agent = new Agent({
    connections,
    // Nearly every server has HTTP/1.1, and the program is built without the rest (packaging/bundle.ts).
    allowH2: false,
    connect: {
      timeout: timeoutMs,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert, key }),
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 32 * 1024,
  });
  const inTurn = limiter(connections);
  const turnToRead = oneATurn();
  return {
    async get(url, headers, signal) {
      const { origin, pathname, search } = new URL(url);
      const request = { origin, path: `${pathname}${search}`, method: "GET", headers: asked(headers) };
      const answer = await inTurn(() => exchange(agent, request, { ...options, signal }));
      // Of a 304 there is nothing to read, and there may be a thousand.
      await (answer.bytes.length === 0 ? undefined : turnToRead());
      return readAnswer(answer, options.maxBodyBytes);
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function asked(headers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...headers, "accept-encoding": "gzip" };
}

/** An answer as it came over the wire. */
interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

interface Limits extends HttpOptions {
  readonly signal: AbortSignal;
}

/**
 * Without a stream for each body, and without an AbortSignal for each request: there may be a thousand of them, and
 * together these cost more than the bytes do.
 */
function exchange(
  agent: Agent,
  request: Dispatcher.DispatchOptions,
  { signal, timeoutMs, maxBodyBytes }: Limits,
): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
  let running: Dispatcher.DispatchController | undefined;
  let fault: Error | undefined;
  const giveUp = (error: Error) => {
    fault ??= error;
    running?.abort(fault);
    reject(fault);
  };
  const forget = watch(signal, timeoutMs, giveUp);
  agent.dispatch(request, {
    ...answerReader(maxBodyBytes, { resolve, giveUp }),
    onRequestStart(controller) {
      running = controller;
      // It may have waited for a connection longer than anybody waits for it.
      if (fault !== undefined) {
        controller.abort(fault);
      }
    },
  });
  return promise.finally(forget);
}

/**
 * Gives a request up when it is told to, or when it took too long; ends with the call of what it returns. A listener that was
 * removed may still lead to those that came after it, and V8's young collections keep what an old object leads to: so it
 * must not lead to an answer.
 */
function watch(signal: AbortSignal, timeoutMs: number, giveUp: (error: Error) => void): () => void {
  let told: typeof giveUp | undefined = giveUp;
  const stop = () => told?.(reasonOf(signal));
  const timer = setTimeout(() => told?.(timedOut()), timeoutMs);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) {
    stop();
  }
  return () => {
    told = undefined;
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  };
}

/** What becomes of one answer. */
interface Ends {
  readonly resolve: (answer: WireAnswer) => void;
  readonly giveUp: (error: Error) => void;
}

function answerReader(maxBodyBytes: number, { resolve, giveUp }: Ends): Dispatcher.DispatchHandler {
  const chunks: Buffer[] = [];
  let length = 0;
  let status = 0;
  let headers: WireAnswer["headers"] = {};
  return {
    onResponseStart(_, code, all) {
      status = code;
      headers = all;
    },
    onResponseData(_, chunk) {
      length += chunk.length;
      if (length > maxBodyBytes) {
        giveUp(tooLarge(maxBodyBytes));
      } else {
        chunks.push(chunk);
      }
    },
    onResponseEnd: () => resolve({ status, headers, bytes: Buffer.concat(chunks, length) }),
    onResponseError: (_, error) => giveUp(error),
  };
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new DOMException("This operation was aborted", "AbortError");
}

function timedOut(): Error {
  return new DOMException("The operation was aborted due to timeout", "TimeoutError");
}

function tooLarge(limit: number): BodyTooLarge {
  return new BodyTooLarge(`the body is larger than ${limit} bytes`);
}

async function readAnswer({ status, headers, bytes }: WireAnswer, limit: number): Promise<HttpAnswer> {
  const header = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const isZipped = header("content-encoding")?.toLowerCase() === "gzip";
  const body = isZipped ? await unzip(bytes, limit) : bytes;
  return { status, header, text: body.toString("utf8"), bytes: body.length, wireBytes: bytes.length };
}

/** Off this thread, and never to more than so many bytes. */
async function unzip(bytes: Buffer, limit: number): Promise<Buffer> {
  try {
    return await gunzip(bytes, { maxOutputLength: limit, chunkSize: 256 * 1024 });
  } catch (error) {
    throw errorCodeOf(error) === "ERR_BUFFER_TOO_LARGE" ? tooLarge(limit) : error;
  }
}

const gunzip = promisify(zippedToPlain);

/** Runs at most so many tasks at a time; the others wait in line. */
function limiter(limit: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= limit) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      running -= next === undefined ? 1 : 0;
      next?.();
    }
  };
}

/**
 * Keeps its promises one after the other, each in a turn of the event loop of its own: reading a page takes longer than asking
 * for the next one, so whoever waits for a connection goes first, and answers that came together do not hold up those to come.
 */
function oneATurn(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(() => setImmediate());
    return last;
  };
}
