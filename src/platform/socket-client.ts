/**
 * Asks the daemon over its Unix socket.
 */

import { request } from "node:http";
import { errorCodeOf } from "../model/failure.ts";

/** What came back. */
export interface SocketReply {
  readonly status: number;
  readonly body: string;
}

/** One request. */
export interface SocketAsk {
  readonly socket: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

/** Nobody listens there, or can at a path like this, or this user may not ask. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "EACCES", "ENOTDIR", "EINVAL", "ELOOP"]);

/** The same for a question that a daemon which works answers at once: rejects after `limitMs`. */
export function askSocketWithin(
  ask: SocketAsk,
  limitMs: number,
  signal: AbortSignal,
): Promise<SocketReply | undefined> {
  const limit = AbortSignal.timeout(limitMs);
  return askSocket(ask, AbortSignal.any([signal, limit])).catch((error: unknown) => {
    const isLate = limit.aborted && !signal.aborted;
    throw isLate ? new Error(`no answer within ${limitMs / 1000} s`, { cause: error }) : error;
  });
}

/** Undefined when nobody is there to ask; rejects when the connection breaks before the answer is whole. */
export function askSocket(
  { socket, method, path, body }: SocketAsk,
  signal: AbortSignal,
): Promise<SocketReply | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, method, path, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    sent.on("error", (error) => (NOBODY.has(errorCodeOf(error) ?? "") ? resolve(undefined) : reject(error)));
    sent.end(body);
  });
}
