/**
 * `rollcall explain USER`: why a person can or cannot log in here, link by link from the IAM to sshd.
 */

import { lookForPerson } from "../daemon/explain.ts";
import { readHistory } from "../daemon/history.ts";
import { Failure } from "../model/failure.ts";
import { explainPerson } from "../report/explain.ts";
import { describeNewest, tellHistory } from "../report/history.ts";
import { renderExplanation } from "../report/render-explain.ts";
import { printable } from "../report/words.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";
import { prepare } from "./prepare.ts";

/** Prints the chain; exits with 0 when sshd would let them in now. */
export async function explain(context: Context, options: CommonOptions, user: string): Promise<number> {
  const prepared = await prepare(context, options);
  const person = await lookForPerson(user, prepared, context.signal);
  const explanation = explainPerson(person);
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson(explanation));
  } else {
    const lines = renderExplanation(explanation, { colour: context.colour });
    const change = await lastChangeOf(person.name, prepared.settings, options.root);
    // What it comes to is the last line.
    [...lines.slice(0, -1), ...change, ...lines.slice(-1)].forEach((line) => context.out(line));
  }
  context.endAnyway();
  return explanation.canLogIn ? EXIT.ok : EXIT.failed;
}

/** A history that cannot be read is said, and keeps nobody from being explained. */
async function lastChangeOf(
  user: string,
  settings: Parameters<typeof readHistory>[0],
  root: string,
): Promise<string[]> {
  try {
    const told = tellHistory(await readHistory(settings, root), { user, sinceMs: undefined, limit: 1 });
    return [describeNewest(told) ?? []].flat();
  } catch (error) {
    if (error instanceof Failure) {
      return [printable(error.message)];
    }
    throw error;
  }
}
