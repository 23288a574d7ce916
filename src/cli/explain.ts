/**
 * `rollcall explain USER`: why a person can or cannot log in here, link by link from the IAM to sshd.
 */

import { lookForPerson } from "../daemon/explain.ts";
import { explainPerson } from "../report/explain.ts";
import { renderExplanation } from "../report/render-explain.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";
import { prepare } from "./prepare.ts";

/** Prints the chain; exits with 0 when sshd would let them in now. */
export async function explain(context: Context, options: CommonOptions, user: string): Promise<number> {
  const person = await lookForPerson(user, await prepare(context, options), context.signal);
  const explanation = explainPerson(person);
  context.redraw?.("");
  if (options.json === true) {
    context.out(toJson(explanation));
  } else {
    renderExplanation(explanation, { colour: context.colour }).forEach((line) => context.out(line));
  }
  context.endAnyway();
  return explanation.canLogIn ? EXIT.ok : EXIT.failed;
}
