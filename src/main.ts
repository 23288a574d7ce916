#!/usr/bin/env node
/**
 * Arguments and environment in, exit code out: the only reader of process.argv and process.env.
 */

import metadata from "../package.json" with { type: "json" };
import { type Context, EXIT } from "./cli/context.ts";
import { runProgram } from "./cli/entry.ts";
import { Secret } from "./model/secret.ts";

const { env, stdout, stderr } = process;
// For this process alone (packaging/rollcall sets them), not for what it starts.
delete env["MALLOC_ARENA_MAX"];
delete env["MALLOC_TRIM_THRESHOLD_"];
delete env["MALLOC_MMAP_THRESHOLD_"];
const stop = new AbortController();
process.on("SIGINT", () => stop.abort("SIGINT"));
process.on("SIGTERM", () => stop.abort("SIGTERM"));
process.on("SIGHUP", () => stop.abort("SIGHUP"));
// A sync that a daemon started ends with it, however that one ends.
process.once("disconnect", () => stop.abort("SIGTERM"));
process.channel?.unref();
// Whoever reads the output may have seen enough (head, less): that is no reason to stop half-way.
stdout.on("error", () => undefined);
stderr.on("error", () => undefined);

const LINGER_MS = 2000;
const token = env["ROLLCALL_IAM_TOKEN"] ?? env["NSSCACHE_SCIM_AUTH_TOKEN"];
const isSteerable = stdout.isTTY && env["TERM"] !== "dumb";
// The first that is set and not empty counts (POSIX, 8.2).
const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
const context: Context = {
  args: process.argv.slice(2),
  version: metadata.version,
  tokens: {
    credentialsDirectory: env["CREDENTIALS_DIRECTORY"],
    token: token === undefined ? undefined : new Secret(token),
  },
  // Set and empty means nobody more: a variable that was forgotten must not open a pod to everybody.
  loginUsers: env["ROLLCALL_LOGIN_USERS"]?.split(/[\s,]+/).filter(Boolean),
  out: (line) => stdout.write(`${line}\n`),
  err: (line) => stderr.write(`${line}\n`),
  redraw: stderr.isTTY ? (line) => stderr.write(`\r\u001b[2K${line}`) : undefined,
  colour: isSteerable && env["NO_COLOR"] === undefined,
  terminal: stdout.isTTY
    ? { size: () => stdout.getWindowSize(), isSteerable, isUnicode: isSteerable && /utf-?8/i.test(locale) }
    : undefined,
  logFormat: env["JOURNAL_STREAM"] !== undefined ? "journal" : stdout.isTTY ? "terminal" : "json",
  notify: { socket: env["NOTIFY_SOCKET"], watchdogUsec: env["WATCHDOG_USEC"] },
  signal: stop.signal,
  // exit(3) would wait for the thread that waits for the file server.
  endAnyway: () => void setTimeout(() => process.kill(process.pid, "SIGKILL"), LINGER_MS).unref(),
  self: { program: process.execPath, args: process.argv.slice(1, 2) },
  onSignal: (name, handler) => {
    process.removeAllListeners(name).on(name, handler);
  },
};

// Whatever ends this process before its command has ended is no success.
let exitCode: number = EXIT.failed;
process.once("exit", () => {
  process.exitCode = exitCode;
});
void runProgram(context).then((code) => {
  exitCode = code;
});
