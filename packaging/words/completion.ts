/**
 * What the completions of all shells share: which placeholder stands for what, and how names are read.
 */

import type { CommandShape, OptionShape, ProgramShape } from "./program.ts";

/** What a word can be completed to. */
export type Kind = "users" | "groups" | "file" | "dir" | "command" | "none";

const KINDS: Readonly<Record<string, Kind>> = {
  user: "users",
  group: "groups",
  file: "file",
  dir: "dir",
  command: "command",
};

/** By the name of an argument, or the placeholder of an option. */
export function kindOf(placeholder: string | undefined): Kind {
  return KINDS[placeholder ?? ""] ?? "none";
}

/** What the first argument of a command is. */
export function kindOfArgument({ arguments: given }: CommandShape): Kind {
  return kindOf(given[0]?.name);
}

/** Every switch and option that can stand with a command. */
export function flagsOf(command: CommandShape, { options }: ProgramShape): OptionShape[] {
  return [...command.options, ...options, HELP];
}

const HELP: OptionShape = {
  flag: "--help",
  value: undefined,
  isVariadic: false,
  description: "display help for the command",
};

/**
 * Prints the names of a map that is its argument: fast with ten thousand people, and asks no directory service. A name
 * of any other shape than Rollcall serves is passed over, so that no shell ever sees one that it could take for code.
 */
export const AWK_NAMES = "$1 ~ /^[a-z_][a-z0-9_.-]*$/ && !seen[$1]++ { print $1 }";

/** The first line of each file. */
export const MADE = '# Made by "npm run words" from the commands themselves; edit those.';
