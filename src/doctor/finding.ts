/**
 * What one check comes to, and what checks are made of: facts that may be missing.
 *
 * In: a fact, or why there is none. Out: a verdict, what was found, and what to do about it.
 */

/** `not-checked`: nobody can tell from here, and `found` says why. */
export type Verdict = "ok" | "warning" | "broken" | "not-checked";

/** What one check came to. Text may quote what others wrote: print it through `printable`. */
export interface Finding {
  readonly verdict: Verdict;
  readonly found: string;
  /** The exact command or line; only where something is wrong. */
  readonly remedy?: string;
}

/** Something that was looked at, or the reason why it could not be. */
export type Fact<Value> =
  | { readonly known: true; readonly value: Value }
  | {
      readonly known: false;
      readonly why: string;
      /** `unseen`: nobody can tell from here. `failed` and `hangs`: looking itself went wrong. */
      readonly how: "unseen" | "failed" | "hangs";
    };

/** It was looked at. */
export function known<Value>(value: Value): Fact<Value> {
  return { known: true, value };
}

/** It could not be looked at. */
export function unknown(why: string): Fact<never> {
  return { known: false, why, how: "unseen" };
}

/** Looking at it failed. */
export function failed(why: string): Fact<never> {
  return { known: false, why, how: "failed" };
}

/** It was asked and gave no answer in time. */
export function silent(what: string, afterMs: number): Fact<never> {
  return { known: false, why: `${what} gave no answer within ${afterMs / 1000} s`, how: "hangs" };
}

/** As it should be. */
export function ok(found: string): Finding {
  return { verdict: "ok", found };
}

/** Logins go on, and somebody should look. */
export function warning(found: string, remedy: string): Finding {
  return { verdict: "warning", found, remedy };
}

/** People cannot log in, or the node cannot be kept in step. */
export function broken(found: string, remedy: string): Finding {
  return { verdict: "broken", found, remedy };
}

/** Nobody can tell from here. */
export function notChecked(why: string): Finding {
  return { verdict: "not-checked", found: why };
}

/** Judges a fact; one that is missing is not checked, and one that could not be had is broken. */
export function about<Value>(fact: Fact<Value>, judge: (value: Value) => Finding): Finding {
  if (fact.known) {
    return judge(fact.value);
  }
  return fact.how === "unseen" ? notChecked(fact.why) : broken(fact.why, MENDS[fact.how]);
}

const MENDS = {
  hangs: "Look for what hangs on the way to it: the network, a name service, a file server (dmesg).",
  failed: "Do what the message says; a sync could not go on either.",
} as const;

/** The value, for a fact that builds on another. */
export function valueOf<Value>(fact: Fact<Value>): Value | undefined {
  return fact.known ? fact.value : undefined;
}

const SHOWN = 5;

/** The first few of a list, and how many more there are. */
export function someOf(items: readonly string[], shown: number = SHOWN): string {
  const more = items.length > shown ? ` and ${items.length - shown} more` : "";
  return `${items.slice(0, shown).join(", ")}${more}`;
}
