/**
 * One owner for every name and id: what several records claim goes to the one that holds it on this node, by SCIM id,
 * and to none of them where that does not tell. What somebody else held not long ago goes to nobody.
 *
 * Serving the wrong person is worse than serving nobody.
 */

import { lazily } from "../model/lazily.ts";
import type { Holding } from "../model/ledger.ts";
import type { Problem, ProblemCode, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { acceptCommand, type Decisions, describeOwner, isAccepted, type Owners } from "./ledger.ts";
import type { Rules } from "./rules.ts";

/** What a record is known by on this node. */
export interface Identity {
  readonly kind: "user" | "group";
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

/** Whoever can claim something: a record, by its SCIM id. */
export interface Claimant {
  readonly id: string | undefined;
}

/** What claims are settled by. */
export interface ClaimRules<Item> {
  readonly kind: "user" | "group";
  readonly identityOf: (item: Item) => Identity;
  readonly claims: readonly Claim<Item>[];
  readonly accepts: Rules["accepts"];
  readonly owners: Owners;
}

/** The records that own what they claim, and a problem for each of the others. */
export interface Settled<Item> extends Decisions {
  readonly kept: readonly Item[];
  readonly problems: readonly Problem[];
}

/** Settles every claim of every record. */
export function settleClaims<Item extends Claimant>(
  items: readonly Item[],
  rules: ClaimRules<Item>,
): Settled<Item> {
  const problems: Problem[] = [];
  const losers = new Set<Item>();
  const accepted: string[] = [];
  const acceptable: string[] = [];
  const byId = lazily(() => new Map<string | undefined, Item>(items.map((item) => [item.id, item])));
  for (const claim of rules.claims) {
    const hasMovedOn = (owner: Holding, value: string | number) => {
      const item = byId().get(owner.id);
      return item !== undefined && claim.of(item) !== value;
    };
    const all = isUnique(items, claim.of) ? items : claimantsBy(items, claim.of).values();
    for (const claimants of all) {
      if (!isList(claimants) && isUncontested(claimants, claim, rules.kind)) {
        continue;
      }
      const rivals = isList(claimants) ? claimants : [claimants];
      const { winner, holder, decision } = winnerOf(rivals, { ...claim, hasMovedOn }, rules);
      if (decision !== undefined) {
        (winner === undefined ? acceptable : accepted).push(decision);
      }
      for (const loser of rivals.filter((rival) => rival !== winner)) {
        losers.add(loser);
        problems.push(problemOf(loser, { rivals, holder }, { claim, rules }));
      }
    }
  }
  const kept = losers.size === 0 ? items : items.filter((item) => !losers.has(item));
  return { kept, problems, accepted, acceptable };
}

/** Whether no two of them claim the same, as mostly. */
function isUnique<Item>(items: readonly Item[], keyOf: (item: Item) => string | number): boolean {
  const keys = new Set<string | number>();
  items.forEach((item) => keys.add(keyOf(item)));
  return keys.size === items.length;
}

/** By what they claim, in the order of the first of each: the item itself, or all of them where there are several. */
export function claimantsBy<Item extends Claimant, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): ReadonlyMap<Key, Item | readonly Item[]> {
  const found = new Map<Key, Item | Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const before = found.get(key);
    if (before === undefined) {
      found.set(key, item);
    } else if (Array.isArray(before)) {
      before.push(item);
    } else {
      found.set(key, [before, item]);
    }
  }
  return found;
}

/** Whether several claim the same. */
export function isList<Item extends Claimant>(
  claimants: Item | readonly Item[] | undefined,
): claimants is readonly Item[] {
  return Array.isArray(claimants);
}

/** Nearly every claim: nobody else is known to have it. */
function isUncontested<Item extends Claimant>(
  item: Item,
  claim: Claim<Item>,
  kind: "user" | "group",
): boolean {
  const owner = claim.ownerFor(item);
  return owner === undefined || (owner.kind === kind && owner.id !== undefined && owner.id === item.id);
}

interface Winner<Item> {
  readonly winner: Item | undefined;
  /** The first of them that has it on this node. */
  readonly holder: Item | undefined;
  /** What a person has decided, or could: against what this node remembers. */
  readonly decision: string | undefined;
}

function winnerOf<Item>(
  rivals: readonly Item[],
  claim: Claim<Item> & { readonly hasMovedOn: (owner: Holding, value: string | number) => boolean },
  { identityOf, accepts, owners }: ClaimRules<Item>,
): Winner<Item> {
  const [first] = rivals;
  const isAlone = rivals.length === 1;
  const holders = rivals.filter((rival) => owns(identityOf(rival), claim.ownerFor(rival), owners));
  const [holder] = holders;
  if (holders.length === 1) {
    return { winner: holder, holder, decision: undefined };
  }
  if (first === undefined || !isAlone) {
    return { winner: undefined, holder, decision: undefined };
  }
  const owner = claim.ownerFor(first);
  const { kind, name, number } = identityOf(first);
  if (owner === undefined) {
    return { winner: first, holder, decision: undefined };
  }
  // Nobody decides for somebody who is in the IAM and claims it; but a record may stand for a private group from now on.
  const isFree =
    !owners.isListed(owner) ||
    claim.hasMovedOn(owner, claim.of(first)) ||
    isPrivatelyThis(owner, { name, number });
  const isDecided = isFree && isAccepted(accepts, kind, name);
  return { winner: isDecided ? first : undefined, holder, decision: isFree ? `${kind}:${name}` : undefined };
}

function isPrivatelyThis(owner: Holding, { name, number }: Pick<Identity, "name" | "number">): boolean {
  return owner.kind === "private" && owner.name === name && owner.number === number;
}

/**
 * By SCIM id; where only the maps told, by having both the name and the number. A group that was here before the private
 * group of the same name and gid is that group.
 */
function owns(
  { kind, subject, name, number }: Identity,
  owner: Holding | undefined,
  owners: Owners,
): boolean {
  if (owner === undefined) {
    return false;
  }
  if (owner.kind !== kind) {
    return isPrivatelyThis(owner, { name, number }) && owners.had({ kind, id: subject.id, name, number });
  }
  return owner.id === undefined ? owner.name === name && owner.number === number : owner.id === subject.id;
}

function problemOf<Item>(
  item: Item,
  { rivals, holder }: { readonly rivals: readonly Item[]; readonly holder: Item | undefined },
  { claim, rules }: { readonly claim: Claim<Item>; readonly rules: ClaimRules<Item> },
): Problem {
  const { subject } = rules.identityOf(item);
  const value = quoted(claim.of(item));
  const owner = claim.ownerFor(item);
  if (rivals.length === 1 && owner !== undefined) {
    const isThere = rules.owners.isListed(owner);
    const { kind, name } = rules.identityOf(item);
    const until = isThere ? "" : `, until ${acceptCommand(kind, name)}`;
    const reason = `${value} ${describeOwner(owner)}${until}`;
    return {
      code: isThere ? claim.codes.contested : claim.codes.remembered,
      subject,
      field: claim.field,
      reason,
    };
  }
  const rival = rivals.find((other) => other !== item);
  const other = rival === undefined ? undefined : rules.identityOf(rival).subject;
  const keeps = holder === undefined ? "" : ", who has it on this node and keeps it";
  const others =
    rivals.length === 2 ? quoted(other?.name ?? other?.id) : `${rivals.length - 1} other records`;
  return {
    code: claim.codes.contested,
    subject,
    field: claim.field,
    reason: `${value} is also claimed by ${others}${keeps}`,
  };
}
