/**
 * Puts the source together: from settings to a pull over HTTP, from disk, or from memory.
 */

import type { Settings } from "../config/settings.ts";
import { type Drafts, draftsAmong, type PreviousDrafts } from "../model/draft.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { PullStatistics } from "../model/report.ts";
import { isEmpty, withPatches } from "../source/draft-parts.ts";
import { pullFiles } from "../source/files.ts";
import { type PullParts, pullScim } from "../source/pull.ts";
import type { Pulled } from "../source/pulled.ts";
import { digestOfDrafts, type Lists, type Remembered, recall, remember } from "../source/remembered.ts";
import type { AttributePaths, ScimSettings } from "../source/settings.ts";
import type { PullResult } from "./stages.ts";
import { type Surroundings, sourceSettings } from "./surroundings.ts";
import { httpClientFor, scimClientFor } from "./wire-http.ts";

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
  const keep = () =>
    remember(source, { lists, etags, marks, beforeReplacing }).catch(
      stateUnwritable("what the IAM said", "The next sync fetches everything again."),
    );
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

/** For `catch`: the node is as it should be, but what a later run would like to know could not be kept. */
export function stateUnwritable(what: string, next: string): (error: unknown) => never {
  return (error) => {
    const message = `This node is as the sync left it, but ${what} could not be kept in state.directory: ${messageOf(error)}. ${next}`;
    throw new Failure("state-unwritable", message, { cause: error });
  };
}
