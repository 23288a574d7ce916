/**
 * The one door to HTTP: a GET, bounded in time and in bytes, that follows no redirect.
 */

import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Agent, type Dispatcher } from "undici";

/** How to reach a server. */
export interface HttpOptions {
  /** From the first byte sent to the last byte read. */
  readonly timeoutMs: number;
  /** Of one body, before and after decompression. */
  readonly maxBodyBytes: number;
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
  readonly body: Buffer;
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
    connect: {
      timeout: timeoutMs,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert, key }),
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 32 * 1024,
  });
  return {
    async get(url, headers, signal) {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const { origin, pathname, search } = new URL(url);
      const answer = await agent.request({
        origin,
        path: `${pathname}${search}`,
        method: "GET",
        headers: { ...headers, "accept-encoding": "gzip" },
        signal: limited,
      });
      return readAnswer(answer, options.maxBodyBytes);
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

async function readAnswer(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  limit: number,
): Promise<HttpAnswer> {
  const header = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  let wireBytes = 0;
  const counted = body.on("data", (chunk: Buffer) => {
    wireBytes += chunk.length;
  });
  const zipped = header("content-encoding")?.toLowerCase() === "gzip";
  const bytes = await readBounded(zipped ? unzip(counted) : counted, limit);
  return { status: statusCode, header, body: bytes, wireBytes };
}

/** An error on the wire must end the unzipping as well, and the other way round. */
function unzip(body: Readable): Readable {
  const gunzip = createGunzip();
  body.on("error", (error) => gunzip.destroy(error));
  gunzip.on("error", () => body.destroy());
  return body.pipe(gunzip);
}

async function readBounded(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      throw new BodyTooLarge(`the body is larger than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
