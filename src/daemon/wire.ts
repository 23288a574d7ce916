/**
 * Puts the parts together: the one place where settings become stages.
 */

import { applyPlan } from "../apply/apply.ts";
import { handlersFor } from "../apply/handlers.ts";
import type { Settings } from "../config/settings.ts";
import type { Directory } from "../model/directory.ts";
import { msBetween } from "../model/moment.ts";
import { observeBefore, observeNode } from "../observe/observe.ts";
import { refusalOf } from "../plan/guard.ts";
import { planChanges } from "../plan/plan.ts";
import { underRoot } from "../platform/files.ts";
import { tidyUp } from "../platform/host.ts";
import { takeLock } from "../platform/lock.ts";
import { loadBelief, loadReport } from "../report/saved.ts";
import { validateDirectory } from "../validate/directory.ts";
import type { Rules } from "../validate/rules.ts";
import { createChronicle } from "./chronicle.ts";
import type { Asked } from "./decisions.ts";
import { RUN_DIRECTORY } from "./places.ts";
import { planAhead } from "./plan-ahead.ts";
import { notePublished } from "./published.ts";
import { type SlurmStages, slurmStages } from "./slurm.ts";
import type { Stages } from "./stages.ts";
import type { Surroundings } from "./surroundings.ts";
import { pull, recallPull, stateUnwritable } from "./wire-source.ts";

/** The stages of a run under these settings, and with the records that a person has accepted. */
export function wireStages(settings: Settings, around: Surroundings, accepts: Asked["accepts"] = []): Stages {
  const { root, clock } = around;
  const { names, ids, shells, homes, keys, caches, guard, state, ledger, sudo } = settings;
  const planSettings = { caches, homes, keys, guard, sudo, access: settings.access };
  const handlers = handlersFor({ root, caches, keys, homes, state, sudo });
  const privileged = privilegedGroups(settings);
  const places = { root, caches, keys, state, ledger, ids, sudo, homes, privileged };
  const decided = accepts === "all" ? accepts : new Set(accepts);
  const access = accessFor(settings, around);
  const rules = { names, ids, shells, homes, keys, access, accepts: decided };
  return {
    source: "iam",
    pull: (signal) => pull(settings, around, signal),
    observeBefore: () => observeBefore(places, clock.now()),
    validate: (drafts, before) => tidied(validateDirectory(drafts, rules, before)),
    planAhead: (news) => planAhead(news, { rules, places, settings: planSettings }, clock.now()),
    observe: (directory, before) => observeNode(places, directory, before),
    plan: (directory, observed) => planChanges(directory, observed, planSettings),
    refusalOf: (removals) => refusalOf(removals, guard),
    lock: () => takeLock(underRoot(root, RUN_DIRECTORY), "sync"),
    chronicle: (of) => createChronicle({ directory: underRoot(root, state.directory), clock }, of),
    apply: (plan, signal) => applyPlan(plan, handlers, signal),
    notePublished: (outcomes, observed) =>
      notePublished({ outcomes, observed }, settings, root).catch(
        stateUnwritable("the list of what was published", "The next sync writes it."),
      ),
    slurm: slurmFor(settings, around),
    lastRecord: async () =>
      settings.slurm.enabled ? undefined : (await loadReport(underRoot(root, state.directory)))?.record,
    monotonicMs: () => clock.monotonicMs(),
  };
}

/** What a stage came to, without what it needed on the way. */
function tidied<Value>(value: Value): Value {
  tidyUp();
  return value;
}

/** Below another root there is no Slurm, whatever this machine has. */
function slurmFor({ slurm, guard, state }: Settings, { root, clock }: Surroundings): SlurmStages | undefined {
  const part = { ...slurm, guard, stateDirectory: underRoot(root, state.directory) };
  return slurm.enabled && root === "/" ? slurmStages(part, () => clock.monotonicMs()) : undefined;
}

/** Groups whose members get power by this configuration, so that no other group may take their names. */
function privilegedGroups({ sudo, slurm: { adminLevel } }: Settings): string[] {
  return [...sudo.groups.map(({ group }) => group), ...adminLevel.operator, ...adminLevel.administrator];
}

function accessFor({ access: { visible, login } }: Settings, { loginUsers }: Surroundings): Rules["access"] {
  const users = loginUsers === undefined ? login.users : [...(login.users ?? []), ...loginUsers];
  return { visible, login: { groups: login.groups, users } };
}

/** The stages of a run that serves whom the IAM named when it was last believed; nobody has a key when that was too long ago. */
export async function wireOfflineStages(settings: Settings, around: Surroundings): Promise<Stages> {
  const online = wireStages(settings, around);
  const pull = () => recallPull(settings, around);
  // What the IAM says now is not known, so Slurm stays as it is.
  const offline: Stages = { ...online, source: "memory", pull, slurm: undefined };
  if (!(await mustLock(settings, around))) {
    return offline;
  }
  return {
    ...offline,
    source: "locked",
    validate: (drafts, before) => {
      const { directory, ...rest } = online.validate(drafts, before);
      return { directory: withoutKeys(directory), ...rest };
    },
    // The admin has asked for it with stale.lockAfter.
    refusalOf: () => undefined,
  };
}

/**
 * Never too early: without the daemon's own note, which a reboot takes away, the last report may be older than the last
 * answer by as much as a daemon may go without a whole sync.
 */
async function mustLock(
  { stale, state, schedule }: Settings,
  { root, clock }: Surroundings,
): Promise<boolean> {
  if (stale.lockAfter === undefined) {
    return false;
  }
  const now = clock.moment();
  const belief = await loadBelief(underRoot(root, RUN_DIRECTORY));
  const reported = (await loadReport(underRoot(root, state.directory)))?.believedAt;
  const doubtMs = belief === undefined ? schedule.fullEvery : 0;
  const ages = [
    ...(belief === undefined ? [] : [msBetween(belief, now)]),
    ...(reported === undefined ? [] : [msBetween(reported, now) - doubtMs]),
  ];
  return ages.length > 0 && Math.min(...ages) > stale.lockAfter;
}

function withoutKeys({ users, groups, withheld }: Directory): Directory {
  return { users: users.map((user) => ({ ...user, keys: [] })), groups, withheld };
}
