/**
 * What a running daemon says of itself, to whoever asks on this node.
 */

import { Failure, messageOf } from "../model/failure.ts";
import { askSocketWithin } from "../platform/socket-client.ts";
import type { FullStatus, PublicStatus } from "../report/status.ts";
import { socketPath } from "./places.ts";

/** A daemon that stands still answers nobody. */
const LIMIT_MS = 10_000;

/** Everything to root, counts to everybody else; undefined without a daemon. */
export async function askDaemonForStatus(
  root: string,
  signal: AbortSignal,
): Promise<FullStatus | PublicStatus | undefined> {
  for (const name of ["control", "health"] as const) {
    const ask = { socket: socketPath(root, name), method: "GET", path: "/status" } as const;
    const reply = await askSocketWithin(ask, LIMIT_MS, signal).catch(lost);
    if (reply?.status === 200) {
      const status: FullStatus | PublicStatus = JSON.parse(reply.body);
      return status;
    }
  }
  return undefined;
}

/** For `catch`: the daemon was there, and its answer did not come whole. */
export function lost(error: unknown): never {
  const message = `The daemon ended the connection before it answered: ${messageOf(error)}. Look in its log (journalctl -u rollcall), and try again.`;
  throw new Failure("daemon-lost", message, { cause: error });
}
