/**
 * The configuration that a daemon goes by, which the file may no longer say.
 */

import type { Settings } from "../config/settings.ts";
import { Failure, messageOf } from "../model/failure.ts";
import { isCron } from "../platform/cron.ts";
import type { Log } from "../platform/log.ts";
import { writePrivate } from "../platform/private-files.ts";

/** The configuration in force, for the syncs of this daemon: the file itself may have got mistakes since. */
export interface InForce {
  load(): Promise<Settings>;
  /** Where its text lies. */
  path(): string;
}

const IN_FORCE = "config.yaml";

/** Where it comes from, and where it is kept. */
export interface InForceParts {
  /** Reads the configuration and its text; throws with every mistake. */
  readonly load: () => Promise<{ readonly settings: Settings; readonly text: string }>;
  readonly directory: string;
  readonly configPath: string;
}

/** Keeps it in /run; where there is no room for it, syncs read the file itself, which is better than none. */
export function createInForce({ load, directory, configPath }: InForceParts, log: Log): InForce {
  let path = configPath;
  return {
    async load() {
      const { settings, text } = await load();
      const sound = withSoundSchedule(settings);
      try {
        await writePrivate(directory, IN_FORCE, Buffer.from(text));
        path = `${directory}/${IN_FORCE}`;
      } catch (error) {
        path = configPath;
        log.warn("the configuration in force could not be kept; syncs read the file itself", {
          why: messageOf(error),
        });
      }
      return sound;
    },
    path: () => path,
  };
}

function withSoundSchedule(settings: Settings): Settings {
  const { cron } = settings.schedule;
  if (cron !== undefined && !isCron(cron)) {
    throw new Failure(
      "config-invalid",
      `schedule.cron: ${cron} is no cron expression, such as "*/30 * * * * *" or "5 4 * * *".`,
    );
  }
  return settings;
}
