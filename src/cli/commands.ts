/**
 * The commands, with their arguments and options. Each is loaded only when it is called.
 *
 * What else there is to say of a command stands in words.ts. A placeholder of the name `user`, `group`, `file` or
 * `dir` is what completion goes by.
 */

import { Argument, type Command, type Help, InvalidArgumentError, Option } from "commander";
import { durationMs } from "../model/duration.ts";
import type { Context } from "./context.ts";
import { type CommandName, renderWords, WORDS } from "./words.ts";

type Finish = (code: number) => void;

/** The commands that change this node. */
export function addActs(program: Command, context: Context, finish: Finish): void {
  const add = adderTo(program);
  add("sync", "bring this node in step with the IAM, once; through the daemon where one runs")
    .option("--accept-removals <plan-id>", "let through the one refused plan with this id")
    .option("--offline", "serve whom the IAM named when it was last believed, without asking it")
    .addOption(new Option("--in-step-with <digest>", "of the daemon: what nothing is done for").hideHelp())
    .addOption(new Option("--asked-by-times", "of the daemon: totals and times tell what is new").hideHelp())
    .addOption(
      new Option("--changed-pages <names>", "of the daemon: what is new is on these pages")
        .argParser((names) => names.split(","))
        .hideHelp(),
    )
    .action(async (_options, own: Command) =>
      finish(await (await import("./sync.ts")).sync(context, own.optsWithGlobals())),
    );
  add("accept", "take records as the IAM has them now, against what this node remembers of them")
    .argument("[user...]", "users that are held back")
    .option("--group <group...>", "groups that are held back")
    .option("--every", "everything that is held back")
    .option("--accept-removals <plan-id>", "let through the one refused plan with this id")
    .action(async (names: string[], _options, own: Command) =>
      finish(await (await import("./accept.ts")).accept(context, own.optsWithGlobals(), names)),
    );
  add("run", "keep this node in step until told to stop (SIGHUP: reload, SIGUSR1: sync now)")
    .argument("[command...]", "after --: runs beside, as sshd in a pod, once users are in place")
    .option(
      "--grace <seconds>",
      "time for the command to end after SIGTERM",
      wholeNumber(4, "a number of seconds"),
      20,
    )
    .action(async (command: string[], _options, own: Command) =>
      finish(await (await import("./run.ts")).run(context, own.optsWithGlobals(), command)),
    );
}

/** The commands that only look. */
export function addLooks(program: Command, context: Context, finish: Finish): void {
  const add = adderTo(program);
  add("status", "how this node is")
    .option("--watch", "again every two seconds, until stopped")
    .action(async (_options, own: Command) =>
      finish(await (await import("./status.ts")).status(context, own.optsWithGlobals())),
    );
  add("plan", "show what a sync would do, and do nothing").action(async (_options, own: Command) =>
    finish(await (await import("./plan.ts")).plan(context, own.optsWithGlobals())),
  );
  add("explain", "why somebody can or cannot log in here, link by link")
    .argument("<user>", "the name, as the IAM has it")
    .action(async (user: string, _options, own: Command) =>
      finish(await (await import("./explain.ts")).explain(context, own.optsWithGlobals(), user)),
    );
  add("doctor", "is everything between the IAM and a login as it should be?").action(
    async (_options, own: Command) =>
      finish(await (await import("./doctor.ts")).doctor(context, own.optsWithGlobals())),
  );
  add("verify", "is every file as Rollcall left it?").action(async (_options, own: Command) =>
    finish(await (await import("./verify.ts")).verify(context, own.optsWithGlobals())),
  );
  add("history", "what changed on this node, when and why, the newest first")
    .argument("[user]", "the changes that concern this user")
    .option("--since <when>", "not before: 2d, 3h, or a date such as 2026-05-31 (UTC)", moment)
    .option("--limit <n>", "the newest so many changes", wholeNumber(7, "a whole number"), 100)
    .action(async (user: string | undefined, _options, own: Command) =>
      finish(await (await import("./history.ts")).history(context, own.optsWithGlobals(), user)),
    );
}

/** The commands around the daemon: what wires this node, and what other programs call. */
export function addWiring(program: Command, context: Context, finish: Finish): void {
  const add = adderTo(program);
  add("setup", "wire this node: make glibc and sshd use what Rollcall writes; shows every change")
    .option("--dry-run", "show the changes and write nothing")
    .option("--undo", "put everything back as it was")
    .action(async (_options, own: Command) =>
      finish(await (await import("./setup.ts")).setup(context, own.optsWithGlobals())),
    );
  add("check", "check the configuration; shows every mistake at once").action(
    async (_options, own: Command) =>
      finish(await (await import("./check.ts")).check(context, own.optsWithGlobals())),
  );
  add("import-nsscache", "turn an nsscache.conf, or the one in Helm values, into a configuration")
    .argument("[file]", "the nsscache.conf, or the values of the chart")
    .option("--output <file>", "write it there; a file that is there is never replaced")
    .option("--compare <dir>", "show how a sync would differ from the maps in this directory")
    .action(async (file: string | undefined, _options, own: Command) =>
      finish(await (await import("./import-nsscache.ts")).importFile(context, own.optsWithGlobals(), file)),
    );
  add("probe", "does the daemon live (healthz), are users in place (readyz)?")
    .addArgument(new Argument("<which>", "what a container runtime asks").choices(["healthz", "readyz"]))
    .action(async (which: "healthz" | "readyz", _options, own: Command) =>
      finish(await (await import("./probe.ts")).probe(context, own.optsWithGlobals(), which)),
    );
  add("keys", "print the SSH keys of one user, for sshd's AuthorizedKeysCommand")
    .argument("<user>", "the name, as sshd has it (%u)")
    .action(async (user: string, _options, own: Command) =>
      finish(await (await import("./keys.ts")).keys(context, own.optsWithGlobals(), user)),
    );
}

function adderTo(program: Command): (name: CommandName, description: string) => Command {
  return (name, description) =>
    program
      .command(name)
      .allowExcessArguments(false)
      .description(description)
      .addHelpText("after", ({ command }) => renderWords(WORDS[name], helpOf(command)));
}

/** Sets text as the command sets its options. */
export function helpOf(command: Command): Help {
  const help = command.createHelp();
  help.prepareContext({});
  return help;
}

/** Of so many digits at most. */
function wholeNumber(digits: number, what: string): (value: string) => number {
  return (value) => {
    if (!/^\d+$/.test(value) || value.length > digits) {
      throw new InvalidArgumentError(`It must be ${what}.`);
    }
    return Number(value);
  };
}

/** How long ago, or when. */
function moment(value: string): { readonly agoMs: number } | { readonly atMs: number } {
  const agoMs = /^\d+[smhd]$/.test(value) ? durationMs(value) : undefined;
  if (agoMs !== undefined) {
    return { agoMs };
  }
  const atMs = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw new InvalidArgumentError("It must be a time that has gone by, such as 30m, 3h or 2d, or a date.");
  }
  return { atMs };
}
