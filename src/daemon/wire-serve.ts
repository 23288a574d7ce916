/**
 * Puts the daemon together: the loop, on the real clock, with the real files watched and both sockets open.
 */

import type { Settings } from "../config/settings.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { type Command, runToEnd } from "../platform/child.ts";
import { systemClock } from "../platform/clock.ts";
import { nextCronMs } from "../platform/cron.ts";
import { underRoot } from "../platform/files.ts";
import { createTidier, residentBytes } from "../platform/host.ts";
import { readHostFacts } from "../platform/host-facts.ts";
import { takeLock } from "../platform/lock.ts";
import { createLog, type Log, type LogFormat } from "../platform/log.ts";
import { createNotifier, type NotifyEnvironment } from "../platform/notify.ts";
import { serveSocket } from "../platform/socket-server.ts";
import { watchFiles } from "../platform/watch.ts";
import { createMetrics } from "../report/metrics.ts";
import { loadBelief, loadPace, loadReport, saveBelief, savePace } from "../report/saved.ts";
import { type CommandBeside, createCommandBeside } from "./companion.ts";
import type { Asked } from "./decisions.ts";
import { controlRoutes, type EndpointParts, healthRoutes } from "./endpoints.ts";
import { createHealth } from "./health.ts";
import { createInForce, type InForce } from "./in-force.ts";
import { RUN_DIRECTORY, readDisks, socketPath } from "./places.ts";
import { createRequests } from "./requests.ts";
import { type ServeParts, serve } from "./serve.ts";
import type { InStepWith, Surroundings } from "./surroundings.ts";
import { createSyncer, type Syncer } from "./syncer.ts";
import { createWaker } from "./waker.ts";

/** Signals that a daemon hears without ending. */
export type HeardSignal = "SIGHUP" | "SIGUSR1" | "SIGUSR2" | "SIGQUIT" | "SIGWINCH";

/** What the command line gives to a daemon. */
export interface Serving {
  readonly root: string;
  readonly version: string;
  readonly configPath: string;
  readonly tokens: Surroundings["tokens"];
  readonly load: () => Promise<{ readonly settings: Settings; readonly text: string }>;
  /** The command line of one sync that prints JSON, under the configuration at a path; with `inStepWith` it ends with the pull when nothing is new. */
  readonly syncCommand: (
    asked: Asked,
    under: { readonly configPath: string; readonly inStepWith: InStepWith | undefined },
  ) => Command;
  /** Runs beside the daemon, once users are in place. */
  readonly beside: { readonly command: Command; readonly graceMs: number } | undefined;
  readonly logFormat: LogFormat;
  readonly write: (line: string) => void;
  readonly notify: NotifyEnvironment;
  readonly on: (signal: HeardSignal, handler: () => void) => void;
}

/** Serves until the signal aborts, or the command beside it ends, whose exit code it returns. Throws when another daemon serves this node. */
export async function serveNode(serving: Serving, signal: AbortSignal): Promise<number> {
  using _lock = await takeLock(underRoot(serving.root, RUN_DIRECTORY), "daemon");
  const log = createLog(serving.logFormat, serving.write);
  const inForce = createInForce({ ...serving, directory: underRoot(serving.root, RUN_DIRECTORY) }, log);
  const settings = await inForce.load();
  await using beside = commandBeside(serving, log, signal);
  const parts = await partsOf(serving, { settings, inForce, log, onReady: () => beside?.start() });
  const stop = beside === undefined ? signal : AbortSignal.any([signal, beside.ended]);
  await using _sockets = await openSockets(serving, parts);
  serving.on("SIGUSR1", () => parts.requests.sync());
  serving.on("SIGHUP", () => {
    parts.requests.reload();
    beside?.kill("SIGHUP");
  });
  readHostFacts().then(
    (host) => Object.assign(parts.health.knows, { host }),
    (error: unknown) => log.warn("the facts of this host could not be read", { why: messageOf(error) }),
  );
  await serve(parts, stop);
  await savePace(stateDirectoryOf(serving, parts.health.knows.settings), parts.health.pace()).catch(
    (error: unknown) => log.warn("how the last syncs went could not be kept", { why: messageOf(error) }),
  );
  await beside?.[Symbol.asyncDispose]();
  return beside?.exitCode() ?? 0;
}

