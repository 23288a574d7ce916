/**
 * How the doctor looks at anything: within a limit of time, and with a reason where nothing can be seen.
 */

import { type Fact, failed, known, silent, unknown } from "../doctor/finding.ts";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import { inTime } from "../platform/clock.ts";
import { isRoot } from "../platform/privileges.ts";

/** One look, and what it is called should it hang. */
export interface Look<Value> {
  readonly what: string;
  readonly limitMs: number;
  readonly look: () => Promise<Value>;
}

/** Most of what is on this node answers at once. */
export const LOOK_MS = 5000;

/** Looks; never rejects. What only root may see is no fault. */
export async function factOf<Value>({ what, limitMs, look }: Look<Value>): Promise<Fact<Value>> {
  try {
    const answer = await inTime(
      look().then((value) => ({ value })),
      limitMs,
    );
    return answer === undefined ? silent(what, limitMs) : known(answer.value);
  } catch (error) {
    return isDenied(error) ? unknown(NEEDS_ROOT) : failed(`${what}: ${messageOf(error)}`);
  }
}

/** What an ordinary user is told. */
export const NEEDS_ROOT = "needs root";

/** What is told of everything that belongs to the running system. */
export const OTHER_ROOT = "another root is looked at, not this running system";

/** Whether somebody who is not root was refused; a message may quote the error of the system. */
export function isDenied(error: unknown): boolean {
  const causes = [error, error instanceof Error ? error.cause : undefined];
  const isRefusal = causes.some(
    (one) =>
      ["EACCES", "EPERM"].includes(errorCodeOf(one) ?? "") || /\b(?:EACCES|EPERM): /.test(messageOf(one)),
  );
  return isRefusal && !isRoot();
}

/** A message of this program, taken apart where it ends in a command to run. */
export function withRemedy(message: string): { readonly found: string; readonly remedy: string | undefined } {
  const [found = message, remedy] = message.split(/\.? Run: /, 2);
  return { found, remedy };
}
