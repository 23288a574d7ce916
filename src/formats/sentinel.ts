/**
 * The record at the end of a map with indexes: valid, and of a name that the node itself always has.
 *
 * It stops a reader that an outdated index has led past the last record; see `slots.ts`. Nobody is served by it: `files`
 * comes before `cache` in nsswitch.conf, and the name and the ids are never taken from an IAM.
 */

import type { SlotRecord } from "./slots.ts";

/** By the maps that libnss-cache reads through indexes. */
export const SENTINELS: Readonly<Record<"passwd" | "group" | "shadow", SlotRecord>> = {
  passwd: { name: "nobody", line: "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin" },
  group: { name: "nogroup", line: "nogroup:x:65534:" },
  shadow: { name: "nobody", line: "nobody:!*:::::::" },
};

/** Whether a file ends with one. */
export function endsWithSentinel(bytes: Uint8Array, { line }: SlotRecord): boolean {
  const tail = Buffer.from(`${line}\n`);
  return Buffer.compare(bytes.subarray(Math.max(0, bytes.length - tail.length)), tail) === 0;
}
