/**
 * The program around its commands: what they share, and how their arguments are read.
 *
 * In: a context. Out: an exit code. Each command is loaded only when it is called.
 */

import { resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { nearest } from "../model/nearest.ts";
import { quoted } from "../model/quoted.ts";
import { addActs, addLooks, addWiring, helpOf } from "./commands.ts";
import { type CommonOptions, type Context, EXIT } from "./context.ts";
import { renderAllWords, wordsOf } from "./words.ts";

/** Runs the command in the arguments; throws what goes wrong, but for wrong usage, which commander has told already. */
export async function parseAndRun(context: Context): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...context.args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    context.redraw?.("");
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/** The program with all its commands; each tells `finish` its exit code. */
export function buildProgram(context: Context, finish: (code: number) => void): Command {
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
      outputError: (text, write) => write(text.replace(/^error: (?:rollcall: )?/, "rollcall: ")),
    })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .allowExcessArguments()
    .addHelpText("after", ({ command }) => renderAllWords(helpOf(command)));
  program.action(async (options: CommonOptions) => {
    refuseUnknownCommand(program);
    finish(await (await import("./start.ts")).start(context, options));
  });
  addActs(program, context, finish);
  addLooks(program, context, finish);
  addWiring(program, context, finish);
  program.commands.forEach(teachUsage);
  return program;
}

/** Who mistypes a command sees how it is used. */
function teachUsage(command: Command): void {
  const name = `rollcall ${command.name()}`;
  command.showHelpAfterError(
    [
      `Usage: ${name} ${command.usage()}`,
      ...(wordsOf(command.name())?.examples.slice(0, 1) ?? []).map(
        ([line, purpose]) => `For example: ${line}    ${purpose}`,
      ),
      `More: rollcall help ${command.name()}`,
    ].join("\n"),
  );
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
