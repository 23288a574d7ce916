/**
 * The one door to sshd(8) itself: is a configuration sound, and what is in force with it.
 *
 * Nothing is started that stays, and nothing is made but the empty directory below /run that sshd's own unit makes.
 */

import { mkdir } from "node:fs/promises";
import { errorCodeOf, messageOf } from "../model/failure.ts";
import { runTool } from "./child.ts";

/** What to ask about. */
export interface SshdQuestion {
  /** Undefined for the one sshd reads by itself. */
  readonly configFile?: string | undefined;
  /** A further host key, for a tree that has none yet. */
  readonly hostKey?: string | undefined;
  /** Somebody who logs in, so that Match blocks count. */
  readonly connection?:
    | { readonly user: string; readonly host: string; readonly address: string }
    | undefined;
  /** Leaves even that directory alone. */
  readonly onlyLooks?: boolean;
}

/** What it printed; or why there is no answer, in its own words. */
export type SshdAnswer =
  | { readonly ok: true; readonly out: string }
  | { readonly ok: false; readonly why: "absent" | "refused" | "unanswered"; readonly said: string };

/** Asks `sshd -t`: is the configuration sound? */
export function testSshd(question: SshdQuestion = {}): Promise<SshdAnswer> {
  return ask("-t", question);
}

/** Asks `sshd -T`: the settings in force, for `formats/sshd-settings.ts`. */
export function readSshdSettings(question: SshdQuestion = {}): Promise<SshdAnswer> {
  return ask("-T", question);
}

const PROGRAM = "/usr/sbin/sshd";
/** It may look up names in a directory service. */
const TIMEOUT_MS = 20_000;
const MISSING_DIRECTORY = /^Missing privilege separation directory: (\/(?:var\/)?run\/[\w.-]+)\s*$/m;
const NEEDS_CONNECTION = /not in connection test specification/;
/** Nobody, from nowhere in particular: what holds for everybody. Older versions want somebody to judge Match blocks by. */
const ANYBODY = { user: "nobody", host: "localhost", address: "127.0.0.1" };

async function ask(
  mode: "-t" | "-T",
  question: SshdQuestion & { readonly isPrepared?: true },
): Promise<SshdAnswer> {
  const answer = await askOnce(mode, question);
  if (answer.ok || answer.why !== "refused") {
    return answer;
  }
  if (question.connection === undefined && NEEDS_CONNECTION.test(answer.said)) {
    return ask(mode, { ...question, connection: ANYBODY });
  }
  // Missing where sshd has not run since the start, as in an image build. It stays: somebody else may be asking too.
  const missing = MISSING_DIRECTORY.exec(answer.said)?.[1];
  if (missing === undefined || question.onlyLooks === true || question.isPrepared === true) {
    return answer;
  }
  // What keeps it from being made, sshd says again.
  await mkdir(missing, { mode: 0o755 }).catch(() => undefined);
  return ask(mode, { ...question, isPrepared: true });
}

async function askOnce(
  mode: "-t" | "-T",
  { configFile, hostKey, connection }: SshdQuestion,
): Promise<SshdAnswer> {
  const args = [
    mode,
    ...(configFile === undefined ? [] : ["-f", configFile]),
    ...(hostKey === undefined ? [] : ["-h", hostKey]),
    ...(connection === undefined
      ? []
      : ["-C", `user=${connection.user},host=${connection.host},addr=${connection.address}`]),
  ];
  try {
    const { code, out, err } = await runTool({ program: PROGRAM, args }, TIMEOUT_MS);
    if (code === 0) {
      return { ok: true, out };
    }
    return code === undefined
      ? { ok: false, why: "unanswered", said: `"sshd ${mode}" did not end within ${TIMEOUT_MS / 1000} s` }
      : { ok: false, why: "refused", said: `${err}\n${out}`.trim() };
  } catch (error) {
    return errorCodeOf(error) === "ENOENT"
      ? { ok: false, why: "absent", said: `there is no ${PROGRAM} here` }
      : { ok: false, why: "refused", said: `${PROGRAM} cannot be started: ${messageOf(error)}` };
  }
}
