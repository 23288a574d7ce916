/**
 * Fetches only the records that changed last, from an IAM without ETags that has proven to tell them.
 *
 * In: what is remembered of the last pull, and its marks. Out: the drafts of both lists as a whole pull would have them, as far as totals and
 * times show what is new. Undefined where only a whole pull can tell: somebody came or went, too many changed, or an answer is not
 * what it should be.
 */

import type { GroupDraft, RecordIds, UserDraft } from "../model/draft.ts";
import { isDispensable } from "./answers.ts";
import type { ChangedParts } from "./changed-pages.ts";
import { groupReader, idOf, type ReadRecord, userReader } from "./drafts.ts";
import { together } from "./lanes.ts";
import { createMarker, type ListMark, type Marks } from "./latest.ts";
import { type PatchedList, type Placed, patchList, pulledFromPatches } from "./patched.ts";
import { latestRecords } from "./probe-latest.ts";
import type { Pulled } from "./pulled.ts";
import { lastModifiedOf } from "./versions.ts";

/** What is asked with. */
export interface LatestParts extends ChangedParts {
  readonly marks: Marks;
  /** This node's time, for a server that does not tell its own. */
  readonly nowMs: number;
}

/** Asks for the records that changed last, and puts them in the place of the old ones. */
export async function pullLatest(parts: LatestParts, signal: AbortSignal): Promise<Pulled | undefined> {
  const { client, attributes, remembered, marks } = parts;
  const { users, groups } = await askBoth(parts, signal);
  const before = users && groups && (await remembered.some({ ids: idsOf({ users, groups }) }));
  // A record without an id is counted in a total and has no draft.
  if (users === undefined || groups === undefined || before === undefined || before.counts.problems > 0) {
    return undefined;
  }
  const read = { users: userReader(attributes.user), groups: groupReader(attributes.group) };
  const usersAfter = patchById("user", before.users, { read: read.users, records: users });
  const groupsAfter = patchById("group", before.groups, { read: read.groups, records: groups });
  if (usersAfter === undefined || groupsAfter === undefined) {
    return undefined;
  }
  const after = { users: markAfter(users, marks.users), groups: markAfter(groups, marks.groups) };
  return pulledFromPatches(
    { users: usersAfter, groups: groupsAfter },
    {
      statistics: { ...client.traffic, mayShift: false, unchanged: false, isOfLatest: true },
      etags: {},
      marks: after.users && after.groups && { users: after.users, groups: after.groups },
    },
  );
}

/** Both lists at a time; nothing of a server that does not answer one of them, which is asked for everything then. */
async function askBoth({ client, settings, marks, nowMs }: LatestParts, signal: AbortSignal) {
  try {
    const [users, groups] = await together(signal, (both) => {
      const ask = (kind: keyof Marks) =>
        latestRecords(client, { base: settings.url, list: settings[kind], mark: marks[kind], nowMs }, both);
      return Promise.all([ask("users"), ask("groups")]);
    });
    return { users, groups };
  } catch (error) {
    if (isDispensable(error)) {
      return { users: undefined, groups: undefined };
    }
    throw error;
  }
}

function idsOf(records: Readonly<Record<keyof RecordIds, readonly unknown[]>>): RecordIds {
  const ids = (list: readonly unknown[]) => new Set(list.flatMap((record) => idOf(record) ?? []));
  return { users: ids(records.users), groups: ids(records.groups) };
}

/** Undefined where one of the records was not there before. */
function patchById<Draft extends UserDraft | GroupDraft>(
  kind: "user" | "group",
  before: ReadonlyMap<number, Draft>,
  { read, records }: { readonly read: ReadRecord<Draft>; readonly records: readonly unknown[] },
): PatchedList<Draft> | undefined {
  const places = new Map([...before].map(([place, { id }]) => [id, place]));
  const placed = records.map((record): Placed => [places.get(idOf(record) ?? "") ?? -1, record]);
  return places.size === records.length ? patchList(kind, before, { read, placed }) : undefined;
}

/** What the same records can be asked for by next time; all of them are of the times that the mark is of. */
function markAfter(records: readonly unknown[], mark: ListMark): ListMark | undefined {
  const marker = createMarker();
  for (const record of records) {
    marker.add(record, lastModifiedOf(record));
  }
  const after = mark.since === null ? mark : marker.finish();
  return after && { ...after, total: mark.total };
}
