/**
 * `rollcall probe`: asks the daemon what a container runtime wants to know, and answers by the exit code.
 *
 * Unlike `status`, which also fails while the IAM is away and answers without a daemon.
 */

import { socketPath } from "../daemon/places.ts";
import { messageOf } from "../model/failure.ts";
import { askSocketWithin } from "../platform/socket-client.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";

/** Shorter than a container runtime waits. */
const LIMIT_MS = 4000;

/** Whether the daemon lives; whether users are in place, from the IAM or from memory. Exits with 0 only when the daemon says yes. */
export async function probe(
  context: Context,
  options: CommonOptions,
  which: "healthz" | "readyz",
): Promise<number> {
  const ask = { socket: socketPath(options.root, "health"), method: "GET", path: `/${which}` } as const;
  try {
    const reply = await askSocketWithin(ask, LIMIT_MS, context.signal);
    context.out(reply?.body.trim() ?? `no daemon answers at ${ask.socket}; start one: rollcall run`);
    return reply?.status === 200 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    context.signal.throwIfAborted();
    context.out(
      `the daemon at ${ask.socket} does not work: ${messageOf(error)}; look in its log, or restart it`,
    );
    return EXIT.failed;
  }
}
