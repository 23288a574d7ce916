/**
 * What the ledger says about the records of a pull: whose a name or an id is, and which uid a person keeps.
 */

import type { Gid, Uid } from "../model/ids.ts";
import { type HolderKind, type Holding, type Ledger, latestBy } from "../model/ledger.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { toGid, toUid } from "./posix-ids.ts";
import type { Rules } from "./rules.ts";
import type { UserCandidate } from "./users.ts";

/** Who the ledger says holds what; of several, the one that is served or was served last. */
export interface Owners {
  byId(kind: HolderKind, id: string): Holding | undefined;
  byName(kind: HolderKind, name: string): Holding | undefined;
  byNumber(kind: HolderKind, number: number): Holding | undefined;
}

/** Makes a ledger quick to ask. */
export function ownersIn({ holdings }: Ledger): Owners {
  const known = holdings.filter(({ id }) => id !== undefined);
  const ids = latestBy(known, ({ kind, id }) => `${kind} ${id}`);
  const names = latestBy(holdings, ({ kind, name }) => `${kind} ${name}`);
  const numbers = latestBy(holdings, ({ kind, number }) => `${kind} ${number}`);
  return {
    byId: (kind, id) => ids.get(`${kind} ${id}`),
    byName: (kind, name) => names.get(`${kind} ${name}`),
    byNumber: (kind, number) => numbers.get(`${kind} ${number}`),
  };
}

/** Whose it is and since when not any more, for the middle of a sentence. */
export function describeOwner({ name, number, lastSeen }: Holding): string {
  const who = `${quoted(name)} (${number})`;
  return lastSeen === undefined
    ? `is ${who} on this node`
    : `was ${who} on this node until ${dayOf(lastSeen)}, and is remembered`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** What an admin has decided: names of records to take as the IAM has them, or all. */
export type Accepts = Rules["accepts"];

/** Whether the record of this name is to be taken as it is. */
export function isAccepted(accepts: Accepts, name: string): boolean {
  return accepts === "all" || accepts.has(name);
}

/** What the holding back of changed uids came to; `accepted` are the names whose change was let through. */
export interface HeldUids {
  readonly candidates: readonly UserCandidate[];
  readonly problems: readonly Problem[];
  readonly accepted: readonly string[];
}

/**
 * Gives everybody the uid they have here already, whatever the IAM says now: the files on every disk are theirs by that
 * number. The private group goes with it. Somebody whose old uid cannot be served any more is left out.
 */
export function holdUids(
  candidates: readonly UserCandidate[],
  owners: Owners,
  limits: { readonly rules: Rules; readonly local: LocalAccounts },
): HeldUids {
  const problems: Problem[] = [];
  const accepted: string[] = [];
  const kept = candidates.flatMap((candidate) => {
    const { user, subject } = candidate;
    const known = owners.byId("user", user.id)?.number;
    if (known === undefined || known === Number(user.uid)) {
      return [candidate];
    }
    if (isAccepted(limits.rules.accepts, user.name)) {
      accepted.push(user.name);
      return [candidate];
    }
    const old = numbersFor(candidate, known, limits);
    const rest = old === undefined ? "which cannot be served any more" : "which stays";
    const reason = `the IAM says ${user.uid} now; on this node it is ${known}, ${rest} until "rollcall accept ${user.name}"`;
    problems.push({ code: old === undefined ? "id-stuck" : "id-held", subject, field: "uid", reason });
    return old === undefined ? [] : [{ subject, user: { ...user, ...old } }];
  });
  return { candidates: kept, problems, accepted };
}

function numbersFor(
  { user }: UserCandidate,
  known: number,
  { rules: { ids }, local }: { readonly rules: Rules; readonly local: LocalAccounts },
): { readonly uid: Uid; readonly gid: Gid } | undefined {
  const hasPrivateGroup = Number(user.gid) === Number(user.uid);
  const uid = toUid(known, { ids, local: local.uids });
  const gid = hasPrivateGroup
    ? toGid(known, { ids, local: local.gids })
    : { ok: true as const, value: user.gid };
  return uid.ok && gid.ok ? { uid: uid.value, gid: gid.value } : undefined;
}
