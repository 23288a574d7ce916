#compdef rollcall
# Made by "npm run words" from the commands themselves; edit those.

# Names of a map below --root. They come from outside: none is evaluated.
_rollcall_names() {
  local -a names
  names=(${(f)"$(LC_ALL=C awk -F: '$1 ~ /^[a-z_][a-z0-9_.-]*$/ && !seen[$1]++ { print $1 }' 2>/dev/null <"${root%/}$1")"})
  compadd -a names
}
_rollcall_users() { _rollcall_names /etc/passwd.cache }
_rollcall_groups() { _rollcall_names /etc/group.cache }

_rollcall() {
  local curcontext=$curcontext state line root
  local -A opt_args
  local -a commands common
  commands=(
    'sync:bring this node in step with the IAM, once; through the daemon where one runs'
    'accept:take records as the IAM has them now, against what this node remembers of them'
    'run:keep this node in step until told to stop (SIGHUP: reload, SIGUSR1: sync now)'
    'status:how this node is'
    'plan:show what a sync would do, and do nothing'
    'explain:why somebody can or cannot log in here, link by link'
    'doctor:is everything between the IAM and a login as it should be?'
    'verify:is every file as Rollcall left it?'
    'history:what changed on this node, when and why, the newest first'
    'setup:wire this node: make glibc and sshd use what Rollcall writes; shows every change'
    'check:check the configuration; shows every mistake at once'
    'import-nsscache:turn an nsscache.conf, or the one in Helm values, into a configuration'
    'probe:does the daemon live (healthz), are users in place (readyz)?'
    'keys:print the SSH keys of one user, for sshd'\''s AuthorizedKeysCommand'
    'help:display help for a command'
  )
  common=(
    '--config[configuration file (default: /etc/rollcall/rollcall.yaml)]:file:_files'
    '--root[treat this directory as the node: every path is below it (default: /)]:dir:_files -/'
    '--json[print JSON for scripts]'
    '--all[print every line, however many]'
    '--version[output the version number]'
  )
  _arguments -C $common '--help[display help]' '1:command:->command' '*::argument:->argument'
  root=${opt_args[--root]-}
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      curcontext=${curcontext%:*:*}:rollcall-$line[1]:
      case $line[1] in
        help) _describe -t commands command commands ;;
        sync) _arguments $common '--accept-removals[let through the one refused plan with this id]:plan-id:' '--offline[serve whom the IAM named when it was last believed, without asking it]' '--help[display help for the command]' ;;
        accept) _arguments $common '*--group[groups that are held back]:group:_rollcall_groups' '--every[everything that is held back]' '--accept-removals[let through the one refused plan with this id]:plan-id:' '--help[display help for the command]' '*:user:_rollcall_users' ;;
        run) _arguments $common '--grace[time for the command to end after SIGTERM (default: 20)]:seconds:' '--help[display help for the command]' '*::command:_normal' ;;
        status) _arguments $common '--watch[again every two seconds, until stopped]' '--help[display help for the command]' ;;
        plan) _arguments $common '--help[display help for the command]' ;;
        explain) _arguments $common '--help[display help for the command]' '1:user:_rollcall_users' ;;
        doctor) _arguments $common '--help[display help for the command]' ;;
        verify) _arguments $common '--help[display help for the command]' ;;
        history) _arguments $common '--since[not before: 2d, 3h, or a date such as 2026-05-31 (UTC)]:when:' '--limit[the newest so many changes (default: 100)]:n:' '--help[display help for the command]' '1:user:_rollcall_users' ;;
        setup) _arguments $common '--dry-run[show the changes and write nothing]' '--undo[put everything back as it was]' '--help[display help for the command]' ;;
        check) _arguments $common '--help[display help for the command]' ;;
        import-nsscache) _arguments $common '--output[write it there; a file that is there is never replaced]:file:_files' '--compare[show how a sync would differ from the maps in this directory]:dir:_files -/' '--help[display help for the command]' '1:file:_files' ;;
        probe) _arguments $common '--help[display help for the command]' '1:which:' ;;
        keys) _arguments $common '--help[display help for the command]' '1:user:_rollcall_users' ;;
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _rollcall ]]; then
  _rollcall "$@"
else
  compdef _rollcall rollcall
fi
