/**
 * What the ledger says about names and ids: whose they are, and what a person has decided.
 */

import { lazily } from "../model/lazily.ts";
import { type HolderKind, type Holding, holdingKey, type Ledger, latest, latestBy } from "../model/ledger.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";

/** Who the ledger says holds what; of several, the one that is served or was served last. */
export interface Owners {
  /** What a user holds. */
  byId(id: string): Holding | undefined;
  /** Shared and private groups have their names and gids in common. */
  byName(kind: "user" | "group", name: string): Holding | undefined;
  byNumber(kind: "user" | "group", number: number): Holding | undefined;
  /** Whether this record has ever held exactly this. */
  had(holding: Pick<Holding, "kind" | "id" | "name" | "number">): boolean;
  /** Whether the IAM still has the record that a holding belongs to. */
  isListed(holding: Holding): boolean;
}

/** The records that the IAM lists now, by SCIM id. */
export interface Listed {
  readonly users: Pick<ReadonlyMap<string, unknown>, "has">;
  readonly groups: Pick<ReadonlyMap<string, unknown>, "has">;
}

/** Of one kind: the holding that counts, by each of the things that tell holdings apart. */
interface Held {
  readonly names: ReadonlyMap<string, Holding>;
  readonly numbers: ReadonlyMap<number, Holding>;
}

/** Makes a ledger quick to ask, beside what the IAM lists now. */
export function ownersIn({ holdings }: Ledger, listed: Listed): Owners {
  const kinds = Map.groupBy(holdings, ({ kind }) => kind);
  const heldBy = (kind: HolderKind) => heldAmong(kinds.get(kind) ?? []);
  const held = { user: heldBy("user"), group: heldBy("group"), private: heldBy("private") };
  const users = latestOf(kinds.get("user") ?? [], ({ id }) => id);
  // Seldom asked for, and as large as all of the others.
  const all = lazily(() => new Set(holdings.map(holdingKey)));
  const shared = (own: Holding | undefined, privately: Holding | undefined) =>
    privately === undefined ? own : latest(own, privately);
  return {
    byId: (id) => users.get(id),
    byName: (kind, name) =>
      kind === "user"
        ? held.user.names.get(name)
        : shared(held.group.names.get(name), held.private.names.get(name)),
    byNumber: (kind, number) =>
      kind === "user"
        ? held.user.numbers.get(number)
        : shared(held.group.numbers.get(number), held.private.numbers.get(number)),
    had: (holding) => all().has(holdingKey(holding)),
    isListed: ({ kind, id }) =>
      id !== undefined && (kind === "group" ? listed.groups.has(id) : listed.users.has(id)),
  };
}

function heldAmong(holdings: readonly Holding[]): Held {
  return {
    names: latestOf(holdings, ({ name }) => name),
    numbers: latestOf(holdings, ({ number }) => number),
  };
}

/** By key: the one that counts. Mostly each has a key of its own, so only those that share one are compared. */
function latestOf<Key>(
  holdings: readonly Holding[],
  keyOf: (holding: Holding) => Key,
): ReadonlyMap<Key, Holding> {
  const found = new Map<Key, Holding>();
  const shared = new Set<Key>();
  for (const holding of holdings) {
    const key = keyOf(holding);
    const count = found.size;
    found.set(key, holding);
    if (found.size === count) {
      shared.add(key);
    }
  }
  const rivals = shared.size === 0 ? [] : holdings.filter((holding) => shared.has(keyOf(holding)));
  latestBy(rivals, keyOf).forEach((holding, key) => found.set(key, holding));
  return found;
}

/** Whose it is, for the middle of a sentence. The same words whether they are here or gone: nobody is told twice. */
export function describeOwner({ kind, id, name, number }: Holding): string {
  const what = kind === "private" ? "the private group of" : kind === "group" ? "the group" : "the user";
  const record = id === undefined ? "" : `, record ${quoted(id)} of the IAM`;
  return `is kept on this node for ${what} ${quoted(name)} (${number}${record})`;
}

/** What a person has decided, and could decide: `user:NAME` or `group:NAME`. */
export interface Decisions {
  readonly accepted: readonly string[];
  readonly acceptable: readonly string[];
}

/** The command that takes a record as it is. */
export function acceptCommand(kind: "user" | "group", name: string): string {
  return `"rollcall accept ${kind === "group" ? "--group " : ""}${name}"`;
}

/** Whether a person has decided to take the record of this kind and name as it is. */
export function isAccepted(accepts: Rules["accepts"], kind: "user" | "group", name: string): boolean {
  return accepts === "all" || accepts.has(`${kind}:${name}`);
}
