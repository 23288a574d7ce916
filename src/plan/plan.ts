/**
 * Decides what a node must do to look like the directory.
 *
 * In: the directory, and what was observed on this node. Out: ordered steps, what they mean, and what is
 * wrong with the node. Pure: the same values always give the same plan.
 */

import type { Lines } from "../formats/lines.ts";
import type { Directory, User } from "../model/directory.ts";
import { createChangeList } from "../model/listed.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, Plan, PublishMap } from "../model/plan.ts";
import type { Difference } from "../model/published.ts";
import { type PlannedMap, planCaches, sshkeyStep } from "./caches.ts";
import { changesBetween, isUnmoved, type Served, servedNow } from "./changes.ts";
import { removalsOf } from "./guard.ts";
import { planHomes } from "./homes.ts";
import { type KeysPlan, planKeys } from "./keys.ts";
import { heldInFiles, type KeysHeld } from "./keys-held.ts";
import { planKeysInMap } from "./keys-in-map.ts";
import { planLedger } from "./ledger.ts";
import { planSessions } from "./sessions.ts";
import type { PlanSettings } from "./settings.ts";
import { planSudo } from "./sudo.ts";

/** Takes away first and gives last: leftovers, keys and sudo removed, the ledger, then maps, homes, keys and sudo granted. */
export function planChanges(directory: Directory, observed: Observed, settings: PlanSettings): Plan {
  const maps = planCaches(directory, observed, settings.caches);
  // Maps that are byte for byte those of the directory need not be read to tell whom they serve.
  const served = maps.some(isNews) ? servedNow(observed.maps) : undefined;
  const homes = planHomes(directory.users, observed, settings.homes);
  const leftovers = observed.leftovers.map((path) => ({ kind: "remove-leftover", path }) as const);
  const { keys, others, held } = planKeysAmong(maps, directory, { observed, settings, served });
  const sudo = planSudo(directory, observed, settings.sudo.groups);
  const removals = removalsOf(served, directory, held);
  const sessions = planSessions(removals, served?.users.values() ?? directory.users, settings.access);
  const ledger = planLedger(directory, observed);
  const changes = createChangeList();
  changes.add(...leftovers.map(({ path }) => ({ event: "leftover-removed", path }) as const));
  if (served !== undefined) {
    changes.addAll(changesBetween(served, directory));
  }
  changes.add(...maps.flatMap(repairOf), ...observed.differences.map(repairOfDifference));
  homes.create.forEach(({ user, path }) =>
    changes.addLater("home-created", () => ({ event: "home-created", user, path })),
  );
  changes.addAll(keys);
  changes.add(...sudo.changes);
  changes.add(...sessions.map(({ user, uid }) => ({ event: "sessions-ended", user, uid }) as const));
  return {
    steps: [
      ...leftovers,
      ...keys.revoke,
      ...sudo.revoke,
      ...sessions,
      ...(ledger === undefined ? [] : [ledger]),
      ...others,
      ...homes.create,
      ...keys.grant,
      ...sudo.grant,
    ],
    ...changes.listed(),
    problems: [...homes.problems, ...keys.problems, ...sudo.problems],
    removals,
  };
}

/** Where sshd asks for the keys in the sshkey map, that map is published when keys are revoked and granted, and not among the others. */
function planKeysAmong(
  maps: readonly PlannedMap[],
  directory: Directory,
  { observed, settings, served }: Around,
): { readonly keys: KeysPlan; readonly others: readonly PublishMap[]; readonly held: KeysHeld } {
  const { users } = directory;
  const isUnmovedUser = (user: User) => served === undefined || isUnmoved(user, served);
  const steps = maps.map(({ step }) => step);
  if (settings.keys.files) {
    return {
      keys: planKeys(users, observed, isUnmovedUser),
      others: steps,
      held: heldInFiles(observed),
    };
  }
  const [whole] = maps.flatMap(({ step, lines }) => (lines === undefined ? [] : [{ step, lines }]));
  const stepWith = (lines: Lines) => sshkeyStep(lines, observed, settings.caches);
  const keys = planKeysInMap(users, observed, { isUnmoved: isUnmovedUser, whole, stepWith });
  return { keys, others: steps.filter((step) => step !== whole?.step), held: keys.held };
}

interface Around {
  readonly observed: Observed;
  readonly settings: PlanSettings;
  readonly served: Served | undefined;
}

/** Whether a map that people are read from differs; of one that does not, all is known. */
function isNews({ step, repair }: PlannedMap): boolean {
  return repair === undefined && step.map !== "sshkey";
}

function repairOfDifference({ path, how }: Difference): Change {
  return { event: "file-repaired", file: path, reason: `${how} since it was published` };
}

function repairOf({ step, repair }: PlannedMap): Change[] {
  return repair === undefined ? [] : [{ event: "file-repaired", file: step.data.name, reason: repair }];
}
