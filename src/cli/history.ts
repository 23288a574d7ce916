/**
 * `rollcall history [USER]`: what changed on this node, when and why, the newest first.
 */

import { loadConfig } from "../config/load.ts";
import { readHistory } from "../daemon/history.ts";
import { systemClock } from "../platform/clock.ts";
import { renderHistory, tellHistory } from "../report/history.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Options of this command alone. */
export interface HistoryOptions extends CommonOptions {
  /** Milliseconds before now, or a moment in milliseconds since 1970. */
  readonly since?: { readonly agoMs: number } | { readonly atMs: number };
  readonly limit: number;
}

/** Prints it; exits with 0 also when there is nothing to tell. */
export async function history(
  context: Context,
  options: HistoryOptions,
  user: string | undefined,
): Promise<number> {
  const found = await readHistory(await loadConfig(configPath(options)), options.root);
  const { since, all } = options;
  const sinceMs =
    since === undefined ? undefined : "atMs" in since ? since.atMs : systemClock.now() - since.agoMs;
  const limit = all === true ? Number.POSITIVE_INFINITY : options.limit;
  const told = tellHistory(found, { user, sinceMs, limit });
  if (options.json === true) {
    context.out(toJson(told));
  } else {
    const users = found.syncs.flatMap(({ changes }) =>
      changes.flatMap(({ change }) => ("user" in change ? [change.user] : [])),
    );
    const style = { colour: context.colour, user, users: [...new Set(users)] };
    renderHistory(told, style).forEach((line) => context.out(line));
  }
  if (told.damaged > 0) {
    context.err(
      `rollcall: ${told.damaged} line(s) of the history are damaged and left out; look for them in the journal`,
    );
  }
  return EXIT.ok;
}
