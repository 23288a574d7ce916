/**
 * What the ledger has to say once the node is in step.
 */

import { renderLedger } from "../formats/ledger.ts";
import type { Directory } from "../model/directory.ts";
import type { Holding, Ledger } from "../model/ledger.ts";
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
 * Whoever is served holds what they are served with. Who is not any more was last seen now, and who lost a name or a number
 * to somebody else is forgotten: only a person's decision lets that happen.
 */
export function ledgerAfter(
  { users, groups }: Directory,
  { holdings, rebuiltAt }: Ledger,
  nowMs: number,
): Ledger {
  const known = new Map(holdings.map((holding) => [keyOf(holding), holding]));
  const served = [
    ...users.map(({ id, name, uid }) => ({ kind: "user", id, name, number: Number(uid) }) as const),
    ...groups.flatMap(({ id, name, gid }) =>
      id === undefined ? [] : [{ kind: "group", id, name, number: Number(gid) } as const],
    ),
  ].map((one): Holding => {
    const earlier = known.get(keyOf(one)) ?? known.get(keyOf({ ...one, id: undefined }));
    return { ...one, firstSeen: earlier?.firstSeen ?? nowMs, lastSeen: undefined };
  });
  const holderOf = new Map(
    served.flatMap(({ kind, id, name, number }) => [
      [`${kind} ${name}`, id] as const,
      [`${kind} ${number}`, id] as const,
    ]),
  );
  const isNow = new Set(served.map(keyOf));
  const gone = holdings
    .filter((holding) => !isNow.has(keyOf(holding)))
    .filter(({ kind, id, name, number }) =>
      [name, number].every((value) => [undefined, id].includes(holderOf.get(`${kind} ${value}`))),
    )
    .map((holding) => ({ ...holding, lastSeen: holding.lastSeen ?? nowMs }));
  return { holdings: [...served, ...gone].sort(byPlace), rebuiltAt };
}

function keyOf({ kind, id, name, number }: Pick<Holding, "kind" | "id" | "name" | "number">): string {
  return JSON.stringify([kind, id, name, number]);
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
