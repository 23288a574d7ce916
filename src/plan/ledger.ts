/**
 * What the ledger has to say once the node is in step.
 */

import { renderLedger } from "../formats/ledger.ts";
import { countLines } from "../formats/lines.ts";
import type { Directory } from "../model/directory.ts";
import { lazily } from "../model/lazily.ts";
import { type HolderKind, type Holding, holdingKey, type Ledger, recordKey } from "../model/ledger.ts";
import type { NodeBefore } from "../model/observed.ts";
import type { KeepLedger } from "../model/plan.ts";

/** The step that keeps it; undefined when the file says all of it already. */
export function planLedger(directory: Directory, before: NodeBefore): KeepLedger | undefined {
  const { ledger, ledgerFile } = before;
  const after = ledgerAfter(directory, ledger, before.nowMs);
  const count = ledger.holdings.length;
  // As many lines below the heading: nothing was forgotten, and what only the maps told of would not have stayed as it is.
  if (after === ledger && count > 0 && ledgerFile !== undefined && countLines(ledgerFile) === count + 1) {
    return undefined;
  }
  const bytes = renderLedger(after);
  const isKept = ledgerFile !== undefined && Buffer.compare(bytes, ledgerFile) === 0;
  const isEmpty = ledgerFile === undefined && directory.users.length + directory.groups.length === 0;
  return isKept || isEmpty ? undefined : { kind: "keep-ledger", bytes };
}

/**
 * Whoever is served holds what they are served with. What is held no more was last seen now, unless its record is in the
 * IAM and cannot be served, and nobody else has it. A name and number of which somebody else got both is forgotten:
 * only a person's decision lets that happen. Where nothing changes, this is the ledger that was given.
 */
export function ledgerAfter(directory: Directory, ledger: Ledger, nowMs: number): Ledger {
  const { holdings, rebuiltAt } = ledger;
  const find = finderIn(holdings);
  const still = new Set<Holding>();
  let hasNews = false;
  const served = servedIn(directory, (place): Holding => {
    const same = find(place, place.id);
    if (same !== undefined) {
      still.add(same);
    }
    if (same !== undefined && same.lastSeen === undefined) {
      return same;
    }
    hasNews = true;
    const { kind, id, name, number } = place;
    const firstSeen = (same ?? find(place, undefined))?.firstSeen ?? nowMs;
    return { kind, id, name, number, firstSeen, lastSeen: undefined };
  });
  if (!hasNews && still.size === holdings.length) {
    return ledger;
  }
  const rest = holdings.filter((one) => !still.has(one) && !still.has(find(one, one.id) ?? one));
  const others = rest.length === 0 ? [] : othersAfter(rest, served, { directory, nowMs });
  return { holdings: [...served, ...latestOnes(others)].sort(byPlace), rebuiltAt };
}

/** Finds the holding with the same key. Most have a number of their own, and need no key to be found. */
function finderIn(
  holdings: readonly Holding[],
): (place: Place, id: string | undefined) => Holding | undefined {
  const numbers: Readonly<Record<HolderKind, Map<number, Holding>>> = {
    user: new Map(),
    group: new Map(),
    private: new Map(),
  };
  const others = new Map<string, Holding>();
  for (const holding of holdings) {
    if (numbers[holding.kind].has(holding.number)) {
      others.set(holdingKey(holding), holding);
    } else {
      numbers[holding.kind].set(holding.number, holding);
    }
  }
  const shared = new Set([...others.values()].map(({ number }) => number));
  return (place, id) => {
    const first = numbers[place.kind].get(place.number);
    const isIt = first?.id === id && first?.name === place.name;
    const other = shared.has(place.number) ? others.get(holdingKey({ ...place, id })) : undefined;
    return other ?? (isIt ? first : undefined);
  };
}

/** What becomes of holdings that are not served any more. */
function othersAfter(
  rest: readonly Holding[],
  served: readonly Holding[],
  { directory, nowMs }: { readonly directory: Directory; readonly nowMs: number },
): readonly Holding[] {
  const holderOf = new Map(
    served.flatMap((one) => [
      [`${one.kind} ${one.name}`, one.id] as const,
      [`${one.kind} ${one.number}`, one.id] as const,
    ]),
  );
  // Shared and private groups have their names and gids in common.
  const spaceOf = ({ kind }: Holding) => (kind === "private" ? "group" : kind);
  const taken = new Set(
    served.flatMap((one) => [`${spaceOf(one)} ${one.name}`, `${spaceOf(one)} ${one.number}`]),
  );
  const isTaken = (one: Holding) =>
    taken.has(`${spaceOf(one)} ${one.name}`) || taken.has(`${spaceOf(one)} ${one.number}`);
  const isWithheld = ({ kind, id }: Holding) => directory.withheld.has(recordKey(kind, id));
  return rest
    .filter(({ kind, id, name, number }) =>
      [name, number].some((value) => [undefined, id].includes(holderOf.get(`${kind} ${value}`))),
    )
    .map((holding) =>
      isWithheld(holding) && !isTaken(holding)
        ? holding
        : { ...holding, lastSeen: holding.lastSeen ?? nowMs },
    );
}

type Place = Pick<Holding, "kind" | "id" | "name" | "number">;

function servedIn({ users, groups }: Directory, make: (place: Place) => Holding): Holding[] {
  const idOf = lazily(() => new Map(users.map(({ id, name }) => [String(name), id])));
  return [
    ...users.map(({ id, name, uid }) => make({ kind: "user", id, name, number: uid })),
    ...groups.map(({ id, name, gid }) =>
      id === undefined
        ? make({ kind: "private", id: idOf().get(name), name, number: gid })
        : make({ kind: "group", id, name, number: gid }),
    ),
  ];
}

/** An IAM that says something else each day must not fill the disk: the longest gone are forgotten first. */
const MOST_GONE = 200_000;

function latestOnes(holdings: readonly Holding[]): readonly Holding[] {
  const until = ({ lastSeen }: Holding) => lastSeen ?? Number.POSITIVE_INFINITY;
  return holdings.length <= MOST_GONE
    ? holdings
    : holdings.toSorted((left, right) => until(right) - until(left)).slice(0, MOST_GONE);
}

function byPlace(left: Holding, right: Holding): number {
  return (
    compare(left.kind, right.kind) ||
    left.number - right.number ||
    compare(left.name, right.name) ||
    compare(left.id ?? "", right.id ?? "")
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
