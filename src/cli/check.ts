/**
 * `rollcall check`: is the configuration sound? All mistakes at once.
 */

import { checkConfig, type Loaded, renderMistake } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { quoted } from "../model/quoted.ts";
import { underRoot } from "../platform/files.ts";
import { isThere } from "../platform/system-files.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Checks a file (the usual one if none is given); of others only whether the token's is there. */
export async function check(context: Context, options: CommonOptions): Promise<number> {
  const path = configPath(options);
  const loaded = await withSoundCron(await checkConfig(path));
  if (options.json === true) {
    context.out(toJson({ path, ok: loaded.ok, mistakes: loaded.ok ? [] : loaded.mistakes }));
  } else if (loaded.ok) {
    context.out(`${path}: no mistakes. Next: "rollcall plan" shows what a sync would do.`);
    (await notesOn(loaded.settings, options.root)).forEach((note) => context.out(`Note: ${note}`));
  } else {
    loaded.mistakes.forEach((mistake) => context.err(renderMistake(path, mistake)));
  }
  return loaded.ok ? EXIT.ok : EXIT.failed;
}

/** No mistakes, and yet nothing that could work here. */
async function notesOn({ iam, attributes }: Settings, root: string): Promise<string[]> {
  const notes =
    attributes.user.keys === undefined ? ["attributes.user.keys is not set, so nobody gets an SSH key."] : [];
  if (iam.source === "file") {
    return notes;
  }
  const host = new URL(iam.url).hostname;
  if (/(?:^|\.)example\.(?:com|net|org)$/.test(host)) {
    notes.push(`iam.url still leads to ${host}, which is only an example.`);
  }
  const { tokenFile } = iam;
  if (tokenFile !== undefined && !(await isThere(underRoot(root, tokenFile)))) {
    notes.push(`${tokenFile} is not there yet. Put the bearer token of the IAM into it, mode 0600.`);
  }
  return notes;
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
