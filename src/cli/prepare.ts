/**
 * What `sync` and `plan` begin with: the configuration, and what lies outside it.
 */

import { loadConfig } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { Surroundings } from "../daemon/surroundings.ts";
import { systemClock } from "../platform/clock.ts";
import { type CommonOptions, type Context, configPath } from "./context.ts";
import { createProgress } from "./progress.ts";

/** Throws with every mistake when the configuration is not sound. */
export async function prepare(
  context: Context,
  options: CommonOptions,
): Promise<{ readonly settings: Settings; readonly around: Surroundings }> {
  return {
    settings: await loadConfig(configPath(options)),
    around: surroundingsFor(context, options),
  };
}

/** What lies outside the configuration. */
export function surroundingsFor(context: Context, { root }: CommonOptions): Surroundings {
  return {
    root,
    tokens: context.tokens,
    loginUsers: context.loginUsers,
    inStepWith: undefined,
    clock: systemClock,
    random: Math.random,
    onProgress: createProgress(context.redraw),
  };
}
