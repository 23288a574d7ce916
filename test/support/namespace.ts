/**
 * A node of its own inside this machine: a private mount namespace with its own /etc, /home, /run and /var.
 *
 * In: nothing. Out: a way to run programs in there, Rollcall among them, as on a real node: no `--root`, the
 * real glibc, the real sshd. Nothing that runs inside reaches this machine's own accounts, homes or logs.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { keepOutput, type Ran, run } from "./node-root.ts";
import { MAIN_IN_REPOSITORY, REPOSITORY } from "./program.ts";

/** The command line of Rollcall inside: readable by everybody, below directories that only root writes to. */
export const PROGRAM = ["/run/test/node", `/run/test/rollcall/${MAIN_IN_REPOSITORY}`] as const;

/** Whatever is started here ends by itself after so long, should the test die without ending it. */
const LIFETIME_SECONDS = "300";

/** A running namespace; disposing ends it, and everything in it is gone with its last process. */
export interface Namespace extends AsyncDisposable {
  /** Runs a program inside to its end. */
  run(command: string, ...args: string[]): Promise<Ran>;
  /** Starts a program inside that goes on running. */
  start(command: string, ...args: string[]): Running;
  rollcall(...args: string[]): Promise<Ran>;
  /** Reads a file inside; throws when there is none. */
  read(path: string): Promise<string>;
  write(path: string, content: string, mode?: number): Promise<void>;
}

/** Starts one that looks like a fresh node: a copy of this machine's /etc, no homes, no caches. */
export async function startNamespace(): Promise<Namespace> {
  const holder = startProcess("unshare", ["-m", "--propagation", "private", ...FURNISH]);
  await holder.printed("furnished\n");
  const inside = ["-t", String(holder.pid), "-m", "-r", "-w", "--"];
  const ways = waysInto(inside);
  const arrived = await ways.run("test", "-e", "/etc/.private");
  if (arrived.code !== 0) {
    await holder[Symbol.asyncDispose]();
    throw new Error(`nsenter did not lead to the private /etc, so nothing is written there: ${arrived.err}`);
  }
  return {
    ...ways,
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}

/** What a namespace can do, by the command line that leads there. */
export function waysInto(inside: readonly string[]): Omit<Namespace, typeof Symbol.asyncDispose> {
  const runInside = (command: string, ...args: string[]) => run("nsenter", [...inside, command, ...args]);
  return {
    run: runInside,
    start: (...command) =>
      startProcess("nsenter", [...inside, "timeout", "-k", "5", LIFETIME_SECONDS, ...command]),
    rollcall: (...args) => runInside(...PROGRAM, ...args),
    read: async (path) => outputOf(await runInside("cat", path)),
    write: async (path, content, mode = 0o644) => {
      const script = 'mkdir -p "$(dirname "$0")"; printf %s "$1" > "$0"; chmod "$2" "$0"';
      outputOf(await runInside("sh", "-euc", script, path, content, mode.toString(8)));
    },
  };
}

/**
 * All is put together below the private /run and moved into place at the end. The program is bound there too:
 * its checkout may lie below a directory that gets hidden, or in one that only root can enter.
 */
const SCRIPT = `
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/sshd /run/lock /run/etc /run/test/rollcall
touch /run/test/node
mount --bind "$0" /run/test/rollcall
mount --bind "$1" /run/test/node
mount -t tmpfs -o mode=0755 tmpfs /run/etc
cp -a /etc/. /run/etc
for map in passwd group shadow sshkey; do rm -f /run/etc/$map.cache*; done
rm -rf /run/etc/rollcall /run/etc/ssh/authorized_keys.d
sed -i -E '/^(passwd|group|shadow):/d' /run/etc/nsswitch.conf
printf '%s: files cache\\n' passwd group shadow >> /run/etc/nsswitch.conf
touch /run/etc/.private
mount --move /run/etc /etc
mount -t tmpfs -o mode=0755 tmpfs /var
mkdir -p /var/lib /var/log /var/mail
ln -s /run /var/run
mount -t tmpfs -o mode=0755 tmpfs /home
echo furnished
exec sleep ${LIFETIME_SECONDS}
`;
const FURNISH = ["sh", "-euc", SCRIPT, REPOSITORY, process.execPath];

/** What tests need of the machine, and how to tell that it is there. */
const COMPONENTS = {
  namespaces: {
    name: "root and its right to unshare mounts (package util-linux)",
    isThere: () => spawnSync("unshare", ["-m", "nsenter", "--version"]).status === 0,
  },
  "libnss-cache": {
    name: "libnss_cache.so.2 (package libnss-cache)",
    isThere: () => globSync("{/usr,}/lib{,/*-linux-gnu}/libnss_cache.so.2").length > 0,
  },
  sudo: {
    name: "sudo and visudo (package sudo)",
    isThere: () => existsSync("/usr/sbin/visudo") && existsSync("/usr/bin/sudo"),
  },
  faketime: {
    name: "faketime (package faketime)",
    isThere: () => spawnSync("faketime", ["-v"]).status === 0,
  },
  sshd: {
    name: "/usr/sbin/sshd (package openssh-server)",
    isThere: () => existsSync("/usr/sbin/sshd"),
  },
} as const;

/** Why a test that needs these must be skipped; false when all of them are there. */
export function missing(...components: readonly (keyof typeof COMPONENTS)[]): string | false {
  const absent = components.map((component) => COMPONENTS[component]).filter(({ isThere }) => !isThere());
  return absent.length > 0 && `missing: ${absent.map(({ name }) => name).join(", ")}`;
}

/** A process that goes on running; disposing ends it and waits until it is gone. */
export interface Running extends AsyncDisposable {
  readonly pid: number | undefined;
  /** Waits until it has printed this; throws when it ends before, or takes longer than ten seconds. */
  printed(text: string): Promise<void>;
}

const POLL_MS = 10;
const MAX_POLLS = 1000;

/** `end` tells it to end, where SIGTERM to the process itself would not do. */
export function startProcess(
  command: string,
  args: readonly string[],
  end: (child: ChildProcess) => void = (child) => child.kill(),
): Running {
  const env = { PATH: process.env["PATH"] };
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const output = keepOutput(child);
  return {
    pid: child.pid,
    async printed(text) {
      for (let polls = 0; !output().includes(text); polls += 1) {
        if (hasEnded(child) || polls === MAX_POLLS) {
          throw new Error(`${command} did not print ${JSON.stringify(text)}, but: ${output()}`);
        }
        await sleep(POLL_MS);
      }
    },
    async [Symbol.asyncDispose]() {
      if (!hasEnded(child)) {
        end(child);
        await once(child, "exit");
      }
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** What a program printed that had to succeed. */
export function outputOf({ code, out, err }: Ran): string {
  if (code !== 0) {
    throw new Error(`exit code ${code}: ${err}`);
  }
  return out;
}
