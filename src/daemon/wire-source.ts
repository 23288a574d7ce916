/**
 * Puts the source together: from settings to a pull over HTTP, from disk, or from memory.
 */

import type { Settings } from "../config/settings.ts";
import { type Drafts, draftsAmong, type PreviousDrafts } from "../model/draft.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { PullStatistics } from "../model/report.ts";
import type { Clock } from "../platform/clock.ts";
import { readText, underRoot } from "../platform/files.ts";
import { createHttpClient, type HttpClient, type HttpOptions } from "../platform/http.ts";
import { isOpenToOthers } from "../platform/privileges.ts";
import { isEmpty, withPatches } from "../source/draft-parts.ts";
import { pullFiles } from "../source/files.ts";
import { type OnProgress, type PullParts, pullScim } from "../source/pull.ts";
import type { Pulled } from "../source/pulled.ts";
import { digestOfDrafts, type Lists, type Remembered, recall, remember } from "../source/remembered.ts";
import { createScimClient, type ScimClient } from "../source/scim-client.ts";
import type { AttributePaths, ScimSettings, SourceSettings } from "../source/settings.ts";
import { readToken, type TokenEnvironment } from "../source/token.ts";
import type { PullResult } from "./run-once.ts";

/** Lists that a node is known to be in step with. */
export interface InStepWith {
  readonly digest: string;
  /** Whether the IAM has proven that its totals and times show what is new. */
  readonly isAskedByTimes: boolean;
  /** The names of the pages that changed since; undefined where that is not known. */
  readonly changedPages: readonly string[] | undefined;
}

/** What comes from outside the configuration. */
export interface Surroundings {
  /** Every path of the node is below it. */
  readonly root: string;
  readonly tokens: TokenEnvironment;
  readonly clock: Clock;
  /** Users who may log in beside those of `access.login`; undefined when nobody was named. */
  readonly loginUsers: readonly string[] | undefined;
  /** What this node is in step with, as the daemon knows; undefined to look at everything. */
  readonly inStepWith: InStepWith | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onProgress: OnProgress;
}

/** Asks the IAM. What it said is kept for later runs once the node is in step with it. */
export async function pull(
  settings: Settings,
  around: Surroundings,
  signal: AbortSignal,
): Promise<PullResult> {
  const source = sourceSettings(settings, around.root);
  const remembered = await recall(source);
  const { inStepWith } = around;
  // The daemon speaks of what is remembered here; another sync may have come in between.
  const isKnown = inStepWith !== undefined && inStepWith.digest === remembered.digest;
  const latest = isKnown && inStepWith.isAskedByTimes ? remembered.marks : undefined;
  const changedPages = isKnown ? inStepWith.changedPages : undefined;
  const pulled =
    source.iam.source === "file"
      ? await pullFiles(source.iam, source.attributes)
      : await pullOverHttp(
          { ...source, iam: source.iam },
          { ...around, remembered, latest, changedPages },
          signal,
        );
  const { lists, statistics, etags, marks, versions } = pulled;
  const drafts = () => wholeLists(lists, remembered, settings);
  // Where the pull itself has compared, nothing has to be compared again.
  const isSame = async () =>
    isKnown && "patches" in lists
      ? isEmpty(lists.patches)
      : digestOfDrafts(source, await drafts()) === inStepWith?.digest;
  // Slurm is looked at by every sync.
  const isOld = inStepWith !== undefined && !settings.slurm.enabled && (await isSame());
  const previous = isOld ? recallFrom(drafts) : remembered.drafts;
  // Slurm's part comes later, and its changes are explained by what was remembered as well: it is read while it is there.
  const beforeReplacing = async () => (settings.slurm.enabled ? previous() : undefined);
  const keep = () => remember(source, { lists, etags, marks, beforeReplacing }).catch(stateUnwritable);
  const news = isKnown ? (pulled.news ?? []) : [];
  return { drafts, news, statistics, versions, previous, isOld, remember: keep };
}

