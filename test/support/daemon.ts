/**
 * `rollcall run` as a real process.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compileCache, keepOutput, type NodeRoot, waitFor } from "./node-root.ts";
import { MAIN } from "./program.ts";

export interface Daemon extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Waits until it has logged this; throws after ten seconds. */
  logged(pattern: RegExp): Promise<void>;
}

/** Starts one; disposing stops it, with SIGKILL when SIGTERM does not help. */
export function startDaemon(
  node: NodeRoot,
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = [],
): Daemon {
  const beside = command.includes("--") || command.length === 0 ? command : ["--", ...command];
  const args = ["run", "--root", node.path, ...beside];
  const child = spawn(
    process.execPath,
    ["--optimize-for-size", "--no-turbofan", "--no-maglev", MAIN, ...args],
    {
      env: { ...compileCache(), PATH: process.env["PATH"], ...env },
    },
  );
  const output = keepOutput(child);
  return {
    child,
    output,
    logged: (pattern) => waitFor(() => pattern.test(output()), output),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
        child.kill("SIGKILL");
        await ended;
      }
    },
  };
}

export const socketOf = (node: NodeRoot, name: "health" | "control") =>
  join(node.path, `run/rollcall/${name}.sock`);

/** One request over a Unix socket; a body makes it a POST. */
export function ask(
  socketPath: string,
  path: string,
  body?: string,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: body === undefined ? "GET" : "POST" }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
