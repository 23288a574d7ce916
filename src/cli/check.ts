/**
 * `rollcall check`: is the configuration sound? All mistakes at once.
 */

import { checkConfig, renderMistake } from "../config/load.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Checks a file (the usual one if none is given) and reads nothing else. */
export async function check(context: Context, options: CommonOptions): Promise<number> {
  const path = configPath(options);
  const loaded = await checkConfig(path);
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
