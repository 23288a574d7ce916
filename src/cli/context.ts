/**
 * What commands share: the process they run in, the options that every command has, and the exit codes.
 */

import type { Surroundings } from "../daemon/surroundings.ts";
import type { HeardSignal } from "../daemon/wire-serve.ts";
import type { Command } from "../platform/child.ts";
import { underRoot } from "../platform/files.ts";
import type { LogFormat } from "../platform/log.ts";
import type { NotifyEnvironment } from "../platform/notify.ts";

/** A terminal, and what it can show. */
export interface Terminal {
  /** Columns and rows, as they are now. */
  size(): readonly [columns: number, rows: number];
  /** Whether it obeys escape sequences. */
  readonly isSteerable: boolean;
  /** Whether it shows more than ASCII. */
  readonly isUnicode: boolean;
}

/** The process, as far as commands may know it. */
export interface Context {
  readonly args: readonly string[];
  /** Of this program. */
  readonly version: string;
  readonly tokens: Surroundings["tokens"];
  readonly loginUsers: Surroundings["loginUsers"];
  /** Writes one line to standard output or standard error. */
  out(line: string): void;
  err(line: string): void;
  /** Replaces the last line of a terminal; undefined when standard error is none. */
  readonly redraw: ((line: string) => void) | undefined;
  readonly colour: boolean;
  /** What standard output leads to; undefined when that is no terminal. */
  readonly terminal: Terminal | undefined;
  readonly logFormat: LogFormat;
  readonly notify: NotifyEnvironment;
  /** Aborted by SIGINT and SIGTERM, with the name as its reason, and by SIGHUP unless somebody listens to it. */
  readonly signal: AbortSignal;
  /** Calls back for each signal of this name, in place of what it did before. */
  onSignal(name: HeardSignal, handler: () => void): void;
  /** To be called when all is done: ends this process soon, also when a file server that hangs holds a thread of it. */
  endAnyway(): void;
  /** The command line that starts this program again; arguments are added to it. */
  readonly self: Command;
}

/** Options of every command. */
export interface CommonOptions {
  readonly root: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly all?: boolean;
}

/** What the process ends with; the README explains each. */
export const EXIT = { ok: 0, failed: 1, changes: 2, refused: 3, usage: 64 } as const;

/** `--config` as given, else the usual place below the root. */
export function configPath({ config, root }: CommonOptions): string {
  return config ?? underRoot(root, "/etc/rollcall/rollcall.yaml");
}
