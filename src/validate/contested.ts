/**
 * One owner for every name and id: what several records claim goes to the one this node serves with it already,
 * and to none of them where that does not tell.
 *
 * Serving the wrong person is worse than serving nobody.
 */

import type { Problem, ProblemCode, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";

/** Something that must be unique: how to read it from a record, and what to say when it is not. */
export interface Claim<Item> {
  readonly field: string;
  readonly code: ProblemCode;
  readonly of: (item: Item) => string | number;
  /** Whether this node serves exactly this record with it already. */
  readonly isHeldBy: (item: Item) => boolean;
}

/** The records nobody else competes with, and a problem for each of the others. */
export function settleClaims<Item extends { readonly subject: Subject }>(
  items: readonly Item[],
  claims: readonly Claim<Item>[],
): { readonly kept: readonly Item[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const losers = new Set<Item>();
  for (const claim of claims) {
    for (const rivals of rivalsOf(items, claim)) {
      const holders = rivals.filter(claim.isHeldBy);
      for (const item of holders.length === 1 ? rivals.filter((rival) => rival !== holders[0]) : rivals) {
        losers.add(item);
        problems.push(problemOf(item, rivals, claim));
      }
    }
  }
  return { kept: items.filter((item) => !losers.has(item)), problems };
}

function rivalsOf<Item>(items: readonly Item[], claim: Claim<Item>): Item[][] {
  return [...Map.groupBy(items, claim.of).values()].filter((claimants) => claimants.length > 1);
}

function problemOf<Item extends { readonly subject: Subject }>(
  item: Item,
  rivals: readonly Item[],
  claim: Claim<Item>,
): Problem {
  const other = rivals.find((rival) => rival !== item)?.subject;
  const others =
    rivals.length === 2 ? quoted(other?.name ?? other?.id) : `${rivals.length - 1} other records`;
  return {
    code: claim.code,
    subject: item.subject,
    field: claim.field,
    reason: `${quoted(claim.of(item))} is also claimed by ${others}`,
  };
}
