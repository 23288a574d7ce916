/**
 * A server that passes every connection on to another one: between a socket file and a port, so that a process in
 * another network namespace reaches a server of this one.
 *
 * In: where to listen, and whom to connect to; as a program, a port of loopback and a socket file. Out: bytes, unread.
 */

import { once } from "node:events";
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server } from "node:net";
import { pipeline } from "node:stream";

/** It listens when this returns. */
export async function startRelay(from: ListenOptions, to: NetConnectOpts): Promise<Server> {
  const server = createServer((incoming) => {
    // Either end may hang up at any moment; the other one then sees just that.
    pipeline(incoming, connect(to), incoming, () => undefined);
  }).listen(from);
  await once(server, "listening");
  return server;
}

if (import.meta.main) {
  const [port = "", path = ""] = process.argv.slice(2);
  await startRelay({ host: "127.0.0.1", port: Number(port) }, { path });
  console.log(`relaying port ${port}`);
}
