/**
 * Keeps the ledger: before any map gives a name or an id to somebody, so that nothing is ever given out and forgotten.
 */

import { LEDGER_FILE } from "../formats/ledger.ts";
import type { KeepLedger } from "../model/plan.ts";
import { underRoot } from "../platform/files.ts";
import { writePrivate } from "../platform/private-files.ts";
import type { ApplySettings } from "./handlers.ts";

/** Carries out a `keep-ledger` step. */
export async function applyKeepLedger(
  { bytes }: KeepLedger,
  { root, state }: Pick<ApplySettings, "root" | "state">,
): Promise<void> {
  await writePrivate(underRoot(root, state.directory), LEDGER_FILE, bytes);
}
