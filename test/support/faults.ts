/**
 * A real sync that dies at, or is refused, one chosen file-system call: strace(1) does it to the program.
 *
 * In: a node, and which call. Out: how the sync ended, and the call that was hit, as strace saw it. One thread does all
 * the file work but that in the keys directory, which the main thread does, so that the calls of each come in the same
 * order each time and can be counted.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type NodeRoot, type Ran, run } from "./node-root.ts";

/** One call of a sync. */
export interface Point {
  readonly thread: "main" | "worker";
  /** The name of the call, but `create` or `open` for openat(2), and `write` for pwrite(2). */
  readonly kind: string;
  readonly call: string;
  /** Which of the thread's calls of this name; of those on `path` where there is one. */
  readonly nth: number;
  /** The path below the root, where it is the same in each run. */
  readonly path: string | undefined;
  /** For messages. */
  readonly name: string;
}

/** How a sync ended that something was done to. */
export interface Injected extends Ran {
  /** The call that was hit, as strace printed it; undefined when none was. */
  readonly hit: string | undefined;
}

/** Rollcall as `npm run build` makes it, which starts faster; disposing removes it. */
export interface Program extends Disposable {
  readonly main: string;
  sync(node: NodeRoot): Promise<Ran>;
  /** Every call of a whole sync that has to do with the node's files. */
  pointsOf(node: NodeRoot): Promise<readonly Point[]>;
  killAt(node: NodeRoot, point: Point): Promise<Injected>;
  refuse(node: NodeRoot, point: Point, error: string): Promise<Injected>;
}

/** Why such a test must be skipped; false when strace is there and may trace. */
export function missingStrace(): string | false {
  return spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0
    ? false
    : "missing: strace (package strace) and the right to trace";
}

