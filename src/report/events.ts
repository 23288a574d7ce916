/**
 * A change as fields of a log line: keys by fingerprint, everything else as it is in the diff.
 */

import type { Change } from "../model/plan.ts";
import { describeKey } from "./fingerprint.ts";

/** Flat fields that begin with `event`. */
export function eventOf(change: Change): Readonly<Record<string, unknown>> {
  return "key" in change ? { ...change, key: describeKey(change.key) } : { ...change };
}
