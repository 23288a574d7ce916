/**
 * Decides what a node must do to look like the directory.
 *
 * In: the directory, and what was observed on this node. Out: ordered steps, what they mean, and what is
 * wrong with the node. Pure: the same values always give the same plan.
 */

import type { Directory } from "../model/directory.ts";
import { createChangeList } from "../model/listed.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { Difference } from "../model/published.ts";
import { type PlannedMap, planCaches } from "./caches.ts";
import { changesBetween, type Served, servedAs, servedNow } from "./changes.ts";
import { removalsOf } from "./guard.ts";
import { planHomes } from "./homes.ts";
import { planKeys } from "./keys.ts";
import { planLedger } from "./ledger.ts";
import { planSessions } from "./sessions.ts";
import type { PlanSettings } from "./settings.ts";
import { planSudo } from "./sudo.ts";

/** Takes away first and gives last: leftovers, keys and sudo removed, the ledger, then maps, homes, keys and sudo granted. */
export function planChanges(directory: Directory, observed: Observed, settings: PlanSettings): Plan {
  const maps = planCaches(directory, observed, settings.caches);
  const served = maps.some(isNews) ? servedNow(observed.maps) : servedAs(directory);
  const homes = planHomes(directory.users, observed, settings.homes);
  const leftovers = observed.leftovers.map((path) => ({ kind: "remove-leftover", path }) as const);
  const keys = planKeys(directory.users, observed, unmovedUsers(directory, served));
  const sudo = planSudo(directory, observed, settings.sudo.groups);
  const removals = removalsOf(served, directory, observed);
  const sessions = planSessions(removals, served, settings.access);
  const ledger = planLedger(directory, observed);
  const changes = createChangeList();
  changes.add(...leftovers.map(({ path }) => ({ event: "leftover-removed", path }) as const));
  changes.addAll(changesBetween(served, directory));
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
      ...maps.map(({ step }) => step),
      ...homes.create,
      ...keys.grant,
      ...sudo.grant,
    ],
    ...changes.listed(),
    problems: [...homes.problems, ...keys.problems, ...sudo.problems],
    removals,
  };
}

/** Users whose account is the same before and after, so that a new key opens nothing that is not theirs yet. */
function unmovedUsers(directory: Directory, served: Served): ReadonlySet<string> {
  return new Set(
    directory.users
      .filter((user) => {
        const before = served.users.get(user.name);
        return (
          before?.active === user.active &&
          before.uid === Number(user.uid) &&
          before.gid === Number(user.gid) &&
          before.home === user.home
        );
      })
      .map((user) => user.name),
  );
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
