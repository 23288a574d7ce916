/**
 * What commands ask of a running daemon.
 */

import { lost } from "../daemon/ask-status.ts";
import type { Asked } from "../daemon/decisions.ts";
import { socketPath } from "../daemon/places.ts";
import { Failure } from "../model/failure.ts";
import type { RunRecord, TurnResult } from "../model/report.ts";
import { askSocket } from "../platform/socket-client.ts";

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
