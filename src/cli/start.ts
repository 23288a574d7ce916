/**
 * `rollcall` alone: what to do first, or next.
 */

import { checkConfig } from "../config/load.ts";
import { Failure } from "../model/failure.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";

/** Looks whether there is a configuration and says the next step. */
export async function start(context: Context, options: CommonOptions): Promise<number> {
  const path = configPath(options);
  const state = await checkConfig(path).catch((error: unknown) => {
    if (error instanceof Failure) {
      return error;
    }
    throw error;
  });
  if (state instanceof Failure) {
    firstSteps(path).forEach((line) => context.out(line));
  } else if (state.ok) {
    nextSteps(path).forEach((line) => context.out(line));
  } else {
    context.out(`${path} has ${state.mistakes.length} mistake(s). See them all: rollcall check`);
    return EXIT.failed;
  }
  return EXIT.ok;
}

function firstSteps(path: string): string[] {
  return [
    "Rollcall keeps the accounts of this node in step with an identity provider.",
    "",
    "It is not set up here yet:",
    "  1. rollcall setup     wires glibc and sshd, and writes a first configuration; --dry-run shows it,",
    "                        --undo puts everything back",
    `  2. Fill in ${path} (owned by root, 0644), for example:`,
    "",
    "       iam:",
    "         url: https://iam.example.org/scim/v2",
    "         tokenFile: /etc/rollcall/token",
    "       attributes:",
    "         user:",
    "           uid: urn:example:User/uidNumber",
    "           gid: urn:example:User/gidNumber",
    "           keys: urn:example:User/sshKeys",
    "         group:",
    "           gid: urn:example:Group/gidNumber",
    "",
    "  3. Put the bearer token of the IAM into the token file, mode 0600.",
    "  4. rollcall check     finds mistakes in the file",
    "     rollcall plan      shows what a sync would do, and does nothing",
    "     rollcall sync      does it, once",
    "     rollcall run       keeps doing it",
    "",
    "rollcall --help lists every command.",
  ];
}

function nextSteps(path: string): string[] {
  return [
    `Rollcall is configured in ${path}.`,
    "  rollcall setup         make glibc and sshd use what it writes, if they do not yet",
    "  rollcall plan          what a sync would do now",
    "  rollcall sync          bring this node in step, once",
    "  rollcall run           keep it in step",
    "  rollcall status        how this node is",
    "  rollcall history       what changed here, and why",
    "  rollcall explain USER  why somebody can or cannot log in here",
    "  rollcall doctor        what keeps this node from working, with remedies",
    "  rollcall check         is the configuration sound?",
    "  rollcall keys USER     the SSH keys of one user",
    "  rollcall --help        every command",
  ];
}
