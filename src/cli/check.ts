/**
 * `rollcall check`: is the configuration sound? All mistakes at once.
 */

import { checkConfig, type Loaded, renderMistake } from "../config/load.ts";
import { quoted } from "../model/quoted.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Checks a file (the usual one if none is given) and reads nothing else. */
export async function check(context: Context, options: CommonOptions): Promise<number> {
  const path = configPath(options);
  const loaded = await withSoundCron(await checkConfig(path));
  if (options.json === true) {
    context.out(toJson({ path, ok: loaded.ok, mistakes: loaded.ok ? [] : loaded.mistakes }));
  } else if (loaded.ok) {
    context.out(`${path}: no mistakes. Next: "rollcall plan" shows what a sync would do.`);
    if (loaded.settings.attributes.user.keys === undefined) {
      context.out("Note: attributes.user.keys is not set, so nobody gets an SSH key.");
    }
  } else {
    loaded.mistakes.forEach((mistake) => context.err(renderMistake(path, mistake)));
  }
  return loaded.ok ? EXIT.ok : EXIT.failed;
}

/** Only the daemon has a use for the parser of cron expressions, so the configuration is loaded without it. */
async function withSoundCron(loaded: Loaded): Promise<Loaded> {
  const cron = loaded.ok ? loaded.settings.schedule.cron : undefined;
  if (cron === undefined || (await import("../platform/cron.ts")).isCron(cron)) {
    return loaded;
  }
  const message = `must be a cron expression, such as "*/5 * * * *", not ${quoted(cron)}`;
  return { ok: false, mistakes: [{ line: undefined, key: "schedule.cron", message }] };
}
