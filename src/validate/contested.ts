/**
 * One owner for every name and id: what several records claim goes to the one that holds it on this node, by SCIM id,
 * and to none of them where that does not tell. What somebody else held not long ago goes to nobody.
 *
 * Serving the wrong person is worse than serving nobody.
 */

import type { Holding } from "../model/ledger.ts";
import type { Problem, ProblemCode, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { type Accepts, describeOwner, isAccepted } from "./ledger.ts";

/** What a record is known by on this node. */
export interface Identity {
  readonly subject: Subject;
  readonly name: string;
  readonly number: number;
}

/** Something that must be unique. */
export interface Claim<Item> {
  readonly field: string;
  readonly codes: { readonly contested: ProblemCode; readonly remembered: ProblemCode };
  readonly of: (item: Item) => string | number;
  /** Who holds what this record claims, as far as this node remembers. */
  readonly ownerFor: (item: Item) => Holding | undefined;
}

/** What claims are settled by. */
export interface ClaimRules<Item> {
  readonly identityOf: (item: Item) => Identity;
  readonly claims: readonly Claim<Item>[];
  readonly accepts: Accepts;
}

/** The records that own what they claim, a problem for each of the others, and the names that a person has let through. */
export interface Settled<Item> {
  readonly kept: readonly Item[];
  readonly problems: readonly Problem[];
  readonly accepted: readonly string[];
}

/** Settles every claim of every record. */
export function settleClaims<Item>(items: readonly Item[], rules: ClaimRules<Item>): Settled<Item> {
  const problems: Problem[] = [];
  const losers = new Set<Item>();
  const accepted = new Set<string>();
  for (const claim of rules.claims) {
    for (const rivals of Map.groupBy(items, claim.of).values()) {
      const { winner, isByDecision } = winnerOf(rivals, claim, rules);
      if (winner !== undefined && isByDecision) {
        accepted.add(rules.identityOf(winner).name);
      }
      for (const loser of rivals.filter((rival) => rival !== winner)) {
        losers.add(loser);
        problems.push(problemOf(loser, rivals, { claim, rules }));
      }
    }
  }
  return { kept: items.filter((item) => !losers.has(item)), problems, accepted: [...accepted] };
}

interface Winner<Item> {
  readonly winner: Item | undefined;
  /** A person has decided it, against what this node remembers. */
  readonly isByDecision: boolean;
}

function winnerOf<Item>(
  rivals: readonly Item[],
  claim: Claim<Item>,
  { identityOf, accepts }: ClaimRules<Item>,
): Winner<Item> {
  const [first] = rivals;
  const isAlone = rivals.length === 1;
  const owners = rivals.filter((rival) => owns(identityOf(rival), claim.ownerFor(rival)));
  if (owners.length === 1) {
    return { winner: owners[0], isByDecision: false };
  }
  if (first === undefined || !isAlone) {
    return { winner: undefined, isByDecision: false };
  }
  if (claim.ownerFor(first) === undefined) {
    return { winner: first, isByDecision: false };
  }
  return isAccepted(accepts, identityOf(first).name)
    ? { winner: first, isByDecision: true }
    : { winner: undefined, isByDecision: false };
}

/** By SCIM id; where only the maps told, by having both the name and the number. */
function owns({ subject, name, number }: Identity, owner: Holding | undefined): boolean {
  if (owner?.id !== undefined) {
    return owner.id === subject.id && owner.kind === subject.kind;
  }
  return owner !== undefined && owner.name === name && owner.number === number;
}

function problemOf<Item>(
  item: Item,
  rivals: readonly Item[],
  { claim, rules }: { readonly claim: Claim<Item>; readonly rules: ClaimRules<Item> },
): Problem {
  const { subject } = rules.identityOf(item);
  const value = quoted(claim.of(item));
  const owner = claim.ownerFor(item);
  if (rivals.length === 1 && owner !== undefined) {
    const reason = `${value} ${describeOwner(owner)}, under another record of the IAM`;
    return { code: claim.codes.remembered, subject, field: claim.field, reason };
  }
  const rival = rivals.find((other) => other !== item);
  const other = rival === undefined ? undefined : rules.identityOf(rival).subject;
  const others =
    rivals.length === 2 ? quoted(other?.name ?? other?.id) : `${rivals.length - 1} other records`;
  return {
    code: claim.codes.contested,
    subject,
    field: claim.field,
    reason: `${value} is also claimed by ${others}`,
  };
}
