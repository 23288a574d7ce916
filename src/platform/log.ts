/**
 * The log: fixed messages with data in fields.
 *
 * In: a format and a place to write lines to. As JSON for containers; with a syslog priority in front for the
 * journal (sd-daemon(3)), so that `journalctl -p warning` works; short for a terminal.
 */

import { pino } from "pino";

/** Fields of one line. Keys appear by fingerprint, secrets never. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes lines; a message is a fixed string. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFormat = "json" | "journal" | "terminal";

/** Makes a log that writes each line with `write`, which gets no line feed. */
export function createLog(format: LogFormat, write: (line: string) => void): Log {
  const stream = {
    write: (line: string) => write(format === "json" ? line.trimEnd() : readable(line, format)),
  };
  const logger = pino({ base: null, formatters: { level: (level) => ({ level }) } }, stream);
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  };
}

/** syslog(3): 3 is an error, 4 a warning, 6 information. */
const PRIORITIES: Readonly<Record<string, string>> = { error: "<3>", warn: "<4>", info: "<6>" };

function readable(line: string, format: "journal" | "terminal"): string {
  const { level, time, msg, ...fields }: Record<string, unknown> = JSON.parse(line);
  const words = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const head =
    format === "journal"
      ? (PRIORITIES[String(level)] ?? "<6>")
      : `${clockTime(Number(time))} ${String(level)} `;
  return `${head}${[String(msg), ...words].join(" ")}`;
}

function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
