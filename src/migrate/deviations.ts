/**
 * How a sync would differ from the maps of nsscache, user by user and group by group, and why.
 *
 * In: the old maps, and what a plan came to. Out: every difference, with its reason where it is meant to be. Pure.
 */

import type { Comparison, Deviation } from "../model/comparison.ts";
import { groupDeviations } from "./group-deviations.ts";
import type { OldMaps } from "./old-maps.ts";
import { createRecords, type Here } from "./records.ts";
import { losersOf, userDeviations } from "./user-deviations.ts";

/** Compares everything. */
export function compareMaps(old: OldMaps, here: Here): Comparison {
  const records = createRecords(here);
  const deviations = [...userDeviations(old, here, records), ...groupDeviations(old, here, records)];
  return {
    there: { users: old.users.size, groups: old.groups?.size ?? 0 },
    here: { users: here.directory.users.length, groups: here.directory.groups.length },
    deviations: deviations.sort(byName),
    losing: losersOf(old, here, records),
    notes: old.notes,
  };
}

function byName(left: Deviation, right: Deviation): number {
  const [one, other] = [left, right].map(({ kind, name }) => `${kind === "user" ? 0 : 1}${name}`);
  return (one ?? "") < (other ?? "") ? -1 : Number((one ?? "") > (other ?? ""));
}
