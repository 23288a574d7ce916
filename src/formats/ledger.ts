/**
 * The ledger on disk: one holding on each line.
 */

import type { Holding, Ledger } from "../model/ledger.ts";
import { parseJsonLines, renderJsonLines } from "./json-lines.ts";

/** The file's name in the state directory. */
export const LEDGER_FILE = "ledger";

/** The file, holdings in the order given. */
export function renderLedger({ holdings, rebuiltAt }: Ledger): Uint8Array {
  return renderJsonLines("ledger", {
    heading: { rebuiltAt: rebuiltAt ?? null },
    lines: holdings.map(({ kind, id, name, number, firstSeen, lastSeen }) => [
      kind,
      id ?? null,
      name,
      number,
      firstSeen,
      lastSeen ?? null,
    ]),
  });
}

/** The ledger in a file; undefined when anything about it is not as it was written. */
export function parseLedger(bytes: Uint8Array): Ledger | undefined {
  const file = parseJsonLines("ledger", bytes);
  const rebuiltAt = file?.heading["rebuiltAt"];
  const holdings = file?.lines.flatMap((line) => parseHolding(line) ?? []);
  return holdings !== undefined && holdings.length === file?.lines.length && isTimeOrNull(rebuiltAt)
    ? { holdings, rebuiltAt: rebuiltAt ?? undefined }
    : undefined;
}

function parseHolding(line: unknown): Holding | undefined {
  if (!Array.isArray(line) || line.length !== 6) {
    return undefined;
  }
  const [kind, id, name, number, firstSeen, lastSeen]: unknown[] = line;
  const isSound =
    (kind === "user" || kind === "group" || kind === "private") &&
    (typeof id === "string" || id === null) &&
    typeof name === "string" &&
    isTime(number) &&
    isTime(firstSeen) &&
    isTimeOrNull(lastSeen);
  return isSound
    ? { kind, id: id ?? undefined, name, number, firstSeen, lastSeen: lastSeen ?? undefined }
    : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || isTime(value);
}
