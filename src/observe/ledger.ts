/**
 * The ledger as of now: what is on disk, without what may be forgotten, and with whoever the maps name beside it.
 *
 * A ledger that is missing or damaged is made anew from the maps. They do not tell which record of the IAM somebody
 * was, so only a record that has both the name and the number takes such a holding over.
 */

import type { GroupRecord } from "../formats/group.ts";
import { LEDGER_FILE, parseLedger } from "../formats/ledger.ts";
import type { PasswdRecord } from "../formats/passwd.ts";
import type { Holding, Ledger } from "../model/ledger.ts";
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
  const covered = new Set(kept?.holdings.map(placeOf));
  const others = holdingsOf({ users, groups }, nowMs).filter(
    (one) => !covered.has(placeOf(one)) && one.number >= ids.min && one.number <= ids.max,
  );
  const isRebuilt = kept === undefined && others.length > 0;
  return {
    ledger: { holdings: [...holdings, ...others], rebuiltAt: isRebuilt ? nowMs : kept?.rebuiltAt },
    ledgerFile,
  };
}

function placeOf({ kind, name, number }: Holding): string {
  return `${kind} ${number} ${name}`;
}

/** Everybody the maps name. A group with the name and the gid of a user is private, unless it has members. */
function holdingsOf(
  { users, groups }: Pick<LedgerSurroundings, "users" | "groups">,
  nowMs: number,
): Holding[] {
  const privateGids = new Map(users.map(({ name, gid }) => [name, gid]));
  const unknown = { id: undefined, firstSeen: nowMs, lastSeen: undefined };
  return [
    ...users.map(({ name, uid }) => ({ kind: "user", name, number: uid, ...unknown }) as const),
    ...groups.map(({ name, gid, members }) => {
      const isPrivate = privateGids.get(name) === gid && members.length === 0;
      return { kind: isPrivate ? "private" : "group", name, number: gid, ...unknown } as const;
    }),
  ];
}
