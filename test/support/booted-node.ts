/**
 * A login node that runs Debian's systemd, dbus, logind and sshd, in namespaces of its own.
 *
 * In: the suite of Debian its packages are from, and a directory with packages of Rollcall. Out: a node to run programs on, on
 * which nothing of Rollcall is installed yet; the directory is its /run/test/packages. It sees nothing of this machine's
 * files, processes and network, and changes nothing.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildTree, missingTree, type Suite } from "./debian-tree.ts";
import { type Namespace, startProcess } from "./namespace.ts";
import { childOf, DEVICES, endInside, makeWaysOut, nodeInside, ON_TREE } from "./tree-node.ts";

/** `run` ends with code 124 after 50 seconds; `rollcall` is the one that is installed. */
export interface BootedNode extends Namespace {
  /** From now on this URL of a server on this machine's loopback leads there from inside, too. */
  reach(url: string): Promise<void>;
}

/** Why a test that needs such a node must be skipped; false when all is there. */
export function missingSystemd(): string | false {
  const script = "mount -t cgroup2 cgroup2 /mnt && mkdir /mnt/$0 && rmdir /mnt/$0";
  const hasGroups = spawnSync("unshare", ["-m", "-C", "sh", "-c", script, GROUP]).status === 0;
  return missingTree() || (!hasGroups && "missing: a kernel that lets root mount cgroup2");
}

const REPOSITORY = new URL("../..", import.meta.url).pathname;
/** Seconds of what goes on running, should the test die without ending it. */
const LIFETIME_SECONDS = "300";
/** The control group that holds all processes of a node. */
const GROUP = `rollcall-test-${process.pid}`;

const RECIPE = {
  packages: [
    "dbus",
    "libnss-cache",
    "libpam-systemd",
    "libstdc++6",
    "openssh-client",
    "openssh-server",
    "passwd",
    "procps",
    "sudo",
    "systemd",
    "iproute2",
  ],
  setup: `set -eu
mkdir -p "$1/etc/dpkg/dpkg.cfg.d"
printf 'path-exclude=/usr/share/%s/*\\n' man info locale > "$1/etc/dpkg/dpkg.cfg.d/small"`,
  customize: "true",
} as const;

const trees = new Map<Suite, Promise<string>>();

/** Takes some seconds, and half a minute more for the first one of a suite. */
export async function bootNode(suite: Suite, packages: string): Promise<BootedNode> {
  const tree = await (trees.get(suite) ?? buildTree(suite, RECIPE));
  trees.set(suite, Promise.resolve(tree));
  await using stack = new AsyncDisposableStack();
  const ways = stack.use(makeWaysOut(tree));
  stack.defer(removeGroup);
  const node = stack.use(await startNode(join(tree, "root"), { sockets: ways.sockets, packages }));
  await untilBooted(node);
  const cleanup = stack.move();
  return {
    ...node,
    rollcall: (...args) => node.run("/usr/bin/rollcall", ...args),
    reach: (url) => ways.reach(node, url),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** A control group of its own, and everything below it in namespaces of its own. */
const HOLD = `
mount -t cgroup2 cgroup2 /mnt
mkdir -p /mnt/$0
echo $$ > /mnt/$0/cgroup.procs
exec unshare -m -p -f -u -i -n -C --propagation private --kill-child "$@"
`;

/** The tree stays as it is: what is written goes to memory. The first process inside is systemd. */
const FURNISH = `${ON_TREE}
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
${DEVICES}
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=0755 tmpfs run
mkdir -p run/lock run/test/rollcall run/test/sockets run/test/packages
touch run/test/node
mount -o bind,ro "$1" run/test/rollcall
mount -o bind,ro "$2" run/test/node
mount -o bind,ro "$3" run/test/sockets
mount -o bind,ro "$4" run/test/packages
hostname node1
echo 61000 65535 > /proc/sys/net/ipv4/ip_local_port_range
mkdir old
pivot_root . old
umount -l old
rmdir old
ip link set lo up
# Credentials of services are mounted in one namespace and must arrive in the others.
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null
`;

interface Places {
  readonly sockets: string;
  readonly packages: string;
}

async function startNode(root: string, { sockets, packages }: Places): Promise<Namespace> {
  const furnish = ["sh", "-euc", FURNISH, root, REPOSITORY, process.execPath, sockets, packages];
  // When this process dies, so does unshare, and with it systemd, which takes all others with it.
  const holder = startProcess(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", "-m", "sh", "-euc", HOLD, GROUP, ...furnish],
    endInside("SIGKILL"),
  );
  const first = await untilThere(() => systemdBelow(holder.pid));
  return nodeInside(holder, first, { lifetimeSeconds: LIFETIME_SECONDS });
}

/** The process that systemd has become. */
function systemdBelow(holder: number | undefined): number | undefined {
  const first = childOf(holder);
  const name = spawnSync("cat", [`/proc/${first}/comm`], { encoding: "utf8" }).stdout;
  return name === "systemd\n" ? first : undefined;
}

async function untilThere<Value>(look: () => Value | undefined): Promise<Value> {
  for (let polls = 0; polls < 1000; polls += 1) {
    const found = look();
    if (found !== undefined) {
      return found;
    }
    await sleep(20);
  }
  throw new Error("systemd did not start");
}

async function untilBooted(node: Namespace): Promise<void> {
  for (let polls = 0; polls < 300; polls += 1) {
    const { out } = await node.run("systemctl", "is-system-running");
    if (["running\n", "degraded\n"].includes(out)) {
      return;
    }
    await sleep(100);
  }
  throw new Error((await node.run("systemctl", "list-jobs")).out);
}

/** It stays when the last process in it has ended. */
function removeGroup(): void {
  const script = 'mount -t cgroup2 cgroup2 /mnt; [ ! -d "/mnt/$0" ] || find "/mnt/$0" -depth -type d -delete';
  const removed = spawnSync("unshare", ["-m", "sh", "-c", script, GROUP], { encoding: "utf8" });
  if (removed.status !== 0) {
    throw new Error(`the control group of a test is still there: ${removed.stderr}`);
  }
}
