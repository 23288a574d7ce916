/**
 * What all nodes that run on a tree of Debian's packages have in common: how the tree is laid out for them, how programs
 * get inside, and how a server on this machine's loopback is reached from there.
 */

import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { errorCodeOf } from "../../src/model/failure.ts";
import { type Namespace, PROGRAM, type Running, startProcess, waysInto } from "./namespace.ts";
import { startRelay } from "./relay.ts";

/** The first lines of a script: "$0" stays as it is, what is written goes to memory, and /run/root is where one goes on. */
export const ON_TREE = `
umask 022
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/upper /run/work /run/root
mount -t overlay -o "lowerdir=$0,upperdir=/run/upper,workdir=/run/work" overlay /run/root
cd /run/root
mount -t proc proc proc
`;

/** Makes ./dev as programs expect it. */
export const DEVICES = `
mount -t tmpfs -o mode=0755 tmpfs dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
`;

const ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];
/** Seconds of a command; `run` ends with code 124 afterwards. */
const PATIENCE_SECONDS = "50";

/** The node in which `first` is the first process; it lives no longer than its holder. */
export function nodeInside(
  holder: Running,
  first: number | undefined,
  { lifetimeSeconds }: { readonly lifetimeSeconds: string },
): Namespace {
  const into = ["--all", "-t", String(first), "-r", "-w", "--", "env", "-i", ...ENVIRONMENT];
  return {
    ...waysInto([...into, "timeout", "-k", "1", PATIENCE_SECONDS]),
    start: (...command) => {
      const args = [...into, "timeout", "-k", "5", lifetimeSeconds, ...command];
      return startProcess("nsenter", args, endInside("SIGTERM"));
    },
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}

/** Ways out of nodes on one tree; disposing closes them. */
export interface WaysOut extends Disposable {
  /** The directory that must be /run/test/sockets inside. */
  readonly sockets: string;
  /** From now on this URL of a server on this machine's loopback leads there from inside, too. */
  reach(node: Namespace, url: string): Promise<void>;
}

const RELAY = "/run/test/rollcall/test/support/relay.ts";

/** Makes none yet. */
export function makeWaysOut(tree: string): WaysOut {
  const sockets = mkdtempSync(join(tree, "sockets-"));
  const relays: Server[] = [];
  return {
    sockets,
    async reach(node, url) {
      const { port } = new URL(url);
      const socket = `${port}.sock`;
      relays.push(
        await startRelay({ path: join(sockets, socket) }, { host: "127.0.0.1", port: Number(port) }),
      );
      const relay = node.start(PROGRAM[0], RELAY, port, `/run/test/sockets/${socket}`);
      await relay.printed(`relaying port ${port}\n`);
    },
    [Symbol.dispose]: () => {
      relays.forEach((server) => server.close());
      rmSync(sockets, { recursive: true });
    },
  };
}

/** unshare and nsenter stay outside and end with the process inside: it is that one which has to be told. */
export function endInside(signal: NodeJS.Signals): (outside: ChildProcess) => void {
  return (outside) => {
    const inside = childOf(outside.pid);
    if (inside === undefined || !wasThere(inside, signal)) {
      outside.kill("SIGKILL");
    }
  };
}

/** Whether there was still a process to be told: what ends by itself may do so after one has looked. */
function wasThere(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (errorCodeOf(error) === "ESRCH") {
      return false;
    }
    throw error;
  }
}

/** The only process that this one has started and not yet seen end. */
export function childOf(pid: number | undefined): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children === "" ? undefined : Number.parseInt(children, 10);
}
