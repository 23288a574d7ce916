/**
 * What a check says: the value with its new type, or why not.
 *
 * A value that passed is its own verdict: nothing is made for it, because most values pass.
 */

import type { ProblemCode } from "../model/problem.ts";

/** A refused value: the code, and the reason in words. */
export interface Refusal {
  readonly code: ProblemCode;
  readonly reason: string;
}

/** The answer of one check. */
export type Verdict<Value extends string | number> = Value | Refusal;

/** Text that has a safe substitute: it is always there, with what was wrong about the original. */
export type Mended<Value extends string> = Value | Substitute<Value>;

/** What stands in the place of a refused value. */
export interface Substitute<Value> {
  readonly value: Value;
  readonly refusal: Refusal;
}

/** Whether a check refused what it was given. */
export function isRefusal<Value extends string | number>(verdict: Verdict<Value>): verdict is Refusal {
  return typeof verdict === "object";
}

/** Whether something stands in the place of what was given. */
export function isMended<Value extends string>(mended: Mended<Value>): mended is Substitute<Value> {
  return typeof mended === "object";
}

/** The value to use, whatever was wrong about the original. */
export function mendedValue<Value extends string>(mended: Mended<Value>): Value {
  return isMended(mended) ? mended.value : mended;
}

/** Whether the IAM said nothing here. RFC 7643 §2.5: null, empty and absent are the same. */
export function isAbsent(raw: unknown): raw is undefined | null | "" {
  return raw === undefined || raw === null || raw === "";
}
