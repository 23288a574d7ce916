/**
 * A throwaway node: a directory with the files Rollcall expects, its configuration, and the real program.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TOKEN } from "./fake-iam.ts";
import { MAIN } from "./program.ts";
import { POSIX } from "./records.ts";

/** What one run of the program printed, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface NodeRoot extends Disposable {
  readonly path: string;
  /** Reads a file of the node as text; undefined when there is none. */
  read(path: string): string | undefined;
  write(path: string, content: string, mode?: number): void;
  /** Everything below a directory but /run and the last report, with inode, mtime and content: was anything touched? */
  snapshot(path?: string): Record<string, string>;
  /** Writes rollcall.yaml with these lines after the usual ones. */
  configure(iamUrl: string, extra?: string): void;
  rollcall(...args: string[]): Promise<Ran>;
}

/** Makes a furnished one under the system's temporary directory; disposing removes it. */
export function makeNodeRoot(): NodeRoot {
  const root = nodeRootAt(mkdtempSync(join(tmpdir(), "rollcall-test-")));
  furnishNode(root);
  return root;
}

/** A node at a directory that is there already. */
export function nodeRootAt(path: string): NodeRoot {
  chmodSync(path, 0o755);
  const root: NodeRoot = {
    path,
    read: (file) => {
      try {
        return readFileSync(join(path, file), "utf8");
      } catch {
        return undefined;
      }
    },
    write: (file, content, mode = 0o644) => {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), content);
      chmodSync(join(path, file), mode);
    },
    snapshot: (directory = "/") => snapshotOf(join(path, directory)),
    configure: (iamUrl, extra = "") => root.write("/etc/rollcall/rollcall.yaml", configFor(iamUrl, extra)),
    rollcall: (...args) => runRollcall(["--root", path, ...args]),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
  return root;
}

/** The local accounts, shells, skeleton and token of a small node. */
export function furnishNode(root: NodeRoot): void {
  const passwd = [
    "root:x:0:0:root:/root:/bin/bash",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    "localadmin:x:1000:1000::/home/localadmin:/bin/bash",
  ];
  const group = ["root:x:0:", "sudo:x:27:", "shadow:x:42:", "localadmin:x:1000:", "nogroup:x:65534:"];
  root.write("/etc/passwd", `${passwd.join("\n")}\n`);
  root.write("/etc/group", `${group.join("\n")}\n`);
  root.write("/etc/shells", "# shells\n/bin/sh\n/bin/bash\n/usr/bin/zsh\n");
  root.write("/etc/skel/.bashrc", "# shell\n");
  root.write("/etc/skel/.config/app.conf", "a=1\n", 0o600);
  root.write("/etc/rollcall/token", `${TOKEN}\n`, 0o600);
  mkdirSync(join(root.path, "home"));
}

/** The attributes of `test/support/records.ts`, quick retries, and whatever a test adds. */
export function configFor(iamUrl: string, extra = ""): string {
  return `iam:
  url: ${iamUrl}
  tokenFile: /etc/rollcall/token
  pageSize: 50
  retryDelay: 1ms
  timeout: 5s
attributes:
  user:
    uid: ${POSIX}/uidNumber
    gid: ${POSIX}/gidNumber
    home: ${POSIX}/homeDirectory
    shell: ${POSIX}/loginShell
    keys: ${POSIX}/sshKeys
  group:
    gid: ${POSIX}/gidNumber
${extra}`;
}

/** Runs the real program to its end; killed after a minute. */
export function runRollcall(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return run(process.execPath, [MAIN, ...args], env);
}

/** Runs any program to its end and keeps what it printed. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const clean = {
    ...compileCache(),
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "/",
    ...env,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: clean, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}

/** Where compiled code is kept while tests run, for the environment of a process that is given one of its own. */
export function compileCache(): Readonly<Record<string, string>> {
  const directory = process.env["NODE_COMPILE_CACHE"];
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory };
}

/** Keeps everything a process prints; the returned function gives what there is so far. */
export function keepOutput({ stdout, stderr }: ChildProcess): () => string {
  let output = "";
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
  };
  stdout?.on("data", keep);
  stderr?.on("data", keep);
  return () => output;
}

/** Waits until something holds; throws after ten seconds, with the state there is then. */
export async function waitFor(holds: () => boolean, describeState: () => string = () => ""): Promise<void> {
  for (let polls = 0; polls < 1000 && !holds(); polls += 1) {
    await sleep(10);
  }
  assert.ok(holds(), describeState());
}

function snapshotOf(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const kept = entries.filter(
    (entry) =>
      !/\/(?:run(\/|$)|var$|lib$|rollcall$|rollcall\/report\.json$)/.test(join(entry.parentPath, entry.name)),
  );
  return Object.fromEntries(
    kept.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      const content = entry.isFile() ? readFileSync(path, "latin1") : "";
      return [path, `${found?.ino} ${found?.mtimeNs} ${found?.mode} ${found?.uid} ${content}`];
    }),
  );
}
