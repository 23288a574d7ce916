/**
 * Which version of each record the IAM gave (RFC 7643 §3.1): `meta.version`, else `meta.lastModified`.
 *
 * In: the resources of both lists. Out: short texts by record; no entry where the IAM gave neither. Kept out of the drafts: many
 * servers count a login as a change, and a sync without changes must not have to write anything.
 */

import type { RecordVersions } from "../model/history.ts";
import { recordKey } from "../model/ledger.ts";
import { valueAt } from "./attributes.ts";
import { idOf, type Resources } from "./drafts.ts";

const MAX_LENGTH = 128;

/** Of every record that has an id. */
export function versionsOf({ users, groups }: Resources): RecordVersions {
  const versions = new Map<string, string>();
  for (const [kind, list] of [
    ["user", users],
    ["group", groups],
  ] as const) {
    for (const resource of list) {
      const id = idOf(resource);
      const version = versionOf(resource);
      if (id !== undefined && version !== undefined) {
        versions.set(recordKey(kind, id), version);
      }
    }
  }
  return versions;
}

/** When the record that changed last did so, as far as the IAM says it. */
export function newestOf({ users, groups }: Resources): string | undefined {
  const times = [users, groups].flatMap((list) =>
    list.map((resource) => timeOf(valueAt(valueAt(resource, "meta"), "lastModified"))),
  );
  const newest = times.reduce((latest, time) => (time > latest ? time : latest), Number.NEGATIVE_INFINITY);
  return Number.isFinite(newest) ? new Date(newest).toISOString() : undefined;
}

function timeOf(value: unknown): number {
  const time = isShortText(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

function versionOf(resource: unknown): string | undefined {
  const meta = valueAt(resource, "meta");
  return [valueAt(meta, "version"), valueAt(meta, "lastModified")].find(isShortText);
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_LENGTH;
}