/** What the IAM said when it was last believed; throws when nothing of it is left. */
export async function recallPull(settings: Settings, { root }: Surroundings): Promise<PullResult> {
  const drafts = await (await recall(sourceSettings(settings, root))).drafts();
  if (drafts === undefined) {
    const message = `Nothing is remembered of this IAM in ${settings.state.directory}, so nobody can be served without it. Nothing was changed; a sync that reaches the IAM is needed once.`;
    throw new Failure("nothing-remembered", message);
  }
  return {
    drafts: async () => drafts,
    news: [],
    statistics: NOT_ASKED,
    previous: recallFrom(async () => drafts),
    isOld: false,
    versions: new Map(),
    remember: async () => undefined,
  };
}

function recallFrom(drafts: () => Promise<Drafts>): PreviousDrafts {
  return async (only) => (only === undefined ? drafts() : draftsAmong(await drafts(), only));
}

/** Both lists as they are now. */
async function wholeLists(
  lists: Lists,
  remembered: Remembered,
  { state }: Pick<Settings, "state">,
): Promise<Drafts> {
  if ("drafts" in lists) {
    return lists.drafts;
  }
  const before = await remembered.wholeDrafts();
  if (before === undefined) {
    const message = `Reading what is remembered of this IAM in ${state.directory} failed: it was replaced or removed while it was used. Try again, or wait for the next sync.`;
    throw new Failure("node-unreadable", message);
  }
  return withPatches(before, lists.patches);
}

/** Of a run that did not ask. */
export const NOT_ASKED: PullStatistics = {
  requests: 0,
  bytes: 0,
  statuses: {},
  mayShift: false,
  unchanged: true,
};

async function pullOverHttp(
  { iam, attributes }: { readonly iam: ScimSettings; readonly attributes: AttributePaths },
  around: Surroundings & Pick<PullParts, "remembered" | "latest" | "changedPages">,
  signal: AbortSignal,
): Promise<Pulled> {
  const { clock, onProgress, latest, changedPages } = around;
  const remembered = iam.probe === "off" ? { ...around.remembered, etags: {} } : around.remembered;
  await using http = await httpClientFor(iam);
  const client = await scimClientFor(iam, http, around);
  return await pullScim(
    { client, settings: iam, attributes, remembered, latest, changedPages, clock, onProgress },
    signal,
  );
}

/** A client with the token of the configuration. */
export function scimClientFor(
  iam: ScimSettings,
  http: HttpClient,
  { clock, random, tokens }: Surroundings,
): Promise<ScimClient> {
  const token = () => readToken(iam.tokenFile, tokens);
  return createScimClient({ http, clock, random, settings: iam, readToken: token });
}

/** The source's slice, with the paths of the node below the root. */
export function sourceSettings({ iam, attributes, state }: Settings, root: string): SourceSettings {
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

/** A client that trusts whom the configuration says. Throws where its PEM files are not to be used. */
export async function httpClientFor(iam: ScimSettings): Promise<HttpClient> {
  return createHttpClient({
    timeoutMs: iam.timeoutMs,
    maxBodyBytes: iam.maxPageBytes,
    connections: iam.parallel,
    ...(await pemFilesOf(iam)),
  });
}

/** Whom to trust, and how to show who this is; undefined for what is not configured. */
export async function pemFilesOf(iam: ScimSettings): Promise<Pick<HttpOptions, "ca" | "cert" | "key">> {
  return {
    ca: await readPem(iam.caFile, "iam.caFile"),
    cert: await readPem(iam.clientCertFile, "iam.clientCertFile"),
    key: await readPem(iam.clientKeyFile, "iam.clientKeyFile"),
  };
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

/** For `catch`: the node is as it should be, but what a later run would like to know could not be kept. */
export function stateUnwritable(error: unknown): never {
  const message = `The files of this node were written, but what is to be remembered of it could not be kept in state.directory: ${messageOf(error)}. The next sync fetches everything again.`;
  throw new Failure("state-unwritable", message, { cause: error });
}
