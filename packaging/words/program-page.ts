/**
 * The manual page rollcall(8).
 *
 * In: the program as its parser knows it, and the tables of codes. Out: mdoc(7).
 */

import { EXIT_WORDS, exitLines } from "../../src/cli/words.ts";
import { FAILURES } from "../../src/model/failure.ts";
import { PROBLEMS } from "../../src/model/problem.ts";
import { CONDITIONS } from "../../src/report/conditions.ts";
import { argument, head, paragraph, terms, text } from "./mdoc.ts";
import type { CommandShape, OptionShape, ProgramShape } from "./program.ts";
import { shownAfter } from "./tables.ts";

/** The whole page. */
export function renderProgramPage(program: ProgramShape): string {
  const lines = [
    ...head("ROLLCALL", 8),
    ".Sh NAME",
    ".Nm rollcall",
    ".Nd keep the accounts of a node in step with an identity provider",
    ".Sh SYNOPSIS",
    ...program.commands.flatMap(synopsisOf),
    ".Sh DESCRIPTION",
    ...description(),
    ".Ss Options of every command",
    ...terms(program.options.map(optionTerm)),
    ".Ss Commands",
    ...terms(program.commands.map((command) => [`Cm ${argument(command.name)}`, commandBody(command)])),
    ".Ss Signals",
    ".Bl -tag -width Ds",
    ...SIGNALS.flatMap(([name, words]) => [`.It Dv ${name}`, ...text(words)]),
    ".El",
    ".Sh ENVIRONMENT",
    ...terms(ENVIRONMENT.map(([name, words]) => [`Ev ${name}`, text(words)])),
    ".Sh FILES",
    ...terms(FILES.map(([path, words]) => [`Pa ${argument(path)}`, text(words)])),
    ".Sh EXIT STATUS",
    ...terms(exitLines(EXIT_WORDS).map(([code, words]) => [`Li ${code}`, text(`${words}.`)])),
    ".Sh EXAMPLES",
    ...terms(program.commands.flatMap(examplesOf)),
    ".Sh DIAGNOSTICS",
    ...diagnostics(),
    ".Sh SEE ALSO",
    ".Xr nsswitch.conf 5 ,",
    ".Xr rollcall.yaml 5 ,",
    ".Xr sshd_config 5 ,",
    ".Xr sudoers 5 ,",
    ".Xr systemd.service 5 ,",
    ".Xr sshd 8",
    ".Sh SECURITY CONSIDERATIONS",
    ...SECURITY.flatMap((words, nth) => (nth === 0 ? text(words) : paragraph(words))),
  ];
  return `${lines.join("\n")}\n`;
}

function synopsisOf({ name, options, arguments: given, usage }: CommandShape): string[] {
  const own = options.map(({ flag, value, isVariadic }) => {
    const rest = value === undefined ? "" : ` Ar ${value}${isVariadic ? " ..." : ""}`;
    return `.Op Fl ${argument(flag.slice(1))}${rest}`;
  });
  const operands = given.map((one) =>
    usage.includes(`[${one.name}`)
      ? `.Op ${name === "run" ? "Fl \\- " : ""}Ar ${one.name}${one.isVariadic ? " ..." : ""}`
      : `.Ar ${one.name}`,
  );
  return [".Nm", `.Cm ${argument(name)}`, ...own, ...operands];
}

function description(): string[] {
  return [
    ".Nm",
    ...text(
      "pulls users, groups and SSH keys from an identity provider (IAM) over SCIM 2.0, checks every record, decides what this node lacks, and makes it so: the files that glibc reads through libnss-cache, one file of SSH keys per user for sshd, and homes; where it is configured, rules for sudo and the accounts of a Slurm cluster as well.",
    ),
    ...paragraph(
      "A list of the IAM is used whole or not at all, so an IAM that is down, slow or wrong takes nobody's login. A record that cannot be served costs only itself. A sync that would take too much away is refused until a person lets it through.",
    ),
    ...paragraph("Without a command it says what to do first, or next."),
  ];
}

function optionTerm({ flag, value, isVariadic, description }: OptionShape): [string, string[]] {
  const rest = value === undefined ? "" : ` Ar ${value}${isVariadic ? " ..." : ""}`;
  return [`Fl ${argument(flag.slice(1))}${rest}`, text(`${capital(description)}.`)];
}

function commandBody({ description, options, arguments: given, words }: CommandShape): string[] {
  const operands = given.map(({ name, description }): [string, string[]] => [
    `Ar ${name}`,
    text(`${capital(description)}.`),
  ]);
  const inside = [...operands, ...options.map(optionTerm)];
  return [
    ...text(`${capital(description)}${/[.?!]$/.test(description) ? "" : "."}`),
    ...paragraph(`Reads ${words.reads}.`),
    ...text(`Writes ${words.writes}.`),
    ...paragraph(
      `Exits with ${exitLines(words.exits)
        .map(([code, meaning]) => `${code === "other" ? "another code" : `\`${code}\``}: ${meaning}`)
        .join("; ")}.`,
    ),
    ...(inside.length === 0 ? [] : terms(inside)),
  ];
}

