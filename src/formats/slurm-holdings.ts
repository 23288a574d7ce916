/**
 * The list on disk of what Rollcall made in the accounting of one cluster: one thing on each line.
 */

import type { SlurmHolding } from "../model/slurm.ts";
import { parseJsonLines, renderJsonLines } from "./json-lines.ts";

/** The file's name in the state directory. The name of a cluster can hold no slash. */
export function slurmHoldingsFile(cluster: string): string {
  return `slurm.${cluster}`;
}

/** The file, in the order given. */
export function renderSlurmHoldings(holdings: readonly SlurmHolding[]): Uint8Array {
  return renderJsonLines("slurm", { heading: {}, lines: holdings.map((holding) => Object.values(holding)) });
}

/** The things in a file; undefined when anything about it is not as it was written. */
export function parseSlurmHoldings(bytes: Uint8Array): SlurmHolding[] | undefined {
  const lines = parseJsonLines("slurm", bytes)?.lines;
  const holdings = lines?.flatMap((line) => parseHolding(line) ?? []);
  return holdings?.length === lines?.length ? holdings : undefined;
}

function parseHolding(line: unknown): SlurmHolding | undefined {
  if (!Array.isArray(line) || !line.every((word) => typeof word === "string" && word !== "")) {
    return undefined;
  }
  if (line.length !== (line[0] === "account" || line[0] === "user" ? 2 : 3)) {
    return undefined;
  }
  const [kind = "", first = "", second = ""]: string[] = line;
  switch (kind) {
    case "account":
      return { kind, account: first };
    case "user":
      return { kind, user: first };
    case "association":
    case "default":
      return { kind, user: first, account: second };
    case "level":
      return second === "Operator" || second === "Administrator"
        ? { kind, user: first, level: second }
        : undefined;
    default:
      return undefined;
  }
}
