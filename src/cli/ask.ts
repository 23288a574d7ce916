/**
 * What commands ask of a running daemon.
 */

import type { Asked } from "../daemon/decisions.ts";
import { socketPath } from "../daemon/places.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { RunRecord, TurnResult } from "../model/report.ts";
import { askSocket } from "../platform/socket-client.ts";
import type { FullStatus, PublicStatus } from "../report/status.ts";

/** What the daemon's sync came to; undefined without a daemon. Throws the failure of the sync. */
export async function askDaemonToSync(
  root: string,
  asked: Asked,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  const socket = socketPath(root, "control");
  const ask = { socket, method: "POST", path: "/sync", body: JSON.stringify(asked) } as const;
  const reply = await askSocket(ask, signal).catch(lost);
  if (reply === undefined) {
    return undefined;
  }
  if (reply.status !== 200) {
    throw new Failure("daemon-lost", `The daemon did not take the request: ${reply.body.trim()}`);
  }
  const result: TurnResult = JSON.parse(reply.body);
  if (result.kind === "failed") {
    const { code, message } = result.failure;
    throw code === "unexpected" ? new Error(message) : new Failure(code, message);
  }
  return result.kind === "done" ? result.record : undefined;
}

/** What the daemon says of itself: everything to root, counts to everybody else; undefined without a daemon. */
export async function askDaemonForStatus(
  root: string,
  signal: AbortSignal,
): Promise<FullStatus | PublicStatus | undefined> {
  for (const name of ["control", "health"] as const) {
    const ask = { socket: socketPath(root, name), method: "GET", path: "/status" } as const;
    const reply = await askSocket(ask, signal).catch(lost);
    if (reply?.status === 200) {
      const status: FullStatus | PublicStatus = JSON.parse(reply.body);
      return status;
    }
  }
  return undefined;
}

function lost(error: unknown): never {
  const message = `The daemon ended the connection before it answered: ${messageOf(error)}. Look in its log (journalctl -u rollcall), and try again.`;
  throw new Failure("daemon-lost", message, { cause: error });
}
