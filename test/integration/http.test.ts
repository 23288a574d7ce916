/**
 * The door to HTTP against a real server: what comes in pieces is whole, and what was read is held no longer.
 */

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { createHttpClient, type HttpClient } from "../../src/platform/http.ts";
import { listenOnLoopback } from "../support/loopback.ts";

const MIB = 1024 ** 2;

/** A server that answers each request so, and a client of it with so many connections. */
async function served(
  answer: (response: ServerResponse, path: string) => void,
  connections: number,
): Promise<AsyncDisposable & { readonly url: string; readonly client: HttpClient; ports(): number }> {
  const ports = new Set<number | undefined>();
  const server = createServer((message, response) => {
    ports.add(message.socket.remotePort);
    answer(response, message.url ?? "");
  });
  const port = await listenOnLoopback(server);
  const limits = { timeoutMs: 30_000, maxBodyBytes: MIB, connections };
  const client = createHttpClient({ ...limits, ca: undefined, cert: undefined, key: undefined });
  return {
    url: `http://127.0.0.1:${port}`,
    client,
    ports: () => ports.size,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      server.close();
    },
  };
}

/** In so many bytes at a time: those of one turn come in one read, and a character may lie across two. */
async function sendInPieces(response: ServerResponse, bytes: Buffer, size: number): Promise<void> {
  for (let start = 0; start < bytes.length; start += size) {
    response.write(bytes.subarray(start, start + size));
    if (start % (40 * size) === 0) {
      await nextTurn();
    }
  }
  response.end();
}

describe("a client of HTTP", () => {
  it("puts bodies together from whatever pieces, also several on one connection", async () => {
    const textOf = (path: string) => `${path} Ünïcödé 名前 🔑 `.repeat(500);
    await using there = await served((response, path) => {
      const [, encoding, size] = path.split("/");
      const plain = Buffer.from(textOf(path));
      response.setHeader("content-encoding", encoding === "gzip" ? "gzip" : "identity");
      void sendInPieces(response, encoding === "gzip" ? gzipSync(plain) : plain, Number(size));
    }, 1);
    const paths = ["identity", "gzip"].flatMap((encoding) =>
      [7, 3, 1000].map((size) => `/${encoding}/${size}`),
    );
    const { signal } = new AbortController();
    const answers = await Promise.all(
      paths.map((path) => there.client.get(`${there.url}${path}`, {}, signal)),
    );
    for (const [nth, path] of paths.entries()) {
      assert.equal(answers[nth]?.text, textOf(path), path);
      assert.equal(answers[nth]?.bytes, Buffer.byteLength(textOf(path)), path);
    }
    assert.equal(there.ports(), 1);
  });

  it("holds no answer that was read, however many are asked for until the same signal", async () => {
    const body = Buffer.alloc(MIB / 8, "x");
    await using there = await served((response) => void response.end(body), 8);
    const { signal } = new AbortController();
    let left = 480;
    let most = 0;
    const lane = async () => {
      for (; left > 0; left -= 1) {
        await there.client.get(there.url, {}, signal);
        // As reading a page does: what survives the collections of young objects lies there until V8 has time.
        Array.from({ length: 30_000 }, (_, nth) => ({ nth, text: String(nth) }));
        most = Math.max(most, process.memoryUsage().arrayBuffers);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    assert.ok(most < 16 * MIB, `${(most / MIB).toFixed(0)} MiB of the 60 MiB that came`);
  });
});
