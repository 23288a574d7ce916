/**
 * `rollcall probe`: asks the daemon what a container runtime wants to know, and answers by the exit code.
 *
 * Unlike `status`, which also fails while the IAM is away and answers without a daemon.
 */

import { socketPath } from "../daemon/places.ts";
import { askSocket } from "../platform/socket-client.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";

/** Whether the daemon lives; whether users are in place, from the IAM or from memory. Exits with 0 only when the daemon says yes. */
export async function probe(
  context: Context,
  options: CommonOptions,
  which: "healthz" | "readyz",
): Promise<number> {
  const ask = { socket: socketPath(options.root, "health"), method: "GET", path: `/${which}` } as const;
  const reply = await askSocket(ask, context.signal);
  context.out(reply?.body.trim() ?? `no daemon answers at ${ask.socket}; start one: rollcall run`);
  return reply?.status === 200 ? EXIT.ok : EXIT.failed;
}
