/**
 * What `sync` and `plan` begin with: the stages of a run under the configuration.
 */

import { loadConfig } from "../config/load.ts";
import type { Stages } from "../daemon/run-once.ts";
import { wireStages } from "../daemon/wire.ts";
import { systemClock } from "../platform/clock.ts";
import { type CommonOptions, type Context, configPath } from "./context.ts";
import { createProgress } from "./progress.ts";

/** Throws with every mistake when the configuration is not sound. */
export async function prepare(context: Context, options: CommonOptions): Promise<Stages> {
  return wireStages(await loadConfig(configPath(options)), {
    root: options.root,
    tokens: context.tokens,
    clock: systemClock,
    random: Math.random,
    onProgress: createProgress(context.redraw),
  });
}
