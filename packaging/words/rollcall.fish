# fish completion for rollcall(8)
# Made by "npm run words" from the commands themselves; edit those.

# Names of a map below --root. They come from outside: none is evaluated.
function __rollcall_names
    set -l words (commandline -opc)
    set -l root ''
    if set -l at (contains -i -- --root $words)
        set root (string trim -r -c / -- $words[(math $at + 1)])
    end
    test -r "$root$argv[1]"
    and LC_ALL=C awk -F: '$1 ~ /^[a-z_][a-z0-9_.-]*$/ && !seen[$1]++ { print $1 }' <"$root$argv[1]"
end

complete -c rollcall -f
complete -c rollcall -l config -r -F -d 'configuration file (default: /etc/rollcall/rollcall.yaml)'
complete -c rollcall -l root -x -a '(__fish_complete_directories)' -d 'treat this directory as the node: every path is below it (default: /)'
complete -c rollcall -l json -d 'print JSON for scripts'
complete -c rollcall -l all -d 'print every line, however many'
complete -c rollcall -l version -d 'output the version number'
complete -c rollcall -l help -d 'display help'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a sync -d 'bring this node in step with the IAM, once; through the daemon where one runs'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a accept -d 'take records as the IAM has them now, against what this node remembers of them'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a run -d 'keep this node in step until told to stop (SIGHUP: reload, SIGUSR1: sync now)'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a status -d 'how this node is'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a plan -d 'show what a sync would do, and do nothing'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a explain -d 'why somebody can or cannot log in here, link by link'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a doctor -d 'is everything between the IAM and a login as it should be?'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a verify -d 'is every file as Rollcall left it?'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a history -d 'what changed on this node, when and why, the newest first'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a setup -d 'wire this node: make glibc and sshd use what Rollcall writes; shows every change'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a check -d 'check the configuration; shows every mistake at once'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a import-nsscache -d 'turn an nsscache.conf, or the one in Helm values, into a configuration'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a probe -d 'does the daemon live (healthz), are users in place (readyz)?'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a keys -d 'print the SSH keys of one user, for sshd\'s AuthorizedKeysCommand'
complete -c rollcall -n 'not __fish_seen_subcommand_from sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help' -a help -d 'display help for a command'
complete -c rollcall -n '__fish_seen_subcommand_from help' -a 'sync accept run status plan explain doctor verify history setup check import-nsscache probe keys help'
complete -c rollcall -n '__fish_seen_subcommand_from sync' -l accept-removals -x -d 'let through the one refused plan with this id'
complete -c rollcall -n '__fish_seen_subcommand_from sync' -l offline -d 'serve whom the IAM named when it was last believed, without asking it'
complete -c rollcall -n '__fish_seen_subcommand_from accept' -l group -x -a '(__rollcall_names /etc/group.cache)' -d 'groups that are held back'
complete -c rollcall -n '__fish_seen_subcommand_from accept' -l every -d 'everything that is held back'
complete -c rollcall -n '__fish_seen_subcommand_from accept' -l accept-removals -x -d 'let through the one refused plan with this id'
complete -c rollcall -n '__fish_seen_subcommand_from accept' -a '(__rollcall_names /etc/passwd.cache)'
complete -c rollcall -n '__fish_seen_subcommand_from run' -l grace -x -d 'time for the command to end after SIGTERM (default: 20)'
complete -c rollcall -n '__fish_seen_subcommand_from run' -a '(__fish_complete_subcommand)'
complete -c rollcall -n '__fish_seen_subcommand_from status' -l watch -d 'again every two seconds, until stopped'
complete -c rollcall -n '__fish_seen_subcommand_from explain' -a '(__rollcall_names /etc/passwd.cache)'
complete -c rollcall -n '__fish_seen_subcommand_from history' -l since -x -d 'not before: 2d, 3h, or a date such as 2026-05-31 (UTC)'
complete -c rollcall -n '__fish_seen_subcommand_from history' -l limit -x -d 'the newest so many changes (default: 100)'
complete -c rollcall -n '__fish_seen_subcommand_from history' -a '(__rollcall_names /etc/passwd.cache)'
complete -c rollcall -n '__fish_seen_subcommand_from setup' -l dry-run -d 'show the changes and write nothing'
complete -c rollcall -n '__fish_seen_subcommand_from setup' -l undo -d 'put everything back as it was'
complete -c rollcall -n '__fish_seen_subcommand_from import-nsscache' -l output -r -F -d 'write it there; a file that is there is never replaced'
complete -c rollcall -n '__fish_seen_subcommand_from import-nsscache' -l compare -x -a '(__fish_complete_directories)' -d 'show how a sync would differ from the maps in this directory'
complete -c rollcall -n '__fish_seen_subcommand_from import-nsscache' -F
complete -c rollcall -n '__fish_seen_subcommand_from keys' -a '(__rollcall_names /etc/passwd.cache)'
