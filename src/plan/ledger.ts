/**
 * What the ledger has to say once the node is in step.
 */

import { renderLedger } from "../formats/ledger.ts";
import type { Directory } from "../model/directory.ts";
import { type Holding, holdingKey, type Ledger, recordKey } from "../model/ledger.ts";
import type { NodeBefore } from "../model/observed.ts";
import type { KeepLedger } from "../model/plan.ts";

/** The step that keeps it; undefined when the file says all of it already. */
export function planLedger(directory: Directory, before: NodeBefore): KeepLedger | undefined {
  const bytes = renderLedger(ledgerAfter(directory, before.ledger, before.nowMs));
  const isKept = before.ledgerFile !== undefined && Buffer.compare(bytes, before.ledgerFile) === 0;
  const isEmpty = before.ledgerFile === undefined && directory.users.length + directory.groups.length === 0;
  return isKept || isEmpty ? undefined : { kind: "keep-ledger", bytes };
}

/**
 * Whoever is served holds what they are served with. What is held no more was last seen now, unless its record is in the
 * IAM and cannot be served, and nobody else has it. A name and number of which somebody else got both is forgotten:
 * only a person's decision lets that happen.
 */
export function ledgerAfter(directory: Directory, { holdings, rebuiltAt }: Ledger, nowMs: number): Ledger {
  const known = new Map(holdings.map((holding) => [holdingKey(holding), holding]));
  const served = servedIn(directory).map((one): Holding => {
    const earlier = known.get(holdingKey(one)) ?? known.get(holdingKey({ ...one, id: undefined }));
    return { ...one, firstSeen: earlier?.firstSeen ?? nowMs, lastSeen: undefined };
  });
  const isNow = new Set(served.map(holdingKey));
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
  const others = holdings
    .filter((holding) => !isNow.has(holdingKey(holding)))
    .filter(({ kind, id, name, number }) =>
      [name, number].some((value) => [undefined, id].includes(holderOf.get(`${kind} ${value}`))),
    )
    .map((holding) =>
      isWithheld(holding) && !isTaken(holding)
        ? holding
        : { ...holding, lastSeen: holding.lastSeen ?? nowMs },
    );
  return { holdings: [...served, ...latestOnes(others)].sort(byPlace), rebuiltAt };
}

type Place = Pick<Holding, "kind" | "id" | "name" | "number">;

function servedIn({ users, groups }: Directory): Place[] {
  const idOf = new Map(users.map(({ id, name }) => [String(name), id]));
  return [
    ...users.map(({ id, name, uid }) => ({ kind: "user", id, name, number: Number(uid) }) as const),
    ...groups.map(({ id, name, gid }) =>
      id === undefined
        ? ({ kind: "private", id: idOf.get(name), name, number: Number(gid) } as const)
        : ({ kind: "group", id, name, number: Number(gid) } as const),
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
