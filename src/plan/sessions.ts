/**
 * Whose running sessions end with a sync: those who could log in before and cannot afterwards.
 */

import type { EndSessions, Removals } from "../model/plan.ts";
import type { PlanSettings } from "./settings.ts";

/** One step for each of them, where the admin asked for it; `before` are the users with the uids that they have now. */
export function planSessions(
  { users: gone }: Removals,
  before: Iterable<{ readonly name: string; readonly uid: number }>,
  { onRevoke }: PlanSettings["access"],
): EndSessions[] {
  if (onRevoke !== "end-sessions" || gone.length === 0) {
    return [];
  }
  const uids = new Map([...before].map(({ name, uid }) => [name, uid]));
  return gone.flatMap((user) => {
    const uid = uids.get(user);
    return uid === undefined ? [] : [{ kind: "end-sessions", user, uid }];
  });
}
