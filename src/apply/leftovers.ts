/**
 * Removes what a sync that was killed left behind.
 */

import type { RemoveLeftover } from "../model/plan.ts";
import { removeLeftover } from "../platform/homes.ts";
import type { ApplySettings } from "./handlers.ts";

/** Carries out a `remove-leftover` step. */
export async function applyRemoveLeftover(
  step: RemoveLeftover,
  { root }: Pick<ApplySettings, "root">,
): Promise<void> {
  await removeLeftover(root, step.path);
}
