/**
 * Groups that differ: their records, gids and members.
 */

import type { GroupRecord } from "../formats/group.ts";
import type { Deviation, Reason } from "../model/comparison.ts";
import type { Group } from "../model/directory.ts";
import type { OldMaps } from "./old-maps.ts";
import { type Here, type Pair, pairsOf, type Records } from "./records.ts";

/** What is to be said about one group. */
type Said = Omit<Deviation, "kind" | "name">;

/** Every group in either. */
export function groupDeviations(
  { groups, users, broken }: OldMaps,
  { directory }: Here,
  records: Records,
): Deviation[] {
  if (groups === undefined) {
    return [];
  }
  const pairs = pairsOf(directory.groups, groups, ({ id }) => records.nameOf("group", id));
  return pairs.flatMap((pair) =>
    saidOf(pair, { users, broken, records }).map(
      (said): Deviation => ({ kind: "group", name: pair.name, ...said }),
    ),
  );
}

function saidOf({ name, ours, old }: Pair<Group, GroupRecord>, { users, broken, records }: Around): Said[] {
  if (ours === undefined) {
    const there = old === undefined ? "" : `gid ${old.gid}, ${old.members.length} member(s)`;
    return [{ field: "record", there, here: undefined, reason: records.whyNot("group", name) }];
  }
  if (old === undefined) {
    const here = `gid ${ours.gid}, ${ours.members.length} member(s)`;
    const isBroken = broken.groups.has(name);
    const reason = ours.id === undefined ? "private-group" : isBroken ? "broken-line" : undefined;
    return [{ field: "record", there: undefined, here, reason }];
  }
  return [
    ...(old.name === String(ours.name)
      ? []
      : [{ field: "name", there: old.name, here: ours.name, reason: "renamed" as const }]),
    ...(old.gid === Number(ours.gid)
      ? []
      : [{ field: "gid", there: String(old.gid), here: String(ours.gid), reason: undefined }]),
    ...membersOf(ours, old, { users, records }),
  ];
}

interface Around extends Pick<OldMaps, "users" | "broken"> {
  readonly records: Records;
}

function membersOf(
  ours: Group,
  old: GroupRecord,
  { users, records }: Pick<Around, "users" | "records">,
): Said[] {
  const here = new Set<string>(ours.members);
  const there = new Map<string, string>(
    old.members.map((name) => [records.served(name)?.name ?? name, name]),
  );
  const direct = new Set(records.groupDraft(ours.id)?.members.map(({ id }) => id));
  const whyGone = (name: string): Reason | undefined => {
    const served = records.served(name);
    if (served !== undefined) {
      return records.whyShut(served);
    }
    return (
      records.whyNot("user", name) ?? (users.has(name) || records.has(name) ? undefined : "member-display")
    );
  };
  const isNested = (name: string) => {
    const id = records.served(name)?.id;
    return id !== undefined && !direct.has(id);
  };
  return [
    ...[...there]
      .filter(([name]) => !here.has(name))
      .map(([, name]) => ({ field: "member", there: name, here: undefined, reason: whyGone(name) })),
    ...[...here]
      .filter((name) => !there.has(name))
      .map((name) => ({
        field: "member",
        there: undefined,
        here: name,
        reason: isNested(name) ? ("nested-member" as const) : undefined,
      })),
  ];
}
