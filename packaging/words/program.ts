/**
 * The program as its parser knows it: commands, arguments and options as data.
 */

import type { Command, Option } from "commander";
import metadata from "../../package.json" with { type: "json" };
import type { Context } from "../../src/cli/context.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { type CommandWords, wordsOf } from "../../src/cli/words.ts";

/** An option; `value` is its placeholder, undefined for a switch. */
export interface OptionShape {
  readonly flag: string;
  readonly value: string | undefined;
  readonly isVariadic: boolean;
  readonly description: string;
}

/** An argument; `choices` is empty where anything goes. */
export interface ArgumentShape {
  readonly name: string;
  readonly description: string;
  readonly choices: readonly string[];
  readonly isVariadic: boolean;
}

/** A command with everything that is said of it. */
export interface CommandShape {
  readonly name: string;
  readonly description: string;
  readonly usage: string;
  readonly arguments: readonly ArgumentShape[];
  readonly options: readonly OptionShape[];
  readonly words: CommandWords;
}

/** The whole program. */
export interface ProgramShape {
  readonly description: string;
  readonly version: string;
  readonly options: readonly OptionShape[];
  readonly commands: readonly CommandShape[];
}

/** What a parser needs to be built; nothing of it is called, because no command is run. */
export const SILENT: Context = {
  args: [],
  version: metadata.version,
  tokens: { credentialsDirectory: undefined, token: undefined },
  loginUsers: undefined,
  out: () => undefined,
  err: () => undefined,
  redraw: undefined,
  colour: false,
  terminal: undefined,
  logFormat: "json",
  notify: { socket: undefined, watchdogUsec: undefined },
  signal: new AbortController().signal,
  endAnyway: () => undefined,
  self: { program: "", args: [] },
  onSignal: () => undefined,
};

/** Reads the real parser. */
export function describeProgram(): ProgramShape {
  const program = buildProgram(SILENT, () => undefined);
  return {
    description: program.description(),
    version: metadata.version,
    options: program.options.map(optionOf),
    commands: program.commands.map(commandOf),
  };
}

function commandOf(command: Command): CommandShape {
  const name = command.name();
  const words = wordsOf(name);
  if (words === undefined) {
    throw new Error(`src/cli/words.ts has nothing on "${name}"`);
  }
  return {
    name,
    description: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      choices: argument.argChoices ?? [],
      isVariadic: argument.variadic,
    })),
    options: command.options.filter(({ hidden }) => !hidden).map(optionOf),
    words,
  };
}

function optionOf({ long, flags, variadic, description, defaultValue }: Option): OptionShape {
  const fallback = defaultValue === undefined ? "" : ` (default: ${String(defaultValue)})`;
  return {
    flag: long ?? flags,
    value: /[<[]([\w-]+)/.exec(flags)?.[1],
    isVariadic: variadic,
    description: `${description}${fallback}`,
  };
}
