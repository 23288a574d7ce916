/**
 * The ledger as of now: what is on disk, without what may be forgotten, and with whoever the maps name beside it.
 *
 * A ledger that is missing or damaged is made anew from the maps. They do not tell which record of the IAM somebody
 * was, so only a record that has both the name and the number takes such a holding over.
 */

import type { GroupRecord } from "../formats/group.ts";
import { LEDGER_FILE, parseLedger } from "../formats/ledger.ts";
import type { PasswdRecord } from "../formats/passwd.ts";
import { lazily } from "../model/lazily.ts";
import type { HolderKind, Holding, Ledger } from "../model/ledger.ts";
import { readKept } from "../platform/private-files.ts";

/** Where the ledger is, what the maps say beside it, and for how long who is gone is remembered. */
export interface LedgerSurroundings {
  readonly stateDirectory: string;
  readonly users: readonly PasswdRecord[];
  readonly groups: readonly GroupRecord[];
  readonly rememberForMs: number;
  /** Groups that are never forgotten, because their name gives rights. */
  readonly pinned: readonly string[];
  /** The ids that Rollcall gives out: whatever else a map says is somebody's edit. */
  readonly ids: { readonly min: number; readonly max: number };
}

/** Reads it; throws when it is there and cannot be read: that is no reason to make it anew. */
export async function observeLedger(
  { stateDirectory, users, groups, rememberForMs, ids, pinned }: LedgerSurroundings,
  nowMs: number,
): Promise<{ readonly ledger: Ledger; readonly ledgerFile: Uint8Array | undefined }> {
  const ledgerFile = await readKept(stateDirectory, LEDGER_FILE);
  const kept = ledgerFile && parseLedger(ledgerFile);
  const isRemembered = ({ kind, name, lastSeen }: Holding) =>
    lastSeen === undefined || nowMs - lastSeen < rememberForMs || (kind === "group" && pinned.includes(name));
  const holdings = kept?.holdings.filter(isRemembered) ?? [];
  const isCovered = coverageOf(kept?.holdings ?? []);
  const others = placesOf({ users, groups }, (one) => !isCovered(one))
    .filter(({ number }) => number >= ids.min && number <= ids.max)
    .map((one): Holding => ({ ...one, id: undefined, firstSeen: nowMs, lastSeen: undefined }));
  const isRebuilt = kept === undefined && others.length > 0;
  return {
    ledger: { holdings: [...holdings, ...others], rebuiltAt: isRebuilt ? nowMs : kept?.rebuiltAt },
    ledgerFile,
  };
}

/** What is held, whoever holds it. */
type Place = Pick<Holding, "kind" | "name" | "number">;

function textOf({ kind, name, number }: Place): string {
  return `${kind} ${number} ${name}`;
}

/** Tells what is among these. Most numbers have one name, which is found without making a text of both. */
function coverageOf(holdings: readonly Holding[]): (place: Place) => boolean {
  const names: Readonly<Record<HolderKind, Map<number, string>>> = {
    user: new Map(),
    group: new Map(),
    private: new Map(),
  };
  const others = new Set<string>();
  for (const holding of holdings) {
    const name = names[holding.kind].get(holding.number);
    if (name === undefined) {
      names[holding.kind].set(holding.number, holding.name);
    } else if (name !== holding.name) {
      others.add(textOf(holding));
    }
  }
  return (place) =>
    names[place.kind].get(place.number) === place.name || (others.size > 0 && others.has(textOf(place)));
}

/** Whom the maps name, as far as it is wanted. A group with the name and the gid of a user is private, unless it has members. */
function placesOf(
  { users, groups }: Pick<LedgerSurroundings, "users" | "groups">,
  isWanted: (place: Place) => boolean,
): Place[] {
  const gids = lazily(() => new Map(users.map(({ name, gid }) => [name, gid])));
  const found: Place[] = [];
  const add = (place: Place) => {
    if (isWanted(place)) {
      found.push(place);
    }
  };
  for (const { name, uid } of users) {
    add({ kind: "user", name, number: uid });
  }
  for (const { name, gid, members } of groups) {
    const isPrivate = members.length === 0 && gids().get(name) === gid;
    add({ kind: isPrivate ? "private" : "group", name, number: gid });
  }
  return found;
}
