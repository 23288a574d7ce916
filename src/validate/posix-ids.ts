/**
 * Which numeric ids a node can serve: from the configured attribute alone, in range, nobody else's.
 *
 * There is no fallback to another attribute: an `externalId` of "0" must never become root (CVE-2024-9312
 * and its kin).
 */

import type { Gid, Uid } from "../model/ids.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { isAbsent, type Verdict } from "./verdict.ts";

/** 65534 is nobody; 65535 is (uid_t)-1 of 16-bit interfaces. */
const NEVER = new Set([65534, 65535]);
const DECIMAL = /^(?:0|[1-9]\d{0,9})$/;

/** The range, and the ids that local accounts have. */
export interface IdLimits {
  readonly ids: Rules["ids"];
  readonly local: ReadonlySet<number>;
}

/** Checks a user id: a JSON integer or a decimal string. */
export function toUid(raw: unknown, limits: IdLimits): Verdict<Uid> {
  return toId(raw, limits) as Verdict<Uid>;
}

/** Checks a group id, by the same rules. */
export function toGid(raw: unknown, limits: IdLimits): Verdict<Gid> {
  return toId(raw, limits) as Verdict<Gid>;
}

function toId(raw: unknown, { ids, local }: IdLimits): Verdict<number> {
  if (isAbsent(raw)) {
    return { code: "id-missing", reason: "no id at the configured attribute" };
  }
  const id = toInteger(raw);
  if (id === undefined) {
    return { code: "id-invalid", reason: `${quoted(raw)} is not a decimal integer` };
  }
  if (id < ids.min || id > ids.max) {
    return { code: "id-out-of-range", reason: `${id} is not between ${ids.min} and ${ids.max}` };
  }
  if (NEVER.has(id)) {
    return { code: "id-out-of-range", reason: `${id} stands for nobody` };
  }
  if (local.has(id)) {
    return { code: "id-local", reason: `${id} is already a local id on this node` };
  }
  return id;
}

function toInteger(raw: unknown): number | undefined {
  if (typeof raw === "number") {
    return Number.isSafeInteger(raw) ? raw : undefined;
  }
  return typeof raw === "string" && DECIMAL.test(raw) ? Number(raw) : undefined;
}
