/**
 * What `--help` and the manual say of each command beside its options: what it reads and writes, its exit codes, examples.
 *
 * A command without words does not compile (`add` in commands.ts), and a test gives each example to the real parser.
 */

// oxlint-disable max-lines -- one flat table: a block for each command

import type { Help } from "commander";
import { EXIT } from "./context.ts";

/** The words of one command. */
export interface CommandWords {
  readonly reads: string;
  readonly writes: string;
  /** By name of the exit code; `usage` is every command's. */
  readonly exits: Readonly<Partial<Record<ExitName, string>>>;
  /** Whole lines as typed in a shell, each with what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
}

type ExitName = keyof typeof EXIT | "other";

/** What exit codes mean whatever the command. */
export const EXIT_WORDS: Readonly<Record<ExitName, string>> = {
  ok: "the node is in step, or there was nothing to do; `status`: healthy; `explain`: they can log in here; `doctor`: nothing is broken; `verify`: every file is as it was left",
  failed:
    "failed, or stopped; `status`: not healthy; `explain`: they cannot log in here; `doctor`: something is broken; `verify`: a file was touched. The message says what was being done, what was wrong, and what to do",
  changes:
    "`plan`, `setup --dry-run`: there are changes; `import-nsscache --compare`: a difference is not explained",
  refused: "`sync`, `accept`: the node is in step, but records were refused",
  usage: "wrong usage",
  other: "`run -- COMMAND`: the exit code of the command",
};

const CONFIG = "the configuration";
const THE_NODE =
  "the configuration, the token, the IAM's lists of users and groups, this node's accounts, shells, homes and key files, and Slurm's accounts where they are kept";
const EVERYTHING =
  "the maps in caches.directory, key files in keys.directory, homes that are missing, sudo.file, state.directory, and Slurm's accounts where they are kept";
const STARTED = "failed or stopped; the message says what to do, and whether anything was changed";

/** By the name of the command. */
export const WORDS = {
  sync: {
    reads: THE_NODE,
    writes: `${EVERYTHING}; only what differs`,
    exits: { ok: "the node is in step", failed: STARTED, refused: "in step, but records were refused" },
    examples: [
      ["rollcall sync", "bring this node in step"],
      [
        "rollcall sync --accept-removals 3f2a91c0d4e5",
        "let the removals through that a plan of this id shows",
      ],
      ["rollcall sync --offline", "put back from memory what somebody deleted, while the IAM is down"],
      ["rollcall sync --root /mnt/image", "provision an image instead of this machine"],
    ],
  },
  accept: {
    reads: THE_NODE,
    writes: `${EVERYTHING}; the ledger follows the IAM for who is named`,
    exits: { ok: "accepted, and in step", failed: STARTED, refused: "accepted, but records were refused" },
    examples: [
      ["rollcall accept ada", "ada's new uid, or her new record, is right"],
      ["rollcall accept --group research", "the record that now has the name of this group is right"],
      ["rollcall accept --every", "after a move to another IAM: everybody has a new record"],
    ],
  },
  run: {
    reads: `${THE_NODE}; again when they change`,
    writes: `${EVERYTHING}; sockets and the configuration in force in /run/rollcall; the log on standard output`,
    exits: {
      ok: "ended by SIGTERM or SIGINT",
      failed: "it could not start; the message says what to do",
      other:
        "the exit code of the command after --; 127 where it cannot be started, 128 and the number for a signal",
    },
    examples: [
      ["rollcall run", "the daemon, as its systemd unit starts it"],
      ["rollcall run -- /usr/sbin/sshd -D -e", "the entrypoint of a login pod"],
      ["rollcall run --grace 60 -- /usr/sbin/sshd -D -e", "the same, with a minute to end after SIGTERM"],
    ],
  },
  status: {
    reads: "what the daemon says; without one the configuration and the last report in state.directory",
    writes: "nothing",
    exits: {
      ok: "users are in place, and no critical or degraded condition is shown",
      failed: "not healthy, or never synced",
    },
    examples: [
      ["rollcall status", "how this node is; as root with names"],
      ["rollcall status --watch", "the board, kept up to date"],
      ["rollcall status --json", "for scripts and monitoring"],
    ],
  },
  plan: {
    reads: THE_NODE,
    writes: "nothing",
    exits: { ok: "nothing to do", failed: STARTED, changes: "there are changes" },
    examples: [
      ["rollcall plan", "what would change on this node?"],
      ["rollcall plan --all", "with every line, however many"],
      ["rollcall plan --config ./rollcall.yaml", "what would this file change?"],
    ],
  },
  explain: {
    reads: `${THE_NODE}, as far as they concern this user`,
    writes: "nothing",
    exits: { ok: "they can log in here now", failed: "they cannot, or it could not be found out" },
    examples: [
      ["rollcall explain ada", "why can ada not log in here?"],
      ["rollcall explain ada --json", "the same for a help desk's scripts"],
    ],
  },
  history: {
    reads: "the history in state.directory",
    writes: "nothing",
    exits: { ok: "also where nothing has changed yet", failed: "the history cannot be read" },
    examples: [
      ["rollcall history", "what changed here lately, and why?"],
      ["rollcall history ada --since 2d", "what happened to ada in the last two days?"],
      ["rollcall history --limit 1000 --json", "for an audit"],
    ],
  },
  doctor: {
    reads:
      "everything from the IAM to a login: the configuration, the network, the lists, the name service, sshd's settings, files, homes, the host",
    writes: "nothing",
    exits: { ok: "nothing is broken, whatever it warns of", failed: "something is broken" },
    examples: [
      ["rollcall doctor", "why does this node not work, and what mends it?"],
      ["rollcall doctor --json", "the same for a fleet's monitoring"],
      ["rollcall doctor --root /mnt/image", "what can be checked of an image"],
    ],
  },
  verify: {
    reads: `${CONFIG}, the list of what was published, and every file on it; asks no IAM`,
    writes: "nothing",
    exits: {
      ok: "every file is as Rollcall left it",
      failed: "a file was touched, or nothing was published yet",
    },
    examples: [
      ["rollcall verify", "did anybody edit a map or a key file?"],
      ["rollcall verify --root /mnt/image", "the same in an image"],
    ],
  },
  check: {
    reads: `${CONFIG}; of other files, whether the token's is there`,
    writes: "nothing",
    exits: { ok: "no mistakes", failed: "mistakes, each with its line; or the file cannot be read" },
    examples: [
      ["rollcall check", "is /etc/rollcall/rollcall.yaml sound?"],
      ["rollcall check --config ./rollcall.yaml", "is this file sound, before it is installed?"],
      ["rollcall check --json", "mistakes with line, key and message, for CI"],
    ],
  },
  setup: {
    reads:
      "nsswitch.conf, what sshd says of its own settings (sshd -T), and the configuration where there is one",
    writes:
      "nsswitch.conf, a drop-in of sshd, directories, a first configuration and the unit, where they are missing; what was there before goes to /var/lib/rollcall/setup first",
    exits: {
      ok: "wired, or put back; with --dry-run: nothing to do",
      failed: "refused, or something was left alone; the message says what to do by hand",
      changes: "with --dry-run: there are changes",
    },
    examples: [
      ["rollcall setup --dry-run", "what would it change on this node?"],
      ["rollcall setup", "change it"],
      ["rollcall setup --undo", "put the same bytes back"],
      ["rollcall setup --root /mnt/image", "wire an image instead of this machine"],
    ],
  },
  probe: {
    reads: "what the daemon says on its health socket",
    writes: "nothing",
    exits: { ok: "yes", failed: "no, or there is no daemon; the message says which" },
    examples: [
      ["rollcall probe readyz", "are users in place? an IAM that is down makes no pod unready"],
      ["rollcall probe healthz", "does the daemon live?"],
    ],
  },
  "import-nsscache": {
    reads: "the file; with --compare also what plan reads, and the maps in the directory",
    writes: "nothing, or the file of --output where none is yet",
    exits: {
      ok: "imported; with --compare: every difference is meant",
      failed: "refused; the message has the section and the line",
      changes: "with --compare: a difference is not explained",
    },
    examples: [
      ["rollcall import-nsscache /etc/nsscache.conf", "what would it be for Rollcall?"],
      [
        "rollcall import-nsscache /etc/nsscache.conf --output /etc/rollcall/rollcall.yaml",
        "write it where no file is yet",
      ],
      ["rollcall import-nsscache --compare /etc", "what would differ from the maps of nsscache?"],
    ],
  },
  keys: {
    reads: `${CONFIG}, and the key file of one user`,
    writes: "nothing",
    exits: { ok: "also for a user without keys", failed: "the configuration or the key file cannot be read" },
    examples: [
      ["rollcall keys ada", "the keys with which ada can log in"],
      ["rollcall keys ada --json", "the same as a list"],
    ],
  },
} as const satisfies Readonly<Record<string, CommandWords>>;

/** A command of this program. */
export type CommandName = keyof typeof WORDS;

/** The words of a command by its name; undefined for one that commander brings along. */
export function wordsOf(name: string): CommandWords | undefined {
  return Object.entries(WORDS).find(([one]) => one === name)?.[1];
}

/** Exit codes with what they mean, in their order. */
export function exitLines(
  exits: CommandWords["exits"],
): readonly (readonly [code: string, meaning: string])[] {
  const numbers: Readonly<Record<string, number>> = EXIT;
  return Object.entries(exits)
    .map(([name, meaning]) => [String(numbers[name] ?? name), meaning] as const)
    .sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
}

/** What stands below the options in the `--help` of a command. */
export function renderWords({ examples, exits, reads, writes }: CommandWords, help: Help): string {
  const files = [
    ["reads", reads],
    ["writes", writes],
  ] as const;
  return [
    ...section("Examples:", examples, help),
    ...section("Exit codes:", exitLines({ ...exits, usage: EXIT_WORDS.usage }), help),
    ...section("Reads and writes:", files, help),
  ].join("\n");
}

/** What stands below the options in `rollcall --help`. */
export function renderAllWords(help: Help): string {
  const first = Object.values(WORDS).map(({ examples: [example] }) => example);
  return [
    ...section("Examples:", first, help),
    ...section("Exit codes:", exitLines(EXIT_WORDS), help),
    "",
    '"rollcall help COMMAND" has more examples, and what the command reads and writes.',
  ].join("\n");
}

/** In two columns, as commander sets options. */
function section(
  heading: string,
  rows: readonly (readonly [term: string, words: string])[],
  help: Help,
): string[] {
  const width = Math.max(...rows.map(([term]) => term.length));
  return [
    "",
    heading,
    ...rows.map(([term, words]) => help.formatItem(term, width, words.replaceAll("`", ""), help)),
  ];
}
