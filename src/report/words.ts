/**
 * How ages, and text that others wrote, are shown to people.
 */

import type { AskedBy } from "./status.ts";

/** A message may quote what a server said; nothing in it may steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

/** `12 s`, `4 min`, `3 h`, `2 d`. */
export function ago(seconds: number): string {
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ] as const;
  const [size, unit] = units.find(([length]) => seconds >= 2 * length) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** `1 user`, `2 users`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** How the IAM is asked for news; empty where that is not known. */
export function askedWords(askedBy: AskedBy | null): string {
  return askedBy !== null && Object.hasOwn(ASKED, askedBy) ? ASKED[askedBy] : "";
}

const ASKED: Readonly<Record<AskedBy, string>> = {
  etags: "asked by ETags",
  times: "asked by totals and times",
  lists: "fetched whole each time",
};
