/**
 * The ledger on disk: a heading, then one holding on each line, as JSON.
 *
 * The heading says how many there are, so that a file that lost its end is not taken for a whole one.
 */

import { parseJson } from "../model/json.ts";
import type { Holding, Ledger } from "../model/ledger.ts";

/** The file's name in the state directory. */
export const LEDGER_FILE = "ledger";

const FORMAT = 1;

/** The file, holdings in the order given. */
export function renderLedger({ holdings, rebuiltAt }: Ledger): Uint8Array {
  const heading = { rollcallLedger: FORMAT, holdings: holdings.length, rebuiltAt: rebuiltAt ?? null };
  const lines = holdings.map(({ kind, id, name, number, firstSeen, lastSeen }) => [
    kind,
    id ?? null,
    name,
    number,
    firstSeen,
    lastSeen ?? null,
  ]);
  return Buffer.from([heading, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** The ledger in a file; undefined when anything about it is not as it was written. */
export function parseLedger(bytes: Uint8Array): Ledger | undefined {
  const [first = "", ...rest] = Buffer.from(bytes).toString("utf8").split("\n");
  const heading = parseJson(first);
  if (!isRecord(heading) || heading["rollcallLedger"] !== FORMAT || rest.pop() !== "") {
    return undefined;
  }
  const { rebuiltAt } = heading;
  const holdings = rest.flatMap((line) => parseHolding(parseJson(line)) ?? []);
  const isWhole = holdings.length === rest.length && holdings.length === heading["holdings"];
  return isWhole && isTimeOrNull(rebuiltAt) ? { holdings, rebuiltAt: rebuiltAt ?? undefined } : undefined;
}

function parseHolding(line: unknown): Holding | undefined {
  if (!Array.isArray(line) || line.length !== 6) {
    return undefined;
  }
  const [kind, id, name, number, firstSeen, lastSeen]: unknown[] = line;
  const isSound =
    (kind === "user" || kind === "group") &&
    (typeof id === "string" || id === null) &&
    typeof name === "string" &&
    isTime(number) &&
    isTime(firstSeen) &&
    isTimeOrNull(lastSeen);
  return isSound
    ? { kind, id: id ?? undefined, name, number, firstSeen, lastSeen: lastSeen ?? undefined }
    : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || isTime(value);
}
