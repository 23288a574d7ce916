/**
 * One link of the chain from the IAM to sshd: whether it holds, what there is, and where that comes from.
 */

/** `warning`: a login goes through all the same. `not-needed`: nothing to look at, or it would change nothing. */
export type LinkState = "yes" | "no" | "warning" | "not-needed";

/** What one look came to. Text may quote what others wrote: print it through `printable`. */
export interface Finding {
  readonly state: LinkState;
  readonly value: string;
  /** The place to look at: an attribute, a key of the configuration, a file. */
  readonly source: string;
  /** What to do about it; only where something is wrong. */
  readonly remedy?: string;
}

/** It holds. */
export function yes(value: string, source: string): Finding {
  return { state: "yes", value, source };
}

/** It is broken: nobody gets past it. */
export function no(value: string, source: string, remedy: string): Finding {
  return { state: "no", value, source, remedy };
}

/** Something is wrong, and a login goes through all the same. */
export function warning(value: string, source: string, remedy: string): Finding {
  return { state: "warning", value, source, remedy };
}

/** There is nothing to look at. */
export function notNeeded(value: string, source: string): Finding {
  return { state: "not-needed", value, source };
}
