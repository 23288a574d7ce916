# bash completion for rollcall(8)
# Made by "npm run words" from the commands themselves; edit those.

# What of the words of the line so far matters: the command, the root, and what the next word is.
_rollcall_look() {
  local i word before=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    [[ $word == = ]] && continue
    if [[ -n $takes && $word != -* ]]; then
      [[ $before == --root ]] && root=${word%/}
      [[ -z $many ]] && takes=""
      continue
    fi
    takes="" many="" before=$word
    case $command:$word in
      run:--)
        beside=$((i + 1))
        return
        ;;
      sync:--accept-removals) takes=none ;;
      accept:--group) takes=groups many=yes ;;
      accept:--accept-removals) takes=none ;;
      run:--grace) takes=none ;;
      history:--since) takes=none ;;
      history:--limit) takes=none ;;
      import-nsscache:--output) takes=file ;;
      import-nsscache:--compare) takes=dir ;;
      *:--config) takes=file ;;
      *:--root) takes=dir ;;
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
  done < <(LC_ALL=C awk -F: '$1 ~ /^[a-z_][a-z0-9_.-]*$/ && !seen[$1]++ { print $1 }' 2>/dev/null <"$root$1")
}

_rollcall() {
  local cur=${COMP_WORDS[COMP_CWORD]} command="" root="" takes="" many="" beside="" flags=""
  COMPREPLY=()
  [[ $cur == = ]] && cur=""
  _rollcall_look
  if [[ -n $beside ]]; then
    if ((COMP_CWORD == beside)); then takes=program; else takes=file; fi
  elif [[ -z $takes ]]; then
    case $command in
      "") takes=commands flags="--config --root --json --all --version" ;;
      help) takes=commands ;;
      sync) takes=none flags="--accept-removals --offline --config --root --json --all --version --help" ;;
      accept) takes=users flags="--group --every --accept-removals --config --root --json --all --version --help" ;;
      run) takes=command flags="--grace --config --root --json --all --version --help" ;;
      status) takes=none flags="--watch --config --root --json --all --version --help" ;;
      plan) takes=none flags="--config --root --json --all --version --help" ;;
      explain) takes=users flags="--config --root --json --all --version --help" ;;
      doctor) takes=none flags="--config --root --json --all --version --help" ;;
      verify) takes=none flags="--config --root --json --all --version --help" ;;
      history) takes=users flags="--since --limit --config --root --json --all --version --help" ;;
      setup) takes=none flags="--dry-run --undo --config --root --json --all --version --help" ;;
      check) takes=none flags="--config --root --json --all --version --help" ;;
      import-nsscache) takes=file flags="--output --compare --config --root --json --all --version --help" ;;
      probe) takes=none flags="--config --root --json --all --version --help" ;;
      keys) takes=users flags="--config --root --json --all --version --help" ;;
    esac
    [[ $cur == -* ]] && takes=flags
  fi
  case $takes in
    commands) mapfile -t COMPREPLY < <(compgen -W "sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help" -- "$cur") ;;
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
