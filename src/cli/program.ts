/**
 * The commands and their options.
 *
 * In: a context. Out: an exit code. Each command is loaded only when it is called.
 */

import { resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { Failure, messageOf } from "../model/failure.ts";
import { nearest } from "../model/nearest.ts";
import { quoted } from "../model/quoted.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

/** Runs the command in the arguments; prints failures and never throws. */
export async function runProgram(context: Context): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...context.args], { from: "user" });
    return exitCode;
  } catch (error) {
    context.redraw?.("");
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    return printFailure(
      context,
      error,
      program.opts<CommonOptions>().json === true || context.args.includes("--json"),
    );
  }
}

function printFailure(context: Context, error: unknown, json: boolean): number {
  const isStopped = context.signal.aborted && !(error instanceof Failure);
  const { code, message } = isStopped ? STOPPED : failureOf(error);
  if (json) {
    context.out(toJson({ error: { code, message } }));
  }
  context.err(`rollcall: ${printable(message)} [${code}]`);
  return EXIT.failed;
}

/** A message may quote what a server said; nothing in it may steer the terminal. */
function printable(message: string): string {
  return message.replace(/[^\n\P{Cc}]/gu, "?");
}

const STOPPED = new Failure(
  "stopped",
  "Stopped by a signal; nothing was changed. The next sync starts anew.",
);

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof Failure) {
    return error;
  }
  const trace = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
  return { code: "unexpected", message: `This is a defect in Rollcall, please report it: ${trace}` };
}

function buildProgram(context: Context, finish: (code: number) => void): Command {
  const program = new Command("rollcall")
    .description("Keeps the accounts of this node in step with an identity provider (SCIM 2.0).")
    .option("--config <file>", "configuration file (default: /etc/rollcall/rollcall.yaml)")
    .option("--root <dir>", "treat this directory as the node: every path is below it", rootDirectory, "/")
    .option("--json", "print JSON for scripts")
    .option("--all", "print every line, however many")
    .version(context.version)
    .helpCommand(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.err(text.trimEnd()),
    })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .allowExcessArguments()
    .addHelpText("after", EXAMPLES);
  program.action(async (options: CommonOptions) => {
    refuseUnknownCommand(program);
    finish(await (await import("./start.ts")).start(context, options));
  });
  addActs(program, context, finish);
  addLooks(program, context, finish);
  return program;
}

/** The commands that change this node. */
function addActs(program: Command, context: Context, finish: (code: number) => void): void {
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
function addLooks(program: Command, context: Context, finish: (code: number) => void): void {
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
  add("verify", "is every file as Rollcall left it? (exit 0: yes); asks no IAM").action(
    async (_options, own: Command) =>
      finish(await (await import("./verify.ts")).verify(context, own.optsWithGlobals())),
  );
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

/** An unset variable in a script must not turn an image into this machine. */
function rootDirectory(value: string): string {
  if (value === "") {
    throw new InvalidArgumentError("It is empty; it must name a directory.");
  }
  return resolve(value);
}

function refuseUnknownCommand(program: Command): void {
  const [word] = program.args;
  if (word !== undefined) {
    const commands = program.commands.map((command) => command.name());
    const meant = nearest(word, commands);
    const hint = meant === undefined ? `the commands are ${commands.join(", ")}` : `did you mean ${meant}?`;
    program.error(`rollcall: unknown command ${quoted(word)}; ${hint}`);
  }
}

const EXAMPLES = `
Examples:
  rollcall check --config ./rollcall.yaml    is this file sound?
  rollcall plan                              what would change on this node?
  rollcall sync                              change it
  rollcall status                            is this node healthy?
  rollcall explain ada                       why can ada not log in?
  rollcall sync --root /mnt/image            provision an image instead of this machine
  rollcall run -- /usr/sbin/sshd -D -e       the entrypoint of a login pod

Exit codes: 0 in step, 1 failed, 2 plan has changes, 3 in step but records were refused, 64 wrong usage.`;
