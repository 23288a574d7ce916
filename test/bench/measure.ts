/**
 * What benches share: the load IAM as a process, commands with what they cost, and medians.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { configFor } from "../support/node-root.ts";
import type { LoadOptions, LoadTraffic } from "./load-iam.ts";

/** Of every pull that is measured. */
export const PAGE = 100;
export const PARALLEL = 8;

/** The program as it is installed. */
export const LAUNCHER = new URL("../../packaging/rollcall", import.meta.url).pathname;
/** The same inside a node of its own. */
export const PROGRAM = "/run/test/rollcall/packaging/rollcall";
const USAGE = new URL("usage.py", import.meta.url).pathname;
const IAM = new URL("load-iam.ts", import.meta.url).pathname;

/** What one command took. */
export interface Cost {
  readonly code: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly out: string;
}

/** Runs a command to its end. */
export async function measure(program: string, args: readonly string[]): Promise<Cost> {
  const child = spawn("python3", [USAGE, program, ...args], { stdio: ["ignore", "pipe", "inherit", "pipe"] });
  const texts = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    texts[0] += chunk.toString();
  });
  child.stdio[3]?.on("data", (chunk: Buffer) => {
    texts[1] += chunk.toString();
  });
  await once(child, "close");
  const { peakKiB, ...cost } = JSON.parse(texts[1] ?? "");
  return { ...cost, peakMiB: peakKiB / 1024, out: texts[0] ?? "" };
}

export interface LoadIam extends AsyncDisposable {
  readonly url: string;
  /** Since it was last asked. */
  traffic(): Promise<LoadTraffic>;
  /** Gives `count` users from the nth on other keys, or this very one. */
  changeKeys(from: number, count: number, line?: string): Promise<void>;
}

/** A SCIM service of so many users, as a process of its own. */
export async function startLoadIam(
  options: Partial<LoadOptions> & Pick<LoadOptions, "users">,
): Promise<LoadIam> {
  const all: LoadOptions = {
    latencyMs: 0,
    maxPage: 100,
    etag: false,
    gzip: false,
    cursor: false,
    filter: false,
    ...options,
  };
  const child = spawn(process.execPath, [IAM, JSON.stringify(all)], { stdio: ["pipe", "pipe", "inherit"] });
  const [line]: Buffer[] = await once(child.stdout, "data");
  const url = String(line).trim();
  const call = async (path: string) => {
    const answer = await fetch(`${url}/bench/${path}`);
    assert.equal(answer.status, 200);
    return answer.json();
  };
  return {
    url: `${url}/scim/v2`,
    traffic: async () => (await call("traffic")) as LoadTraffic,
    changeKeys: async (from, count, line) => {
      const key = line === undefined ? "" : `&line=${encodeURIComponent(line)}`;
      await call(`keys?from=${from}&count=${count}${key}`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

/** What a node is told for a bench: the given service, no homes, and whatever else stands in `extra`. */
export function benchConfig(url: string, extra = ""): string {
  const text = configFor(url, `homes: { create: false }\n${extra}`);
  const paging = `pageSize: ${PAGE}\n  parallel: ${PARALLEL}`;
  return text.replace("pageSize: 50", paging).replace("timeout: 5s", "timeout: 30s");
}

/** How many maps, key files and files of the state directory are newer; not what lies in /run. */
export function newerFiles(root: string, sinceMs: number): number {
  const files = ["etc", "var/lib"].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ),
  );
  return files.filter((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs >= sinceMs).length;
}

/** Resident memory of a process, in MiB. */
export function residentMiB({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

const CLOCK_TICKS = 100;

/** CPU seconds of a process so far: its threads to the nanosecond, and the children that have ended by ticks. */
export function cpuSecondsOf({ pid }: ChildProcess): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const children = (Number(fields[13]) + Number(fields[14])) / CLOCK_TICKS;
  return threads.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9 + children;
}

export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
