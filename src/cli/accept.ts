/**
 * `rollcall accept USER`: a person decides that a record is right, against what this node remembers; then a sync.
 */

import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { syncAsAsked } from "./sync.ts";

/** Options of this command alone. */
export interface AcceptOptions extends CommonOptions {
  readonly acceptRemovals?: string;
  readonly every?: boolean;
  readonly group?: readonly string[];
}

/** Needs users, groups or `--every`, and not both: a decision is never made by default. */
export async function accept(
  context: Context,
  options: AcceptOptions,
  users: readonly string[],
): Promise<number> {
  const names = [
    ...users.map((name) => `user:${name}`),
    ...(options.group ?? []).map((name) => `group:${name}`),
  ];
  if (names.length > 0 === (options.every === true)) {
    context.err('rollcall: name who is accepted, or say --every; "rollcall plan" shows who is held back.');
    return EXIT.usage;
  }
  return syncAsAsked(context, options, {
    accepted: options.acceptRemovals,
    accepts: options.every === true ? "all" : names,
  });
}
