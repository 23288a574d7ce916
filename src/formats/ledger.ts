/**
 * The ledger on disk: one holding on each line.
 */

import { parseJson } from "../model/json.ts";
import type { Holding, Ledger } from "../model/ledger.ts";
import { parseJsonLines, renderJsonLinesOf } from "./json-lines.ts";

/** The file's name in the state directory. */
export const LEDGER_FILE = "ledger";

/** The file, holdings in the order given. */
export function renderLedger({ holdings, rebuiltAt }: Ledger): Uint8Array {
  const textOf = ({ kind, id, name, number, firstSeen, lastSeen }: Holding) =>
    JSON.stringify([kind, id ?? null, name, number, firstSeen, lastSeen ?? null]);
  return renderJsonLinesOf("ledger", { rebuiltAt: rebuiltAt ?? null }, { items: holdings, textOf });
}

/** The ledger in a file; undefined when anything about it is not as it was written. */
export function parseLedger(bytes: Uint8Array): Ledger | undefined {
  const file = parseJsonLines("ledger", bytes);
  const rebuiltAt = file?.heading["rebuiltAt"];
  const holdings: Holding[] = [];
  for (const line of file?.lines ?? []) {
    const holding = parseHolding(line);
    if (holding === undefined) {
      return undefined;
    }
    holdings.push(holding);
  }
  return file !== undefined && isTimeOrNull(rebuiltAt)
    ? { holdings, rebuiltAt: rebuiltAt ?? undefined }
    : undefined;
}

/** Whether a file has a line that says so, and that it is still held; the rest of it is not read. */
export function isHeldNow(
  bytes: Uint8Array,
  { kind, id, name, number }: Pick<Holding, "kind" | "id" | "name" | "number">,
): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = file.indexOf(`\n${JSON.stringify([kind, id ?? null, name, number]).slice(0, -1)},`) + 1;
  const line = start === 0 ? "" : file.toString("utf8", start, file.indexOf("\n", start));
  const holding = parseHolding(parseJson(line));
  return holding !== undefined && holding.lastSeen === undefined;
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
