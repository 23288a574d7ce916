/**
 * Completion for fish.
 *
 * In: the program as its parser knows it. Out: a file for /usr/share/fish/vendor_completions.d.
 */

import { AWK_NAMES, type Kind, kindOf, kindOfArgument, MADE } from "./completion.ts";
import type { CommandShape, OptionShape, ProgramShape } from "./program.ts";

/** The whole file. */
export function renderFish(program: ProgramShape): string {
  const names = [...program.commands.map(({ name }) => name), "help"].join(" ");
  const lines = [
    "# fish completion for rollcall(8)",
    MADE,
    "",
    "# Names of a map below --root. They come from outside: none is evaluated.",
    "function __rollcall_names",
    "    set -l words (commandline -opc)",
    "    set -l root ''",
    "    if set -l at (contains -i -- --root $words)",
    "        set root (string trim -r -c / -- $words[(math $at + 1)])",
    "    end",
    '    test -r "$root$argv[1]"',
    `    and LC_ALL=C awk -F: '${AWK_NAMES}' <"$root$argv[1]"`,
    "end",
    "",
    "complete -c rollcall -f",
    ...program.options.map((option) => optionLine("", option)),
    "complete -c rollcall -l help -d 'display help'",
    ...program.commands.map(
      ({ name, description }) =>
        `complete -c rollcall -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d ${quote(description)}`,
    ),
    `complete -c rollcall -n 'not __fish_seen_subcommand_from ${names}' -a help -d 'display help for a command'`,
    `complete -c rollcall -n '__fish_seen_subcommand_from help' -a '${names}'`,
    ...program.commands.flatMap(commandLines),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(command: CommandShape): string[] {
  const when = ` -n '__fish_seen_subcommand_from ${command.name}'`;
  const offer = OFFERS[kindOfArgument(command)];
  return [
    ...command.options.map((option) => optionLine(when, option)),
    ...(offer === undefined ? [] : [`complete -c rollcall${when} ${offer}`]),
  ];
}

function optionLine(when: string, { flag, value, description }: OptionShape): string {
  const offer = value === undefined ? "" : ` ${OPTION_OFFERS[kindOf(value)]}`;
  return `complete -c rollcall${when} -l ${flag.slice(2)}${offer} -d ${quote(description)}`;
}

const USERS = "-a '(__rollcall_names /etc/passwd.cache)'";
const GROUPS = "-a '(__rollcall_names /etc/group.cache)'";
const COMMAND = "-a '(__fish_complete_subcommand)'";

const OFFERS: Readonly<Record<Kind, string | undefined>> = {
  users: USERS,
  groups: GROUPS,
  file: "-F",
  dir: "-a '(__fish_complete_directories)'",
  command: COMMAND,
  none: undefined,
};

const OPTION_OFFERS: Readonly<Record<Kind, string>> = {
  users: `-x ${USERS}`,
  groups: `-x ${GROUPS}`,
  file: "-r -F",
  dir: "-x -a '(__fish_complete_directories)'",
  command: `-x ${COMMAND}`,
  none: "-x",
};

function quote(words: string): string {
  return `'${words.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
