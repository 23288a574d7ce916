/**
 * So many changes as somebody can look at, and how many more there are.
 *
 * The first sync of a hundred thousand people changes half a million things. Each of them would be an object, a hash of a
 * key and a line in three places; beyond a bound they are only counted, by event.
 */

import type { Change } from "./plan.ts";

/** Changes, and how many more there are. */
export interface Listed {
  readonly changes: readonly Change[];
  /** By event. */
  readonly unlisted: Readonly<Record<string, number>>;
}

/** Beyond these the changes of one sync are counted and no longer listed. */
export const MAX_LISTED = 10_000;

/** What somebody loses, or may lose by it; what is said to be accepted is exactly this. */
const LOSSES: ReadonlySet<Change["event"]> = new Set([
  "user-removed",
  "user-deactivated",
  "group-removed",
  "member-removed",
  "key-revoked",
  "user-changed",
]);

/** Whether somebody loses something: what a person is asked about. */
export function isLoss({ event }: Pick<Change, "event">): boolean {
  return LOSSES.has(event);
}

/** What comes first where not everything can be listed. */
const FIRST: ReadonlySet<Change["event"]> = new Set([
  "user-removed",
  "user-deactivated",
  "group-removed",
  "member-removed",
  "key-revoked",
  "sessions-ended",
  "sudo-revoked",
  "leftover-removed",
  "slurm-account-removed",
  "slurm-user-removed",
  "slurm-job-cancelled",
]);

/** Lists whoever loses something, and so many others. */
export interface ChangeList {
  add(...changes: readonly Change[]): void;
  /** The change is made only if it is listed. */
  addLater(event: Change["event"], make: () => Change): void;
  /** The same for each of these. */
  addEach<Item>(event: Change["event"], items: readonly Item[], make: (item: Item) => Change): void;
  /** What is in another list; what that counts is counted here. */
  addAll(listed: Listed): void;
  /** Everything up to now. */
  listed(): Listed;
}

/** Makes an empty one. */
export function createChangeList(): ChangeList {
  const changes: Change[] = [];
  const unlisted = new Map<string, number>();
  let room = MAX_LISTED;
  const count = (event: string, more: number) => unlisted.set(event, (unlisted.get(event) ?? 0) + more);
  const addLater: ChangeList["addLater"] = (event, make) => {
    if (isAlwaysListed(event)) {
      changes.push(make());
    } else if (room > 0) {
      room -= 1;
      changes.push(make());
    } else {
      count(event, 1);
    }
  };
  const addEach: ChangeList["addEach"] = (event, items, make) => {
    if (room > 0 || isAlwaysListed(event)) {
      items.forEach((item) => addLater(event, () => make(item)));
    } else if (items.length > 0) {
      count(event, items.length);
    }
  };
  const add: ChangeList["add"] = (...some) => some.forEach((change) => addLater(change.event, () => change));
  return {
    add,
    addLater,
    addEach,
    addAll: (other) => {
      other.changes.forEach((change) => add(change));
      Object.entries(other.unlisted).forEach(([event, more]) => count(event, more));
    },
    listed: () => ({ changes, unlisted: Object.fromEntries(unlisted) }),
  };
}

function isAlwaysListed(event: Change["event"]): boolean {
  return LOSSES.has(event) || FIRST.has(event);
}

/** At most so many as one sync lists, in their order; the others are counted. Who lost something stays, as far as that goes. */
export function boundedList({ changes, unlisted }: Listed): Listed {
  if (changes.length <= MAX_LISTED) {
    return { changes, unlisted };
  }
  const kept = new Set(takenFirst(changes).slice(0, MAX_LISTED));
  const counts = new Map(Object.entries(unlisted));
  changes
    .filter((change) => !kept.has(change))
    .forEach(({ event }) => counts.set(event, (counts.get(event) ?? 0) + 1));
  return { changes: changes.filter((change) => kept.has(change)), unlisted: Object.fromEntries(counts) };
}

/** Where not all of them can be listed, who lost something is. */
export function takenFirst(changes: readonly Change[]): Change[] {
  const takes = ({ event }: Change) => FIRST.has(event);
  return [...changes.filter(takes), ...changes.filter((change) => !takes(change))];
}

/** How many changes are only counted. */
export function countUnlisted({ unlisted }: Pick<Listed, "unlisted">): number {
  return Object.values(unlisted).reduce((sum, count) => sum + count, 0);
}
