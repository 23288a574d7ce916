/**
 * A real Slurm cluster of one node, which is a login node as well, in namespaces of its own.
 *
 * In: the suite of Debian its packages are from. Out: a node to run programs on, Rollcall among them, and daemons that
 * a test may stop and freeze. It sees nothing of this machine's files, processes and network, and changes nothing.
 */

import { join } from "node:path";
import { type Namespace, outputOf, startProcess } from "./namespace.ts";
import { type Daemon, signalDaemon, startDaemon, startDaemons, stopDaemon } from "./slurm-daemons.ts";
import { type Suite, slurmTree } from "./slurm-tree.ts";
import { childOf, DEVICES, endInside, makeWaysOut, nodeInside, ON_TREE } from "./tree-node.ts";

export type { Daemon } from "./slurm-daemons.ts";
export { missingSlurm, type Suite } from "./slurm-tree.ts";

/**
 * The cluster `test`: node1 with four processors in the partition `main`, the QOS `normal` and `high`, no account but
 * root's. `run` ends with code 124 after 50 seconds.
 */
export interface SlurmCluster extends Namespace {
  /** As `sacctmgr --version` prints it: slurm-wlm 22.05.8. */
  readonly version: string;
  /** Waits until it answers. After slurmctld's return the node takes some five seconds more to be idle again. */
  startDaemon(daemon: Daemon): Promise<void>;
  /** Waits until it is gone. */
  stopDaemon(daemon: Daemon): Promise<void>;
  /** It then takes connections and never answers. */
  freeze(daemon: Daemon): Promise<void>;
  thaw(daemon: Daemon): Promise<void>;
  /** From now on this URL of a server on this machine's loopback leads there from inside, too. */
  reach(url: string): Promise<void>;
}

/** Seconds of a cluster, should the test die without ending it. */
const LIFETIME_SECONDS = "900";

/** Takes some seconds, and half a minute more for the first one of a suite. */
export async function startSlurm(suite: Suite): Promise<SlurmCluster> {
  const tree = await slurmTree(suite);
  await using stack = new AsyncDisposableStack();
  const ways = stack.use(makeWaysOut(tree));
  const node = stack.use(await startNode(join(tree, "root"), ways.sockets));
  await startDaemons(node, suite);
  const version = outputOf(await node.run("sacctmgr", "--version")).trim();
  const cleanup = stack.move();
  return {
    ...node,
    version,
    startDaemon: (daemon) => startDaemon(node, daemon),
    stopDaemon: (daemon) => stopDaemon(node, daemon),
    freeze: (daemon) => signalDaemon(node, daemon, "STOP"),
    thaw: (daemon) => signalDaemon(node, daemon, "CONT"),
    reach: (url) => ways.reach(node, url),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

const REPOSITORY = new URL("../..", import.meta.url).pathname;

/**
 * The tree stays as it is: what is written goes to memory. The first process inside is a shell, which reaps daemons
 * that have ended.
 */
const FURNISH = `${ON_TREE}
mount -t sysfs -o ro sysfs sys
${DEVICES}
mount -t tmpfs -o mode=0755 tmpfs run
mkdir -p run/lock run/sshd run/test/rollcall run/test/sockets
touch run/test/node
mount -o bind,ro "$1" run/test/rollcall
mount -o bind,ro "$2" run/test/node
mount -o bind,ro "$3" run/test/sockets
hostname node1
exec chroot . sh -euc "$4"
`;

/**
 * Slurm wants an address besides loopback's. Ports that programs get by chance are others than this machine gives
 * to its servers, so that `reach` finds the same one free.
 */
const FIRST_PROCESS = `
ip link set lo up
ip link add name inside type veth peer name outside
ip address add 192.0.2.1/24 dev inside
ip link set inside up
ip link set outside up
echo 61000 65535 > /proc/sys/net/ipv4/ip_local_port_range
echo furnished
sleep ${LIFETIME_SECONDS}
exit
`;

async function startNode(root: string, sockets: string): Promise<Namespace> {
  const unshare = ["unshare", "-m", "-p", "-f", "-u", "-i", "-n", "--propagation", "private", "--kill-child"];
  const furnish = ["sh", "-euc", FURNISH, root, REPOSITORY, process.execPath, sockets, FIRST_PROCESS];
  // When this process dies, so does unshare, and with it the first process inside, which takes all others with it.
  const holder = startProcess(
    "setpriv",
    ["--pdeathsig", "KILL", ...unshare, ...furnish],
    endInside("SIGKILL"),
  );
  await holder.printed("furnished\n");
  return nodeInside(holder, childOf(holder.pid), { lifetimeSeconds: LIFETIME_SECONDS });
}
