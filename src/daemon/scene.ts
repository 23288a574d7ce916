/**
 * Looks at everything that decides who can log in here. Asks the IAM as a plan does, takes no lock, and changes nothing.
 */

import type { Settings } from "../config/settings.ts";
import type { Directory } from "../model/directory.ts";
import type { Drafts } from "../model/draft.ts";
import { Failure, type RunFailure } from "../model/failure.ts";
import { msBetween } from "../model/moment.ts";
import type { Observed } from "../model/observed.ts";
import type { Step } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import { type Source, undoneSteps } from "../model/report.ts";
import { underRoot } from "../platform/files.ts";
import type { SyncState } from "../report/person.ts";
import { loadBelief, loadReport, type SavedReport } from "../report/saved.ts";
import type { Validated } from "../validate/directory.ts";
import { RUN_DIRECTORY } from "./places.ts";
import { planSurely } from "./run-once.ts";
import type { SlurmLook } from "./slurm.ts";
import type { Planned, Stages } from "./stages.ts";
import type { Surroundings } from "./surroundings.ts";
import { wireOfflineStages, wireStages } from "./wire.ts";

/** What the IAM and this node say of everybody. */
export interface Scene {
  readonly settings: Settings;
  readonly around: Surroundings;
  /** Why the IAM could not be asked. */
  readonly failure: RunFailure | undefined;
  /** Undefined when nothing is remembered of an IAM that cannot be asked: then nobody is in the lists below. */
  readonly source: Source | undefined;
  readonly ageMs: number | undefined;
  readonly drafts: Drafts;
  readonly everybody: Validated["everybody"];
  readonly directory: Directory;
  readonly observed: Observed;
  readonly steps: readonly Step[];
  readonly problems: readonly Problem[];
  readonly acceptable: readonly string[];
  readonly sync: SyncState;
  /** Undefined where this node does not keep Slurm's accounts, or the IAM cannot be asked. */
  readonly slurm: SlurmLook | undefined;
}

/** Asks the IAM, else its memory. Throws what a plan throws, but for an IAM that cannot be asked. */
export async function lookAtEverybody(
  { settings, around }: Pick<Scene, "settings" | "around">,
  signal: AbortSignal,
): Promise<Scene> {
  const report = await loadReport(underRoot(around.root, settings.state.directory));
  const belief = await loadBelief(underRoot(around.root, RUN_DIRECTORY));
  const ages = [report?.believedAt, belief].flatMap((then) =>
    then === undefined ? [] : [msBetween(then, around.clock.moment())],
  );
  const base = { settings, around, ageMs: ages.length === 0 ? undefined : Math.min(...ages) };
  const looking = lookingAtHomes(settings);
  const online = wireStages(looking, around);
  const planned = await planSurely(online, signal).catch(failureOfIam);
  if (!(planned instanceof Failure)) {
    const slurm = await online.slurm?.look(planned.directory);
    return { ...base, ...(await partsOf(planned, report)), slurm, failure: undefined, source: "iam" };
  }
  signal.throwIfAborted();
  const { code, message } = planned;
  return {
    ...base,
    ...(await withoutIam(online, { settings: looking, around, report }, signal)),
    failure: { code, message },
    slurm: undefined,
  };
}

/** Whoever asks about somebody wants to know of their home, also where none is made. */
function lookingAtHomes(settings: Settings): Settings {
  return { ...settings, homes: { ...settings.homes, create: true } };
}

/** For `catch`: what keeps the IAM from being asked; throws everything else again. */
function failureOfIam(error: unknown): Failure {
  if (error instanceof Failure && IS_ABOUT_THE_IAM.test(error.code)) {
    return error;
  }
  throw error;
}

/** The IAM cannot be had or is not believed: the daemon goes on from memory then. */
const IS_ABOUT_THE_IAM = /^(?:iam-|token-|config-)/;

type Parts = Omit<Scene, "settings" | "around" | "ageMs" | "failure" | "source" | "slurm">;

/** From memory; where there is none, the node alone. */
async function withoutIam(
  online: Stages,
  {
    settings,
    around,
    report,
  }: Pick<Scene, "settings" | "around"> & { readonly report: SavedReport | undefined },
  signal: AbortSignal,
): Promise<Parts & Pick<Scene, "source">> {
  const offline = await wireOfflineStages(settings, around);
  try {
    return { ...(await partsOf(await planSurely(offline, signal), report)), source: offline.source };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "nothing-remembered") {
      throw error;
    }
    const observed = await online.observe(NOBODY, await online.observeBefore());
    return {
      drafts: { users: [], groups: [], problems: [] },
      everybody: NOBODY,
      directory: NOBODY,
      observed,
      steps: [],
      problems: [],
      acceptable: [],
      sync: syncStateOf(undefined, report),
      source: undefined,
    };
  }
}

const NOBODY: Directory = { users: [], groups: [], withheld: new Set() };

async function partsOf(planned: Planned, report: SavedReport | undefined): Promise<Parts> {
  const { pulled, everybody, directory, observed, plan, problems, acceptable } = planned;
  return {
    drafts: await pulled.drafts(),
    everybody,
    directory,
    observed,
    steps: plan.steps,
    problems,
    acceptable,
    sync: syncStateOf(planned, report),
  };
}

function syncStateOf(planned: Planned | undefined, report: SavedReport | undefined): SyncState {
  const undone = report?.record === undefined ? [] : undoneSteps(report.record);
  return {
    refusal: planned?.refusal === undefined ? undefined : { reason: planned.refusal, planId: planned.planId },
    hasReport: report?.record !== undefined || report?.failure !== undefined,
    failure: report?.failure,
    undone: [...new Set(undone.flatMap(({ message }) => message ?? []))],
  };
}
