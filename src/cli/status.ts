/**
 * `rollcall status`: how this node is, at a glance.
 */

import { askDaemonForStatus } from "../daemon/ask-status.ts";
import { systemClock } from "../platform/clock.ts";
import { renderStatus } from "../report/render-status.ts";
import type { FullStatus, PublicStatus } from "../report/status.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Options of this command alone. */
export interface StatusOptions extends CommonOptions {
  readonly watch?: boolean;
}

const WATCH_MS = 2000;

/** Exits with 0 only when a daemon runs and is healthy, or when there is none and the last sync went well lately. */
export async function status(context: Context, options: StatusOptions): Promise<number> {
  let isHealthy = await showOnce(context, options);
  while (options.watch === true && !context.signal.aborted) {
    await systemClock.sleep(WATCH_MS, context.signal).catch(() => undefined);
    isHealthy = context.signal.aborted ? isHealthy : await showOnce(context, options);
  }
  return isHealthy ? EXIT.ok : EXIT.failed;
}

async function showOnce(context: Context, options: StatusOptions): Promise<boolean> {
  const { status: found, isLive } = await findStatus(context, options);
  if (options.json === true) {
    context.out(toJson({ daemon: isLive, ...found }));
  } else {
    const clear = options.watch === true && context.colour ? ["\u001b[H\u001b[2J"] : [];
    const lines = renderStatus(found, { colour: context.colour, all: options.all === true }, isLive);
    context.out([...clear, ...lines].join("\n"));
  }
  return found.healthy;
}

async function findStatus(
  context: Context,
  options: StatusOptions,
): Promise<{ readonly status: FullStatus | PublicStatus; readonly isLive: boolean }> {
  const live = await askDaemonForStatus(options.root, context.signal);
  if (live !== undefined) {
    return { status: live, isLive: true };
  }
  const { loadConfig } = await import("../config/load.ts");
  const { lastStatus } = await import("../daemon/last-status.ts");
  const path = configPath(options);
  const { version } = context;
  const status = await lastStatus(await loadConfig(path), { root: options.root, version, configPath: path });
  return { status, isLive: false };
}
