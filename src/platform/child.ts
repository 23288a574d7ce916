/**
 * The one door to processes that this program starts and waits for.
 */

import { execFile, spawn } from "node:child_process";
import { constants } from "node:os";

/** A program and its arguments; never a shell. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** For a tool of the system: beside the little that each of them gets. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Ended {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** How it ended, and what it printed. */
export interface Finished extends Ended {
  readonly out: string;
  /** The last few kilobytes. */
  readonly err: string;
}

/** What a tool of the system is given of the environment: it must speak English and be found. */
const TOOL_ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
};
const MAX_TOOL_BYTES = 64 * 1024 ** 2;

/** Runs a tool of the system to its end, and kills it after so many milliseconds. Rejects when there is no such tool. */
export function runTool({ program, args, env }: Command, timeoutMs: number): Promise<Finished> {
  const options = {
    env: { ...TOOL_ENVIRONMENT, ...env },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: MAX_TOOL_BYTES,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, [...args], options, (error, out, err) => {
      if (error !== null && typeof error.code === "string") {
        reject(error);
        return;
      }
      const signal = error?.signal ?? undefined;
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      resolve({ code, signal, out, err: err.slice(-KEPT_ERR_CHARS) });
    });
  });
}

const MAX_OUT_BYTES = 512 * 1024 ** 2;
const KEPT_ERR_CHARS = 4000;
/** A process that was told to stop has so long to do it. */
const KILL_AFTER_MS = 20_000;

/**
 * Runs a program of this house to its end. When the signal aborts it gets SIGTERM, and SIGKILL if that does not
 * help. It notices by its IPC channel when this process is gone. Rejects when it cannot be started.
 */
export async function runToEnd({ program, args }: Command, signal: AbortSignal): Promise<Finished> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const out: Buffer[] = [];
  let bytes = 0;
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    out.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_OUT_BYTES) {
      child.kill("SIGKILL");
    }
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    err = `${err}${chunk.toString()}`.slice(-KEPT_ERR_CHARS);
  });
  let deadline: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    deadline = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const ended = await new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, by) => resolve({ code: code ?? undefined, signal: by ?? undefined }));
      if (signal.aborted) {
        stop();
      }
    });
    return { ...ended, out: Buffer.concat(out).toString("utf8"), err };
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(deadline);
  }
}

/** A command that runs beside this process, with the same terminal. */
export interface Companion {
  readonly ended: Promise<Ended>;
  /** Passes a signal on; one that has ended already is left alone. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command; rejects `ended` when there is no such program. */
export function startCompanion({ program, args }: Command): Companion {
  const child = spawn(program, args, { stdio: "inherit" });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, by) => resolve({ code: code ?? undefined, signal: by ?? undefined }));
  });
  return { ended, kill: (signal) => void child.kill(signal) };
}

/** What a shell would show for it: the code, or 128 and the number of the signal. */
export function exitCodeOf({ code, signal }: Ended): number {
  return code ?? 128 + (signal === undefined ? 0 : constants.signals[signal]);
}
