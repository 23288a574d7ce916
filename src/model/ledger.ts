/**
 * Who holds which name and id on this node, and who held them before: the memory that keeps a person's files theirs.
 */

/** What can be held: names and uids by users, names and gids by groups, and by the private groups of users. */
export type HolderKind = "user" | "group" | "private";

/** One name with its number, and whose it is. */
export interface Holding {
  readonly kind: HolderKind;
  /** The SCIM id, of the user for a private group; undefined where only the maps on disk told of it, so that nobody knows which record it was. */
  readonly id: string | undefined;
  readonly name: string;
  /** The uid of a user, the gid of a group. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  /**
   * When it was found to be held no more, in milliseconds since 1970; undefined while it is, also while the record is
   * in the IAM and cannot be served.
   */
  readonly lastSeen: number | undefined;
}

/** Everything this node remembers. */
export interface Ledger {
  readonly holdings: readonly Holding[];
  /** When it had to be made anew from the maps on disk, in milliseconds since 1970; undefined when it never had. */
  readonly rebuiltAt: number | undefined;
}

/** Whose it is, and what: two holdings with the same key are the same. */
export function holdingKey({
  kind,
  id,
  name,
  number,
}: Pick<Holding, "kind" | "id" | "name" | "number">): string {
  return JSON.stringify([kind, id, name, number]);
}

/** The record of the IAM that something belongs to, as one word; a private group belongs to its user. */
export function recordKey(kind: HolderKind, id: string | undefined): string {
  return `${kind === "private" ? "user" : kind} ${id}`;
}

/** The holding that counts: one that is served, else the last that was. */
export function latest(one: Holding | undefined, other: Holding): Holding {
  const until = (holding: Holding) => holding.lastSeen ?? Number.POSITIVE_INFINITY;
  return one === undefined || until(other) > until(one) ? other : one;
}

/** By whatever tells holdings apart: the one that counts. */
export function latestBy<Key>(
  holdings: readonly Holding[],
  keyOf: (holding: Holding) => Key,
): ReadonlyMap<Key, Holding> {
  const found = new Map<Key, Holding>();
  for (const holding of holdings) {
    const key = keyOf(holding);
    found.set(key, latest(found.get(key), holding));
  }
  return found;
}
