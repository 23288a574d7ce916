/**
 * `rollcall run`: keep this node in step until told to stop, beside a command if one is given.
 */

import { resolve } from "node:path";
import { loadConfigText } from "../config/load.ts";
import type { Asked } from "../daemon/decisions.ts";
import type { InStepWith } from "../daemon/surroundings.ts";
import { serveNode } from "../daemon/wire-serve.ts";
import type { Command } from "../platform/child.ts";
import { type CommonOptions, type Context, configPath } from "./context.ts";

/** Options of this command alone. */
export interface RunOptions extends CommonOptions {
  /** Seconds between SIGTERM and SIGKILL for the command. */
  readonly grace: number;
}

/** Ends with 0 after SIGTERM or SIGINT, or with the exit code of the command. */
export async function run(
  context: Context,
  options: RunOptions,
  command: readonly string[],
): Promise<number> {
  const path = resolve(configPath(options));
  const { program, args } = withRoom(context.self);
  const [beside, ...besideArgs] = command;
  return serveNode(
    {
      root: options.root,
      version: context.version,
      configPath: path,
      tokens: context.tokens,
      load: () => loadConfigText(path),
      // With --config, so that the sync does its work itself and does not ask the daemon.
      syncCommand: (asked, { configPath: inForce, inStepWith }) => ({
        program,
        args: args.concat(
          "--json",
          "--root",
          options.root,
          "--config",
          inForce,
          ...commandFor(asked),
          ...(inStepWith === undefined ? [] : knownTo(inStepWith)),
        ),
      }),
      beside:
        beside === undefined
          ? undefined
          : { command: { program: beside, args: besideArgs }, graceMs: options.grace * 1000 },
      logFormat: context.logFormat,
      notify: context.notify,
      write: (line) => context.out(line),
      on: (name, handler) => context.onSignal(name, handler),
    },
    context.signal,
  );
}

/** A sync makes much that it needs for a moment, and is gone soon: it gets the young generation that `packaging/rollcall` gives one by hand. */
function withRoom({ program, args }: Command): Command {
  return { program, args: ["--max-semi-space-size=16", ...args] };
}

/** The command, with its options, that does what is asked by hand. */
function commandFor({ accepted, accepts, offline }: Asked): string[] {
  return [
    ...(accepts === undefined ? ["sync"] : ["accept"]),
    ...(accepted === undefined ? [] : ["--accept-removals", accepted]),
    ...(offline === true ? ["--offline"] : []),
    ...(accepts === "all" ? ["--every"] : []),
    ...(accepts === undefined || accepts === "all" ? [] : namesFor(accepts)),
  ];
}

/** What the daemon knows by then. */
function knownTo({ digest, isAskedByTimes, changedPages }: InStepWith): string[] {
  return [
    `--in-step-with=${digest}`,
    ...(isAskedByTimes ? ["--asked-by-times"] : []),
    ...(changedPages === undefined ? [] : [`--changed-pages=${changedPages.join(",")}`]),
  ];
}

function namesFor(accepts: readonly string[]): string[] {
  const named = (kind: string) =>
    accepts.filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length));
  return [...named("group:").map((name) => `--group=${name}`), "--", ...named("user:")];
}