function stateDirectoryOf({ root }: Serving, { state }: Settings): string {
  return underRoot(root, state.directory);
}

/** What there is before the parts of the loop. */
interface Begun {
  readonly settings: Settings;
  readonly inForce: InForce;
  readonly log: Log;
  readonly onReady: () => void;
}

async function partsOf(serving: Serving, { settings, inForce, log, onReady }: Begun): Promise<ServeParts> {
  const { root, version, configPath } = serving;
  const clock = systemClock;
  const waker = createWaker(clock);
  const runDirectory = underRoot(root, RUN_DIRECTORY);
  const health = createHealth({ clock, version, configPath, isPatient: true }, settings);
  const stateDirectory = stateDirectoryOf(serving, settings);
  health.recall(
    await loadReport(stateDirectory),
    await loadBelief(runDirectory),
    await loadPace(stateDirectory),
  );
  return {
    load: () => inForce.load(),
    watch: (now, onChange) => watchFiles(pathsOf(now, serving), onChange),
    untilNextMs: ({ schedule: { cron, every } }) =>
      cron === undefined ? every : Math.max(0, nextCronMs(cron) - clock.now()),
    readDisks: (now) => readDisks(now, root),
    onReady,
    onBelieved: () => saveBelief(runDirectory, clock.moment()),
    tidyUp: createTidier(),
    syncer: syncerFor(serving, { inForce, log }),
    health,
    metrics: createMetrics(version),
    requests: createRequests(waker.wake),
    waker,
    notifier: createNotifier(serving.notify, (why) => log.warn("systemd-notify failed", { why })),
    clock,
    random: Math.random,
    log,
  };
}

function syncerFor(
  { root, tokens, syncCommand }: Serving,
  { inForce, log }: Pick<Begun, "inForce" | "log">,
): Syncer {
  return createSyncer({
    around: {
      root,
      tokens,
      clock: systemClock,
      // A sync is a process of its own, and reads the environment itself.
      loginUsers: undefined,
      inStepWith: undefined,
      random: Math.random,
      onProgress: () => undefined,
    },
    command: (asked, inStepWith) => syncCommand(asked, { configPath: inForce.path(), inStepWith }),
    runToEnd,
    onDistrust: (way, why) => log.warn(NOT_ASKED_BY[way], { why }),
  });
}

/** By the way in which it was asked. */
const NOT_ASKED_BY = {
  etags: "the IAM is not asked by its ETags any more, but by totals and times where it knows them",
  times: "the IAM cannot be asked whether anything is new; everything is fetched each time",
} as const;

function commandBeside({ beside, on }: Serving, log: Log, signal: AbortSignal): CommandBeside | undefined {
  if (beside === undefined) {
    return undefined;
  }
  const running = createCommandBeside(beside.command, {
    graceMs: beside.graceMs,
    clock: systemClock,
    onFailure: ({ code, message }) => log.error("the command failed", { code, why: message }),
    onOverdue: () => log.warn("the command did not end within the grace; it is killed"),
  });
  // SIGTERM and SIGINT end the daemon as well; SIGUSR1 is the daemon's alone.
  signal.addEventListener("abort", () => running.kill(signal.reason === "SIGINT" ? "SIGINT" : "SIGTERM"));
  for (const name of ["SIGUSR2", "SIGQUIT", "SIGWINCH"] as const) {
    on(name, () => running.kill(name));
  }
  return running;
}

async function openSockets(
  { root }: Serving,
  { health, metrics, clock, requests }: ServeParts,
): Promise<AsyncDisposable> {
  const parts: EndpointParts = {
    view: () => health.view(),
    metrics,
    residentBytes,
    clock,
    sync: (asked) => requests.ask(asked),
    reload: () => requests.reload(),
  };
  await using stack = new AsyncDisposableStack();
  for (const [name, mode, route] of [
    ["health", 0o666, healthRoutes(parts)],
    ["control", 0o600, controlRoutes(parts)],
  ] as const) {
    const path = socketPath(root, name);
    stack.use(await serveSocket({ path, mode }, route).catch((error: unknown) => notOpened(path, error)));
  }
  return stack.move();
}

function notOpened(path: string, error: unknown): never {
  const message = `Opening the socket ${path} failed: ${messageOf(error)}${hintFor(messageOf(error))}. The path of a socket has at most 107 bytes.`;
  throw new Failure("node-unreadable", message, { cause: error });
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
