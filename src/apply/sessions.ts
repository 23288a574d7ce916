/**
 * Ends the running sessions of somebody who may not log in any more.
 */

import type { EndSessions } from "../model/plan.ts";
import { endSessions } from "../platform/sessions.ts";
import type { ApplySettings } from "./handlers.ts";

/** Carries out an `end-sessions` step; under another root nobody is logged in, whatever this machine has running. */
export async function applyEndSessions(
  { user, uid }: EndSessions,
  { root }: Pick<ApplySettings, "root">,
): Promise<void> {
  if (root === "/") {
    await endSessions({ name: user, uid });
  }
}
