/**
 * What commands ask of a running daemon.
 *
 * What speaks HTTP is loaded only where a daemon may be: looking for its socket takes a fraction of that.
 */

import type { Asked } from "../daemon/decisions.ts";
import { socketPath } from "../daemon/places.ts";
import { Failure } from "../model/failure.ts";
import type { RunRecord, TurnResult } from "../model/report.ts";
import { isThere } from "../platform/system-files.ts";
import type { FullStatus, PublicStatus } from "../report/status.ts";

/** What the daemon's sync came to; undefined without a daemon. Throws the failure of the sync. */
export async function askDaemonToSync(
  root: string,
  asked: Asked,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  const socket = socketPath(root, "control");
  if (!(await mayAnswer(socket))) {
    return undefined;
  }
  const { askSocket } = await import("../platform/socket-client.ts");
  const { lost } = await import("../daemon/ask-status.ts");
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

/** What the daemon says of itself, as `daemon/ask-status.ts` has it; undefined without one. */
export async function askDaemonForStatus(
  root: string,
  signal: AbortSignal,
): Promise<FullStatus | PublicStatus | undefined> {
  if (!(await mayAnswer(socketPath(root, "control"))) && !(await mayAnswer(socketPath(root, "health")))) {
    return undefined;
  }
  const daemon = await import("../daemon/ask-status.ts");
  return daemon.askDaemonForStatus(root, signal);
}

/** Whoever may not look is told by the question itself. */
function mayAnswer(socket: string): Promise<boolean> {
  return isThere(socket).catch(() => true);
}
