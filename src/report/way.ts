/**
 * What brings this node in step, and what is in the way of it.
 *
 * In: what is known of syncs. Out: one or two sentences for an admin.
 */

import type { Person } from "./person.ts";

/** The command to run, with why the last sync did not do it. */
export function wayToSync({ sync, iam }: Pick<Person, "sync" | "iam">): string {
  const { refusal, failure, undone, hasReport } = sync;
  const command = iam.failure === undefined ? "rollcall sync" : "rollcall sync --offline";
  if (refusal !== undefined) {
    return (
      `The fuse refuses a sync because ${refusal.reason}. Look at it with "rollcall plan"; ` +
      `if it is right, run "${command} --accept-removals ${refusal.planId}", else mend the IAM.`
    );
  }
  if (failure !== undefined) {
    return `Run "${command}"; the last one failed: ${failure.message} [${failure.code}]`;
  }
  if (undone.length > 0) {
    return `Run "${command}"; the last one left something undone: ${undone.join("; ")}.`;
  }
  return hasReport ? `Run "${command}".` : `Run "${command}"; none has come to its end here yet.`;
}
