/**
 * Whose running sessions end with a sync: those who could log in before and cannot afterwards.
 */

import type { EndSessions, Removals } from "../model/plan.ts";
import type { Served } from "./changes.ts";
import type { PlanSettings } from "./settings.ts";

/** One step for each of them, where the admin asked for it. */
export function planSessions(
  { users }: Removals,
  served: Served,
  { onRevoke }: PlanSettings["access"],
): EndSessions[] {
  const gone = onRevoke === "end-sessions" ? users : [];
  return gone.flatMap((user) => {
    const uid = served.users.get(user)?.uid;
    return uid === undefined ? [] : [{ kind: "end-sessions", user, uid }];
  });
}
