/**
 * What a pull saw of each list that a server can be asked for again at little cost: how many records there are, and which
 * of them changed last.
 *
 * In: the records of a list, in any order. Out: a mark; none where the times of the list say too little. A change is noticed by its
 * time, so every record must have one. Not only those of the newest moment count: a pull takes minutes, and while a record of its last page
 * is changed, one of its first page may be changed too and be older than what the pull saw last.
 */

import { createHash } from "node:crypto";
import { lastModifiedTextOf } from "./versions.ts";

/** What one list had. */
export interface ListMark {
  readonly total: number;
  /** From when on records count as changed last, in ISO 8601; null for an empty list. */
  readonly since: string | null;
  /** How many those are, and the SHA-256 of all they say. */
  readonly count: number;
  readonly digest: string;
}

/** Both lists. */
export type Marks = Readonly<Record<"users" | "groups", ListMark>>;

/** Sees every record of a list once. */
export interface Marker {
  /** With the time it was changed last, in milliseconds since 1970, if it says one. */
  add(resource: unknown, modifiedMs: number | undefined): void;
  /** Undefined where a record has no time, or too many changed last. */
  finish(): ListMark | undefined;
}

/** A record that may be among those that changed last. */
interface Dated {
  readonly ms: number;
  readonly resource: unknown;
}

/** A pull that took longer leaves no mark. */
export const LONGEST_PULL_MS = 7 * 60_000;
/** How far the clocks of an IAM may be apart, and how late a change may show. */
const SKEW_MS = 3 * 60_000;
/** What changed last begins so long before the newest record. */
const WINDOW_MS = LONGEST_PULL_MS + SKEW_MS;
/** More than these are not asked for: they must come in one page of any server. */
export const MAX_LATEST = 100;

/** Makes one that has seen none; it holds a few hundred records at most. */
export function createMarker(): Marker {
  let total = 0;
  let isDated = true;
  let kept: Dated[] = [];
  let newestDropped = Number.NEGATIVE_INFINITY;
  const drop = () => {
    kept.sort((left, right) => right.ms - left.ms);
    newestDropped = Math.max(newestDropped, kept[MAX_LATEST]?.ms ?? newestDropped);
    kept = kept.slice(0, MAX_LATEST);
  };
  return {
    add(resource, ms) {
      total += 1;
      isDated &&= ms !== undefined && isCertain(resource);
      if (ms !== undefined && ms >= newestDropped) {
        kept.push({ ms, resource });
        if (kept.length >= 2 * MAX_LATEST) {
          drop();
        }
      }
    },
    finish() {
      drop();
      const newest = kept[0]?.ms;
      if (newest === undefined) {
        return total === 0 ? { total, since: null, count: 0, digest: "" } : undefined;
      }
      // Whole seconds, because many servers know no others.
      const sinceMs = Math.floor((newest - WINDOW_MS) / 1000) * 1000;
      const latest = kept.filter(({ ms }) => ms >= sinceMs).map(({ resource }) => resource);
      const digest = digestOf(latest);
      return isDated && newestDropped < sinceMs && digest !== undefined
        ? { total, since: dateTime(sinceMs), count: latest.length, digest }
        : undefined;
    },
  };
}

/** Of all that these records say, in whatever order they come; undefined for what cannot be written as JSON. */
export function digestOf(resources: readonly unknown[]): string | undefined {
  try {
    const texts = resources.map((resource) => JSON.stringify(resource)).sort();
    return createHash("sha256").update(texts.join("\n")).digest("hex");
  } catch {
    return undefined;
  }
}

/** A time without its place on earth could be any of a day; no record without one that is certain is dated. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|[+-]\d\d:\d\d)$/i;

/** Whether a record says when it changed last, without any doubt. */
export function isCertain(resource: unknown): boolean {
  return DATE_TIME.test(lastModifiedTextOf(resource) ?? "");
}

function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