function examplesOf({ words }: CommandShape): [string, string[]][] {
  return words.examples.map(([line, purpose]) => [
    `Li ${argument(line)}`,
    text(`${capital(purpose)}${/[.?!]$/.test(purpose) ? "" : "."}`),
  ]);
}

function diagnostics(): string[] {
  const conditions = Object.entries(CONDITIONS).map(
    ([code, { severity, title, shownAfterMs, remedy }]): [string, string[]] => [
      `Li ${code}`,
      text(`(${severity}, shown ${shownAfter(shownAfterMs)}) ${title}. ${remedy}`),
    ],
  );
  const failures = Object.entries(FAILURES).map(([code, words]): [string, string[]] => [
    `Li ${code}`,
    text(`${capital(words)}.`),
  ]);
  const problems = Object.entries(PROBLEMS).map(([code, { costs, title, remedy }]): [string, string[]] => [
    `Li ${code}`,
    text(`(costs ${costs === "nothing" ? "nothing" : `the ${costs}`}) ${title}. ${remedy}`),
  ]);
  return [
    ".Ss Conditions",
    ...text(
      "Shown by `rollcall status` and in the log while they hold. A node is healthy while no critical or degraded one is shown.",
    ),
    ...terms(conditions),
    ".Ss Failures",
    ...text(
      "Why a run could not go on, in brackets at the end of its message. Nothing was changed unless it says so.",
    ),
    ...terms(failures),
    ".Ss Problems",
    ...text("What is wrong with one record or one thing on this node. Everybody else is served."),
    ...terms(problems),
  ];
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const SIGNALS = [
  ["SIGTERM , SIGINT", "End between two steps; `run` ends its command first."],
  [
    "SIGHUP",
    "`run`: read the configuration again and sync; one with mistakes is refused, and the old one stays in force.",
  ],
  ["SIGUSR1", "`run`: sync now."],
  ["SIGUSR2 , SIGQUIT , SIGWINCH", "`run -- COMMAND`: passed on to the command, as are the first three."],
] as const;

const ENVIRONMENT = [
  ["ROLLCALL_IAM_TOKEN", "The bearer token, where neither a file nor a systemd credential has it."],
  ["NSSCACHE_SCIM_AUTH_TOKEN", "The same, for environments that have it under this name."],
  [
    "CREDENTIALS_DIRECTORY",
    "Set by systemd; the credential `iam-token` in it is the token, unless the configuration names a file.",
  ],
  [
    "ROLLCALL_LOGIN_USERS",
    "Users who may log in on this node, beside those of access.login. Where it is set, nobody else may, also when it is empty.",
  ],
  ["NO_COLOR", "Set: no colour on a terminal."],
] as const;

const FILES = [
  ["/etc/rollcall/rollcall.yaml", "The configuration; root's, and writable by root alone."],
  ["/etc/rollcall/token", "The usual place of the token (iam.tokenFile), mode 0600."],
  [
    "/etc/passwd.cache, /etc/group.cache, /etc/shadow.cache",
    "The maps for libnss-cache, each with its indexes (.ixname, .ixuid, .ixgid), in caches.directory.",
  ],
  ["/etc/sshkey.cache", "The keys once more, for key commands that other tools left behind."],
  ["/etc/ssh/authorized_keys.d", "A file of keys per user (keys.directory)."],
  ["/etc/sudoers.d/rollcall", "The rules for sudo (sudo.file)."],
  [
    "/var/lib/rollcall",
    "What this node remembers (state.directory): the ledger, the IAM's last words, the last report.",
  ],
  [
    "/run/rollcall/health.sock, /run/rollcall/control.sock",
    "The daemon over HTTP: health, readiness, status and metrics for everybody; every detail and syncs for root.",
  ],
] as const;

const SECURITY = [
  "The IAM decides who logs in, but no record of it becomes root, a local or system account, another person, or a line of its own in a file: names, ids, homes, shells and keys are checked, and what fails is left out and reported.",
  "Whoever can write the configuration, the token, a list on disk or the state directory decides who logs in. They must be root's and writable by root alone, and Rollcall refuses to start from a configuration that is not.",
  "The token is printed by nothing. It goes to the server of iam.url alone, over verified TLS or to loopback, unless iam.allowHttp is set; redirects are not followed.",
  "The health socket tells everybody counts and codes, and no name, address or key.",
];
