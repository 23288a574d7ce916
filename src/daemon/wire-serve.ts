/**
 * Puts the daemon together: the loop around `runOnce`, on the real clock, with the real files watched.
 */

import type { Settings } from "../config/settings.ts";
import { Failure } from "../model/failure.ts";
import { systemClock } from "../platform/clock.ts";
import { isCron, nextCronMs } from "../platform/cron.ts";
import { observeFile, underRoot } from "../platform/files.ts";
import { takeLock } from "../platform/lock.ts";
import { createLog, type LogFormat } from "../platform/log.ts";
import { createNotifier, type NotifyEnvironment } from "../platform/notify.ts";
import { watchFiles } from "../platform/watch.ts";
import { runOnce } from "./run-once.ts";
import { type ServeParts, serve } from "./serve.ts";
import { RUN_DIRECTORY, type Surroundings, wireStages } from "./wire.ts";

/** What the command line gives to a daemon. */
export interface Serving {
  readonly root: string;
  readonly configPath: string;
  readonly tokens: Surroundings["tokens"];
  readonly load: () => Promise<Settings>;
  readonly logFormat: LogFormat;
  readonly write: (line: string) => void;
  readonly notify: NotifyEnvironment;
  readonly on: ServeParts["on"];
}

/** Serves until the signal aborts; throws when another daemon serves this node. */
export async function serveNode(serving: Serving, signal: AbortSignal): Promise<void> {
  using _lock = await takeLock(underRoot(serving.root, RUN_DIRECTORY), "daemon");
  const around: Surroundings = {
    root: serving.root,
    tokens: serving.tokens,
    clock: systemClock,
    random: Math.random,
    onProgress: () => undefined,
  };
  const log = createLog(serving.logFormat, serving.write);
  await serve(
    {
      load: async () => withSoundSchedule(await serving.load()),
      run: (settings, stop) => runOnce(wireStages(settings, around), undefined, stop),
      watch: (settings, onChange) => watchFiles(pathsOf(settings, serving), onChange),
      on: serving.on,
      untilNextMs: ({ schedule: { cron, every } }) =>
        cron === undefined ? every : Math.max(0, nextCronMs(cron) - systemClock.now()),
      clock: systemClock,
      random: Math.random,
      servesSomebody: async ({ caches }) =>
        (await observeFile(`${underRoot(serving.root, caches.directory)}/passwd.cache`)) !== undefined,
      notifier: createNotifier(serving.notify, (why) => log.warn("systemd-notify failed", { why })),
      log,
    },
    signal,
  );
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

/** The configuration, and the files it names that decide who is believed. */
function pathsOf({ iam }: Settings, { root, configPath, tokens }: Serving): string[] {
  const named =
    iam.source === "file"
      ? [iam.usersFile, iam.groupsFile]
      : [iam.tokenFile, iam.caFile, iam.clientCertFile, iam.clientKeyFile].flatMap((path) => path ?? []);
  const credential =
    tokens.credentialsDirectory === undefined ? [] : [`${tokens.credentialsDirectory}/iam-token`];
  return [configPath, ...named.map((path) => underRoot(root, path)), ...credential];
}
