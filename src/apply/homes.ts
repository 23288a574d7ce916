/**
 * Makes home directories that are not there yet.
 */

import type { CreateHome } from "../model/plan.ts";
import { underRoot } from "../platform/files.ts";
import { buildHome } from "../platform/homes.ts";
import type { ApplySettings } from "./handlers.ts";

/** Carries out a `create-home` step. */
export async function applyCreateHome(
  step: CreateHome,
  { root, homes }: Pick<ApplySettings, "root" | "homes">,
): Promise<void> {
  await buildHome({
    root,
    path: step.path,
    mode: homes.mode,
    owner: { uid: step.uid, gid: step.gid },
    skeleton: underRoot(root, homes.skeleton),
  });
}
