/**
 * Completion for zsh.
 *
 * In: the program as its parser knows it. Out: a file to be put into a directory of $fpath as `_rollcall`.
 */

import { AWK_NAMES, flagsOf, type Kind, kindOf, kindOfArgument, MADE } from "./completion.ts";
import type { CommandShape, OptionShape, ProgramShape } from "./program.ts";

/** The whole file. */
// oxlint-disable-next-line max-lines-per-function -- one template, in the order of the file
export function renderZsh(program: ProgramShape): string {
  return `#compdef rollcall
${MADE}

# Names of a map below --root. They come from outside: none is evaluated.
_rollcall_names() {
  local -a names
  names=(\${(f)"$(LC_ALL=C awk -F: '${AWK_NAMES}' 2>/dev/null <"\${root%/}$1")"})
  compadd -a names
}
_rollcall_users() { _rollcall_names /etc/passwd.cache }
_rollcall_groups() { _rollcall_names /etc/group.cache }

_rollcall() {
  local curcontext=$curcontext state line root
  local -A opt_args
  local -a commands common
  commands=(
${program.commands.map(({ name, description }) => `    ${quote(`${name}:${description}`)}`).join("\n")}
    'help:display help for a command'
  )
  common=(
${program.options.map((option) => `    ${optionSpec(option)}`).join("\n")}
  )
  _arguments -C $common '--help[display help]' '1:command:->command' '*::argument:->argument'
  root=\${opt_args[--root]-}
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      curcontext=\${curcontext%:*:*}:rollcall-$line[1]:
      case $line[1] in
        help) _describe -t commands command commands ;;
${program.commands.flatMap((command) => commandLines(command, program)).join("\n")}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _rollcall ]]; then
  _rollcall "$@"
else
  compdef _rollcall rollcall
fi
`;
}

function commandLines(command: CommandShape, program: ProgramShape): string[] {
  const own = flagsOf(command, program)
    .filter((option) => !program.options.includes(option))
    .map(optionSpec);
  const [first] = command.arguments;
  const operand = first === undefined ? [] : [operandSpec(command, first.name)];
  return [`        ${command.name}) _arguments $common ${[...own, ...operand].join(" ")} ;;`];
}

function operandSpec(command: CommandShape, name: string): string {
  const kind = kindOfArgument(command);
  const place = command.usage.includes("...") ? "*" : "1";
  return kind === "command" ? "'*::command:_normal'" : `'${place}:${name}:${ACTIONS[kind]}'`;
}

function optionSpec({ flag, value, isVariadic, description }: OptionShape): string {
  const words = description.replaceAll(/[[\]\\]/g, "\\$&");
  const argument = value === undefined ? "" : `:${value}:${ACTIONS[kindOf(value)]}`;
  return quote(`${isVariadic ? "*" : ""}${flag}[${words}]${argument}`);
}

const ACTIONS: Readonly<Record<Kind, string>> = {
  users: "_rollcall_users",
  groups: "_rollcall_groups",
  file: "_files",
  dir: "_files -/",
  command: "_normal",
  none: "",
};

function quote(words: string): string {
  return `'${words.replaceAll("'", "'\\''")}'`;
}
