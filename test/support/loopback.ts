/**
 * Servers of tests listen on loopback alone, where the kernel finds a port for them.
 */

import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** The port that it listens on from now on. */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
