/**
 * Puts the parts together: the one place where settings become stages.
 */

import { applyPlan } from "../apply/apply.ts";
import { handlersFor } from "../apply/handlers.ts";
import type { Settings } from "../config/settings.ts";
import { Failure, messageOf } from "../model/failure.ts";
import { observeBefore, observeNode } from "../observe/observe.ts";
import { refusalOf } from "../plan/guard.ts";
import { planChanges } from "../plan/plan.ts";
import type { Clock } from "../platform/clock.ts";
import { readText, underRoot } from "../platform/files.ts";
import { createHttpClient, type HttpClient } from "../platform/http.ts";
import { takeLock } from "../platform/lock.ts";
import { isOpenToOthers } from "../platform/privileges.ts";
import { pullFiles } from "../source/files.ts";
import { type OnProgress, type Pulled, pullScim } from "../source/pull.ts";
import { recall, remember } from "../source/remembered.ts";
import { createScimClient } from "../source/scim-client.ts";
import type { ScimSettings, SourceSettings } from "../source/settings.ts";
import { readToken, type TokenEnvironment } from "../source/token.ts";
import { validateDirectory } from "../validate/directory.ts";
import type { PullResult, Stages } from "./run-once.ts";

/** Gone after a reboot, as what lies in it should be. */
export const RUN_DIRECTORY = "/run/rollcall";

/** What comes from outside the configuration. */
export interface Surroundings {
  /** Every path of the node is below it. */
  readonly root: string;
  readonly tokens: TokenEnvironment;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onProgress: OnProgress;
}

/** The stages of a run under these settings. */
export function wireStages(settings: Settings, around: Surroundings): Stages {
  const { root, clock } = around;
  const { names, ids, shells, homes, keys, caches, guard, state } = settings;
  const planSettings = { caches, homes, guard };
  const handlers = handlersFor({ root, caches, keys, homes });
  return {
    pull: (signal) => pull(settings, around, signal),
    observeBefore: () => observeBefore({ root, caches, keys, state }),
    validate: (drafts, before) => validateDirectory(drafts, { names, ids, shells, homes, keys }, before),
    observe: (directory, local) => observeNode({ root, caches, keys, state }, directory, local),
    plan: (directory, observed) => planChanges(directory, observed, planSettings),
    refusalOf: (removals) => refusalOf(removals, guard),
    lock: () => takeLock(underRoot(root, RUN_DIRECTORY), "sync"),
    apply: (plan, signal) => applyPlan(plan, handlers, signal),
    monotonicMs: () => clock.monotonicMs(),
  };
}

async function pull(settings: Settings, around: Surroundings, signal: AbortSignal): Promise<PullResult> {
  const source = sourceSettings(settings, around.root);
  const pulled =
    source.iam.source === "file"
      ? await pullFiles(source.iam, source.attributes)
      : await pullOverHttp(source, around, signal);
  const { drafts, statistics, toRemember } = pulled;
  return {
    drafts,
    statistics,
    remember: async () => {
      if (toRemember !== undefined) {
        await remember(source, toRemember).catch(stateUnwritable);
      }
    },
  };
}

async function pullOverHttp(
  source: SourceSettings,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Pulled> {
  const { clock, random, onProgress, tokens } = around;
  const { iam, attributes } = source;
  if (iam.source !== "scim") {
    throw new Failure("config-invalid", "Pulling over HTTP needs iam.source: scim.");
  }
  await using http = await httpClientFor(iam);
  const client = await createScimClient({
    http,
    clock,
    random,
    settings: iam,
    readToken: () => readToken(iam.tokenFile, tokens),
  });
  const remembered = await recall(source);
  return await pullScim({ client, settings: iam, attributes, remembered, clock, onProgress }, signal);
}

/** The source's slice, with the paths of the node below the root. */
function sourceSettings({ iam, attributes, state }: Settings, root: string): SourceSettings {
  const at = <Path extends string | undefined>(path: Path) =>
    path === undefined ? path : underRoot(root, path);
  return {
    iam:
      iam.source === "file"
        ? { ...iam, usersFile: underRoot(root, iam.usersFile), groupsFile: underRoot(root, iam.groupsFile) }
        : {
            ...iam,
            tokenFile: at(iam.tokenFile),
            caFile: at(iam.caFile),
            clientCertFile: at(iam.clientCertFile),
            clientKeyFile: at(iam.clientKeyFile),
          },
    attributes,
    stateDirectory: underRoot(root, state.directory),
  };
}

async function httpClientFor(iam: ScimSettings): Promise<HttpClient> {
  return createHttpClient({
    timeoutMs: iam.timeoutMs,
    maxBodyBytes: iam.maxPageBytes,
    connections: iam.parallel,
    ca: await readPem(iam.caFile, "iam.caFile"),
    cert: await readPem(iam.clientCertFile, "iam.clientCertFile"),
    key: await readPem(iam.clientKeyFile, "iam.clientKeyFile"),
  });
}

async function readPem(path: string | undefined, key: string): Promise<string | undefined> {
  if (path === undefined) {
    return undefined;
  }
  const { text, mode, uid } = await readText(path).catch((error: unknown) => {
    const message = `Reading ${path} for ${key} failed: ${messageOf(error)}. It must be a PEM file that root can read.`;
    throw new Failure("config-unreadable", message, { cause: error });
  });
  if (!/^-----BEGIN [A-Z ]+-----$/m.test(text)) {
    throw new Failure("config-unreadable", `The file ${path} for ${key} holds no PEM block.`);
  }
  if (isOpenToOthers({ uid, mode }) || (key === "iam.clientKeyFile" && (mode & 0o004) !== 0)) {
    const mend = key === "iam.clientKeyFile" ? "0600" : "0644";
    throw new Failure(
      "config-unreadable",
      `The file ${path} for ${key} is open to others. Run: chown root ${path}; chmod ${mend} ${path}`,
    );
  }
  return text;
}

function stateUnwritable(error: unknown): never {
  const message = `The node is in step, but what the IAM said could not be kept in state.directory: ${messageOf(error)}. The next sync fetches everything again.`;
  throw new Failure("state-unwritable", message, { cause: error });
}
