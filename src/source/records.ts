/**
 * The records of one list, taken apart as they come: of a resource nothing stays but its draft, its version and its place.
 *
 * In: resources in whatever order. Out: how many different ones there are; and at the end drafts in the order of the list,
 * and a problem for each record that has no id to call it by.
 */

import { createHash } from "node:crypto";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { idOf, type ReadRecord, type Unreadable } from "./drafts.ts";
import { createMarker, type ListMark } from "./latest.ts";
import { lastModifiedOf, versionOf } from "./versions.ts";

/** What a list came to. */
export interface ListDrafts<Draft> {
  readonly drafts: readonly Draft[];
  readonly problems: readonly Problem[];
  /** How many different resources there are, whatever became of them. */
  readonly size: number;
  /** When the record that changed last did so, in milliseconds since 1970, as far as the IAM says it. */
  readonly newestMs: number | undefined;
  /** Which records changed last, to be asked for again; undefined where the times of the list say too little. */
  readonly mark: ListMark | undefined;
  /** `meta.version` of a record by its id, else its `meta.lastModified`; undefined where the IAM gave neither. */
  versionOf(id: string): string | undefined;
  /** The same id, as its draft has it; undefined for that of no record. */
  sameId(id: string): string | undefined;
}

/** Takes records in. */
export interface Records<Draft> {
  /** Different ones so far. */
  readonly size: number;
  /**
   * One that is known by its id already takes the place of the earlier. One without an id is known by what it says and by
   * `place`; it stands at `index` of the list.
   */
  add(resource: unknown, at: Readonly<Record<"index" | "place", number>>): void;
  finish(kind: "user" | "group"): ListDrafts<Draft>;
}

/** Makes one that has none. */
export function createRecords<Draft extends { readonly id: string }>(
  read: ReadRecord<Draft>,
): Records<Draft> {
  // By the order of coming; an object for each record would be one too many.
  const records: (Draft | Unreadable)[] = [];
  const indexes: number[] = [];
  const versions: (string | undefined)[] = [];
  const byId = new Map<string, number>();
  const byText = new Map<string, number>();
  const marker = createMarker();
  let newestMs: number | undefined;
  return {
    get size() {
      return records.length;
    },
    add(resource, { index, place }) {
      const id = idOf(resource);
      const [slots, key] = id === undefined ? [byText, textKeyOf(resource, place)] : [byId, id];
      const slot = slots.get(key) ?? records.length;
      if (slot === records.length) {
        slots.set(key, slot);
      }
      records[slot] = read(id, resource);
      indexes[slot] = index;
      versions[slot] = versionOf(resource);
      const modifiedMs = lastModifiedOf(resource);
      marker.add(resource, modifiedMs);
      newestMs =
        modifiedMs !== undefined && modifiedMs > (newestMs ?? modifiedMs - 1) ? modifiedMs : newestMs;
    },
    finish: (kind) => ({
      ...inOrder(kind, records, indexes),
      size: records.length,
      newestMs,
      mark: marker.finish(),
      versionOf: (id) => versions[byId.get(id) ?? -1],
      sameId: (id) => idIn(records[byId.get(id) ?? -1]),
    }),
  };
}

function idIn(record: { readonly id: string } | Unreadable | undefined): string | undefined {
  return record !== undefined && "id" in record ? record.id : undefined;
}

function inOrder<Draft extends { readonly id: string }>(
  kind: "user" | "group",
  records: readonly (Draft | Unreadable)[],
  indexes: readonly number[],
): Pick<ListDrafts<Draft>, "drafts" | "problems"> {
  const drafts: Draft[] = [];
  const problems: Problem[] = [];
  const slots = indexes.map((_, slot) => slot);
  slots.sort((left, right) => (indexes[left] ?? 0) - (indexes[right] ?? 0));
  slots.forEach((slot, position) => {
    const record = records[slot];
    if (record !== undefined && "looks" in record) {
      problems.push(unreadable(kind, position + 1, record));
    } else if (record !== undefined) {
      drafts.push(record);
    }
  });
  return { drafts, problems };
}

function unreadable(kind: "user" | "group", nth: number, { looks }: Unreadable): Problem {
  const reason = `entry ${nth} of the list has no id, or is nested too deeply: ${looks}`;
  return { code: "record-unreadable", subject: { kind, id: `#${nth}` }, field: "id", reason };
}

function textKeyOf(resource: unknown, place: number): string {
  return `${place} ${digestOf(resource)}`;
}

/** Of something nested however deep: JSON that came in may be too deep to be written again. */
function digestOf(resource: unknown): string {
  try {
    return createHash("sha256").update(JSON.stringify(resource)).digest("hex");
  } catch {
    return quoted(resource);
  }
}
