/**
 * The commands, with their arguments and options. Each is loaded only when it is called.
 */

import { type Command, InvalidArgumentError } from "commander";
import type { Context } from "./context.ts";

type Finish = (code: number) => void;

/** The commands that change this node. */
export function addActs(program: Command, context: Context, finish: Finish): void {
  const add = adderTo(program);
  add("sync", "bring this node in step with the IAM, once; through the daemon where one runs")
    .option("--accept-removals <plan-id>", "let through the one refused plan with this id")
    .option("--offline", "serve whom the IAM named when it was last believed, without asking it")
    .action(async (_options, own: Command) =>
      finish(await (await import("./sync.ts")).sync(context, own.optsWithGlobals())),
    );
  add("accept", "take records as the IAM has them now, against what this node remembers of them")
    .argument("[user...]", "users that are held back")
    .option("--group <name...>", "groups that are held back")
    .option("--every", "everything that is held back")
    .option("--accept-removals <plan-id>", "let through the one refused plan with this id")
    .action(async (names: string[], _options, own: Command) =>
      finish(await (await import("./accept.ts")).accept(context, own.optsWithGlobals(), names)),
    );
  add("run", "keep this node in step until told to stop (SIGHUP: reload, SIGUSR1: sync now)")
    .argument("[command...]", "after --: runs beside, as sshd in a pod, once users are in place")
    .option("--grace <seconds>", "time for the command to end after SIGTERM", wholeSeconds, 20)
    .action(async (command: string[], _options, own: Command) =>
      finish(await (await import("./run.ts")).run(context, own.optsWithGlobals(), command)),
    );
}

/** The commands that only look. */
export function addLooks(program: Command, context: Context, finish: Finish): void {
  const add = adderTo(program);
  add("status", "how this node is (exit 0: healthy)")
    .option("--watch", "again every two seconds, until stopped")
    .action(async (_options, own: Command) =>
      finish(await (await import("./status.ts")).status(context, own.optsWithGlobals())),
    );
  add("plan", "show what a sync would do, and do nothing (exit 0: nothing to do, 2: changes)").action(
    async (_options, own: Command) =>
      finish(await (await import("./plan.ts")).plan(context, own.optsWithGlobals())),
  );
  add("explain", "why somebody can or cannot log in here, link by link (exit 0: can, 1: cannot)")
    .argument("<user>")
    .action(async (user: string, _options, own: Command) =>
      finish(await (await import("./explain.ts")).explain(context, own.optsWithGlobals(), user)),
    );
  add(
    "doctor",
    "is everything between the IAM and a login as it should be? (exit 0: nothing is broken)",
  ).action(async (_options, own: Command) =>
    finish(await (await import("./doctor.ts")).doctor(context, own.optsWithGlobals())),
  );
  add("verify", "is every file as Rollcall left it? (exit 0: yes); asks no IAM").action(
    async (_options, own: Command) =>
      finish(await (await import("./verify.ts")).verify(context, own.optsWithGlobals())),
  );
}

/** The commands around the daemon: what wires this node, and what other programs call. */
export function addWiring(program: Command, context: Context, finish: Finish): void {
  const add = adderTo(program);
  add("check", "check the configuration; shows every mistake at once").action(
    async (_options, own: Command) =>
      finish(await (await import("./check.ts")).check(context, own.optsWithGlobals())),
  );
  add("keys", "print the SSH keys of one user, for sshd's AuthorizedKeysCommand")
    .argument("<user>")
    .action(async (user: string, _options, own: Command) =>
      finish(await (await import("./keys.ts")).keys(context, own.optsWithGlobals(), user)),
    );
}

function adderTo(program: Command): (name: string, description: string) => Command {
  return (name, description) => program.command(name).allowExcessArguments(false).description(description);
}

function wholeSeconds(value: string): number {
  if (!/^\d{1,4}$/.test(value)) {
    throw new InvalidArgumentError("It must be a number of seconds.");
  }
  return Number(value);
}
