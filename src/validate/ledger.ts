/**
 * What the ledger says about names and ids: whose they are, and what a person has decided.
 */

import type { Drafts } from "../model/draft.ts";
import {
  type HolderKind,
  type Holding,
  holdingKey,
  type Ledger,
  latest,
  latestBy,
  recordKey,
} from "../model/ledger.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";

/** Who the ledger says holds what; of several, the one that is served or was served last. */
export interface Owners {
  byId(kind: HolderKind, id: string): Holding | undefined;
  /** Shared and private groups have their names and gids in common. */
  byName(kind: "user" | "group", name: string): Holding | undefined;
  byNumber(kind: "user" | "group", number: number): Holding | undefined;
  /** Whether this record has ever held exactly this. */
  had(holding: Pick<Holding, "kind" | "id" | "name" | "number">): boolean;
  /** Whether the IAM still has the record that a holding belongs to. */
  isListed(holding: Holding): boolean;
}

/** Makes a ledger quick to ask, beside what the IAM lists now. */
export function ownersIn({ holdings }: Ledger, { users, groups }: Drafts): Owners {
  const known = holdings.filter(({ id }) => id !== undefined);
  const ids = latestBy(known, ({ kind, id }) => `${kind} ${id}`);
  const names = latestBy(holdings, ({ kind, name }) => `${kind} ${name}`);
  const numbers = latestBy(holdings, ({ kind, number }) => `${kind} ${number}`);
  const all = new Set(holdings.map(holdingKey));
  const listed = recordKeysOf({ users, groups });
  const shared = (found: ReadonlyMap<string, Holding>, kind: "user" | "group", key: string | number) => {
    const own = found.get(`${kind} ${key}`);
    const privately = kind === "group" ? found.get(`private ${key}`) : undefined;
    return privately === undefined ? own : latest(own, privately);
  };
  return {
    byId: (kind, id) => ids.get(`${kind} ${id}`),
    byName: (kind, name) => shared(names, kind, name),
    byNumber: (kind, number) => shared(numbers, kind, number),
    had: (holding) => all.has(holdingKey(holding)),
    isListed: ({ kind, id }) => id !== undefined && listed.has(recordKey(kind, id)),
  };
}

/** The records behind users and groups, whatever shape these have by now; a private group has none of its own. */
export function recordKeysOf(of: {
  readonly users: readonly { readonly id: string }[];
  readonly groups: readonly { readonly id: string | undefined }[];
}): ReadonlySet<string> {
  return new Set([
    ...of.users.map(({ id }) => recordKey("user", id)),
    ...of.groups.flatMap(({ id }) => (id === undefined ? [] : [recordKey("group", id)])),
  ]);
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