/** Builds the program into a directory of its own; `words` are its command, and only these `calls` are its points. */
export function buildProgram(
  words: readonly string[] = ["sync"],
  calls: readonly string[] = ALL_CALLS,
): Program {
  const directory = mkdtempSync(join(tmpdir(), "rollcall-built-"));
  const built = spawnSync(process.execPath, [join(REPOSITORY, "packaging/bundle.ts"), directory], {
    encoding: "utf8",
  });
  assert.equal(built.status, 0, built.stderr);
  const main = [join(directory, "main.js"), ...words] as const;
  return {
    main: main[0],
    sync: (node) => run(process.execPath, commandFor(main, node)),
    pointsOf: async (node) => {
      const { code, err, lines } = await traced(main, node, ["-f", ...tracing(calls, [])]);
      assert.equal(code, 0, err);
      return pointsIn(lines, node.path);
    },
    killAt: async (node, point) => {
      const ran = await traced(main, node, [
        ...threadsOf(point),
        ...injectionOf(node, point, "signal=SIGKILL"),
      ]);
      return {
        ...ran,
        hit: neverReturned(ran.lines).find(
          (line) => line.call === point.call && touches(line, node.path) && isOf(point, line, ran.lines),
        )?.text,
      };
    },
    refuse: async (node, point, error) => {
      const quick = point.thread === "main" ? [] : ["--seccomp-bpf"];
      const args = [...threadsOf(point), ...quick, ...injectionOf(node, point, `error=${error}`)];
      const ran = await traced(main, node, args);
      const [first, ...more] = ran.lines.filter(({ text }) => text.includes("(INJECTED)"));
      // The main thread may make as many such calls later, when it gives keys.
      const isRight =
        first !== undefined &&
        isOf(point, first, ran.lines) &&
        [first, ...more].every((line) => touches(line, node.path)) &&
        more.every((line) => isOnKeys(line, node.path));
      return { ...ran, hit: isRight ? first.text : undefined };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const REPOSITORY = new URL("../..", import.meta.url).pathname;
const ALL_CALLS =
  "openat read getdents64 pwrite64 fsync rename unlink rmdir mkdir symlink chmod fchmod fchown lchown".split(
    " ",
  );

function injectionOf(node: NodeRoot, { call, nth, path }: Point, what: string): string[] {
  const only = path === undefined ? [] : ["-P", join(node.path, path), "-P", ENV];
  return tracing([call], [...only, "-e", `inject=${call}:${what}:when=${nth}`]);
}

/** Without -f strace sees the main thread alone. */
function threadsOf({ thread }: Point): string[] {
  return thread === "main" ? [] : ["-f"];
}

/** Whether a call was made by the thread that was meant. */
function isOf({ thread }: Point, line: Line, lines: readonly Line[]): boolean {
  return thread === "main" || line.thread !== lines[0]?.thread;
}

/** Nothing but the start of the program has to do with this file. */
const ENV = "/usr/bin/env";

/** The first line is of the main thread, which runs env(1) first. */
function tracing(calls: readonly string[], more: readonly string[]): string[] {
  return ["-e", `trace=execve,${calls.join(",")}`, ...more];
}

/** The program and its command. */
type Main = readonly [main: string, ...words: string[]];

/** Without the threads that only compile, a run costs less. */
function commandFor([main, ...words]: Main, node: NodeRoot): string[] {
  return ["--v8-pool-size=0", main, "--root", node.path, ...words];
}

/** One line of strace's output, unless it only ends a call that began in an earlier one. */
interface Line {
  readonly thread: string;
  readonly call: string;
  readonly text: string;
}

async function traced(main: Main, node: NodeRoot, args: readonly string[]) {
  const output = join(node.path, "trace");
  const command = [ENV, process.execPath, ...commandFor(main, node)];
  const ran = await run("strace", ["-qq", "-y", "-o", output, ...args, ...command], {
    UV_THREADPOOL_SIZE: "1",
    // What is cached and what is not would make other calls in each run.
    NODE_DISABLE_COMPILE_CACHE: "1",
    // What it had there is left when it is killed; this goes with the program.
    TMPDIR: dirname(main[0]),
  });
  const lines = readFileSync(output, "utf8").split("\n").filter(Boolean).map(parseLine);
  rmSync(output);
  return { ...ran, lines };
}

function parseLine(text: string): Line {
  const [, thread = "", call = ""] = /^(?:(\d+) +)?(\w*)/.exec(text) ?? [];
  return { thread, call, text };
}

/** What the call is about: the path of its descriptor, or the first path among its arguments. */
function targetOf({ text }: Line): string {
  return /^(?:\d+ +)?\w+\(\d+<([^>]*)>/.exec(text)?.[1] ?? /"([^"]*)"/.exec(text)?.[1] ?? "";
}

function touches(line: Line, root: string): boolean {
  const target = targetOf(line);
  return target === root || target.startsWith(`${root}/`) || target.startsWith("/proc/self/fd/");
}

const KEYS = "/etc/ssh/authorized_keys.d";

function isOnKeys(line: Line, root: string): boolean {
  const target = targetOf(line);
  return target === `${root}${KEYS}` || target.startsWith(`${root}${KEYS}/`);
}

/**
 * strace counts for each thread on its own, so a call of the worker that another thread makes as often before it is no
 * point, unless it can be told by its path. Files are written by pwrite64, and threads woken by write, so that the two are
 * not mistaken. When the main thread gives keys, nearly everything else is done.
 */
function pointsIn(lines: readonly Line[], root: string): Point[] {
  const main = lines[0]?.thread;
  const worker = lines.find((line) => line.thread !== main && line.text.includes("/.rollcall-"))?.thread;
  const counts = new Map<string, number>();
  const early = new Map<string, number>();
  const points = lines.flatMap((line): Point[] => {
    const target = targetOf(line);
    const path = hasFixedPath(line, root) ? target.slice(root.length) : undefined;
    const isGiving = line.thread === main && line.call !== "openat" && isOnKeys(line, root);
    const inThread = countUp(counts, `${line.thread} ${line.call}`);
    const onPath = countUp(counts, `${line.thread} ${line.call} ${target}`);
    if (!isGiving) {
      countUp(early, `${line.thread} ${line.call}`);
    }
    const isPoint =
      line.thread === worker ? touches(line, root) : line.thread === main && isOnKeys(line, root);
    if (!isPoint || !ALL_CALLS.includes(line.call)) {
      return [];
    }
    const thread = line.thread === main ? "main" : "worker";
    const nth = path === undefined ? inThread : onPath;
    const what = target.replace(root, "").replace(/\.rollcall-\w+/g, "(temporary)");
    const name = `${line.call} ${nth} of the ${thread} thread on ${what}`;
    return [{ thread, kind: kindOf(line), call: line.call, nth, path, name }];
  });
  const isAlone = ({ thread, call, nth, path }: Point) =>
    thread === "main" || path !== undefined || nth > mostByOthers(early, call, worker);
  const lost = points.filter((point) => point.kind !== "open" && !isAlone(point));
  assert.deepEqual(lost, [], "another thread makes as many of these calls");
  return points.filter(isAlone);
}

/** The calls in which threads were when they were killed. */
function neverReturned(lines: readonly Line[]): Line[] {
  const isKilled = lines.some(({ text }) => text.includes("+++ killed by SIGKILL +++"));
  const threads = Map.groupBy(
    lines.filter(({ text }) => !text.includes("+++")),
    ({ thread }) => thread,
  );
  return [...threads.values()].flatMap((ofOne) => {
    const begun = ofOne.findLast(({ call }) => call !== "");
    const isOpen = /(?:= \?|<unfinished \.\.\.>)$/.test(ofOne.at(-1)?.text ?? "");
    return isKilled && isOpen && begun !== undefined ? [begun] : [];
  });
}

/** The name of a temporary is another one in each run. */
function hasFixedPath(line: Line, root: string): boolean {
  const target = targetOf(line);
  const isBelow = target === root || target.startsWith(`${root}/`);
  return isBelow && !target.includes("/.rollcall-") && ["openat", "read", "getdents64"].includes(line.call);
}

function countUp(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

const MARGIN = 5;

/** How many calls another thread makes, with some to spare for other runs. */
function mostByOthers(counts: ReadonlyMap<string, number>, call: string, worker: string | undefined): number {
  const made = [...counts].filter(([key]) => key !== `${worker} ${call}` && key.endsWith(` ${call}`));
  return Math.max(0, ...made.map(([, count]) => count + MARGIN));
}

function kindOf({ call, text }: Line): string {
  if (call === "openat") {
    return text.includes("O_CREAT") ? "create" : "open";
  }
  return call === "pwrite64" ? "write" : call;
}
