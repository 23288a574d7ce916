/**
 * What a check says: the value with its new type, or why not.
 */

import type { ProblemCode } from "../model/problem.ts";

/** A refused value: the code, and the reason in words. */
export interface Refusal {
  readonly code: ProblemCode;
  readonly reason: string;
}

/** The answer of one check. */
export type Verdict<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusal: Refusal };

/** A value that has a safe substitute: it is always there, with what was wrong about the original. */
export interface Mended<Value> {
  readonly value: Value;
  readonly refusal: Refusal | undefined;
}

/** A value that passed. */
export function accept<Value>(value: Value): Verdict<Value> {
  return { ok: true, value };
}

/** A value that did not. */
export function refuse(code: ProblemCode, reason: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, reason } };
}

/** Whether the IAM said nothing here. RFC 7643 §2.5: null, empty and absent are the same. */
export function isAbsent(raw: unknown): raw is undefined | null | "" {
  return raw === undefined || raw === null || raw === "";
}
