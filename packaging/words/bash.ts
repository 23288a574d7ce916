/**
 * Completion for bash.
 *
 * In: the program as its parser knows it. Out: a file for /usr/share/bash-completion/completions, or to source.
 */

import { AWK_NAMES, flagsOf, kindOf, kindOfArgument, MADE } from "./completion.ts";
import type { OptionShape, ProgramShape } from "./program.ts";

/** The whole file. */
// oxlint-disable-next-line max-lines-per-function -- one template, in the order of the file
export function renderBash(program: ProgramShape): string {
  const names = [...program.commands.map(({ name }) => name), "help"].join(" ");
  return `# bash completion for rollcall(8)
${MADE}

# What of the words of the line so far matters: the command, the root, and what the next word is.
_rollcall_look() {
  local i word before=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == = ]] && continue
    if [[ -n $takes && $word != -* ]]; then
      [[ $before == --root ]] && root=\${word%/}
      [[ -z $many ]] && takes=""
      continue
    fi
    takes="" many="" before=$word
    case $command:$word in
      run:--)
        beside=$((i + 1))
        return
        ;;
${optionCases(program).join("\n")}
      *:-*) ;;
      :*) command=$word ;;
    esac
  done
}

# Names of a map that begin with the word at the cursor. They come from outside: none is evaluated.
_rollcall_names() {
  local name
  while IFS= read -r name; do
    [[ $name == "$cur"* ]] && COMPREPLY+=("$name")
  done < <(LC_ALL=C awk -F: '${AWK_NAMES}' 2>/dev/null <"$root$1")
}

_rollcall() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command="" root="" takes="" many="" beside="" flags=""
  COMPREPLY=()
  [[ $cur == = ]] && cur=""
  _rollcall_look
  if [[ -n $beside ]]; then
    if ((COMP_CWORD == beside)); then takes=program; else takes=file; fi
  elif [[ -z $takes ]]; then
    case $command in
      "") takes=commands flags="${flags(program.options)}" ;;
      help) takes=commands ;;
${program.commands
  .map(
    (command) =>
      `      ${command.name}) takes=${kindOfArgument(command)} flags="${flags(flagsOf(command, program))}" ;;`,
  )
  .join("\n")}
    esac
    [[ $cur == -* ]] && takes=flags
  fi
  case $takes in
    commands) mapfile -t COMPREPLY < <(compgen -W "${names}" -- "$cur") ;;
    flags) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
    users) _rollcall_names /etc/passwd.cache ;;
    groups) _rollcall_names /etc/group.cache ;;
    program) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
    file | dir)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(if [[ $takes == dir ]]; then compgen -d -- "$cur"; else compgen -f -- "$cur"; fi)
      ;;
  esac
}

complete -F _rollcall rollcall
`;
}

function optionCases({ commands, options }: ProgramShape): string[] {
  return [
    ...commands.flatMap((command) => command.options.map((option) => optionCase(command.name, option))),
    ...options.map((option) => optionCase("*", option)),
  ].flatMap((line) => line ?? []);
}

function optionCase(command: string, { flag, value, isVariadic }: OptionShape): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  return `      ${command}:${flag}) takes=${kindOf(value)}${isVariadic ? " many=yes" : ""} ;;`;
}

function flags(options: readonly OptionShape[]): string {
  return options.map(({ flag }) => flag).join(" ");
}
