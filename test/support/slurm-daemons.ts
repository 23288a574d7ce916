/**
 * What a cluster of one node is made of: its configuration, and the five daemons, each by its pid.
 *
 * In: a way to run commands where they live, with Debian's packages installed. Out: daemons that answer, do not, or are
 * gone. They are Debian's own and run as the users that its services have.
 */

import type { Namespace } from "./namespace.ts";
import type { Suite } from "./slurm-tree.ts";

/** In the order in which they need each other. */
export const DAEMONS = ["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd"] as const;

export type Daemon = (typeof DAEMONS)[number];

interface Service {
  /** Returns when the daemon is in the background. */
  readonly command: string;
  readonly pidFile: string;
  /** Ends well when the daemon does what it is there for. */
  readonly probe: string;
}

const SERVICES: Readonly<Record<Daemon, Service>> = {
  munged: {
    command: "setpriv --reuid munge --regid munge --clear-groups munged",
    pidFile: "/run/munge/munged.pid",
    probe: "munge --no-input | unmunge",
  },
  mariadbd: {
    command: "mariadbd --user=mysql >/var/log/mariadbd.log 2>&1 &",
    pidFile: "/run/mysqld/mysqld.pid",
    probe: "mariadb --execute 'select 1'",
  },
  slurmdbd: {
    command: "slurmdbd",
    pidFile: "/run/slurm/slurmdbd.pid",
    probe: "sacctmgr --noheader show cluster",
  },
  slurmctld: {
    command: "slurmctld",
    pidFile: "/run/slurm/slurmctld.pid",
    probe: "scontrol ping | grep -q UP",
  },
  slurmd: {
    command: "slurmd -N node1",
    pidFile: "/run/slurm/slurmd.pid",
    probe: "sinfo --noheader --format=%t | grep -qxE 'idle|mix|alloc'",
  },
};

type Node = Omit<Namespace, typeof Symbol.asyncDispose>;

/** Waits until it answers. */
export async function startDaemon(node: Node, daemon: Daemon): Promise<void> {
  const { command, pidFile, probe } = SERVICES[daemon];
  const script = `rm -f ${pidFile}
if
  ${command}
then
  for probe in $(seq 100); do
    if [ -s ${pidFile} ] && timeout 2 sh -c "$1"; then exit 0; fi
    sleep 0.1
  done >/dev/null 2>&1
fi
tail -n 5 /var/log/mariadbd.log /var/log/slurm/*.log
exit 1`;
  await perform(node, `${daemon} does not answer`, [script, probe]);
}

/** Waits until it is gone; one that does not end within ten seconds is killed. */
export async function stopDaemon(node: Node, daemon: Daemon): Promise<void> {
  const script = `pid=$(cat ${SERVICES[daemon].pidFile})
kill -CONT $pid
kill -TERM $pid
for wait in $(seq 100); do
  kill -0 $pid 2>/dev/null || exit 0
  sleep 0.1
done
kill -KILL $pid`;
  await perform(node, `${daemon} cannot be stopped`, [script]);
}

/** STOP leaves its sockets open and nothing answered. */
export async function signalDaemon(node: Node, daemon: Daemon, signal: "STOP" | "CONT"): Promise<void> {
  await perform(node, `${daemon} cannot be signalled`, [
    `kill -${signal} $(cat ${SERVICES[daemon].pidFile})`,
  ]);
}

/** Brings up the cluster `test` with the QOS `normal` and `high`, on a node that has just been made. */
export async function startDaemons(node: Node, suite: Suite): Promise<void> {
  for (const [path, content] of Object.entries({ ...FILES, "/etc/slurm/cgroup.conf": CGROUPS[suite] })) {
    await node.write(path, content);
  }
  await perform(node, "the daemons' directories cannot be made", [DIRECTORIES]);
  await startDaemon(node, "munged");
  await startDaemon(node, "mariadbd");
  await perform(node, "the database cannot be made", ['mariadb --execute "$1"', DATABASE]);
  await startDaemon(node, "slurmdbd");
  await perform(node, "sacctmgr failed", ["sacctmgr -i add cluster test && sacctmgr -i add qos high"]);
  await startDaemon(node, "slurmctld");
  await startDaemon(node, "slurmd");
}

async function perform(
  node: Node,
  failure: string,
  [script, ...args]: readonly [string, ...string[]],
): Promise<void> {
  const { code, out, err } = await node.run("sh", "-euc", script, "sh", ...args);
  if (code !== 0) {
    throw new Error(`${failure} (exit code ${code}): ${out}${err}`);
  }
}

const DIRECTORIES = `
install -d -o munge -g munge /run/munge
install -d -o mysql -g mysql /run/mysqld
install -d -o slurm -g slurm /run/slurm /var/spool/slurmctld /var/log/slurm
install -d /var/spool/slurmd
chown slurm:slurm /etc/slurm/slurmdbd.conf
chmod 0600 /etc/slurm/slurmdbd.conf`;

const DATABASE = `
create database slurm_acct_db;
create user slurm@localhost identified via unix_socket;
grant all on slurm_acct_db.* to slurm@localhost;`;

const FILES: Readonly<Record<string, string>> = {
  "/etc/hosts": "127.0.0.1 localhost node1\n",
  "/etc/mysql/my.cnf": `
[client-server]
socket=/run/mysqld/mysqld.sock
[mariadbd]
pid-file=/run/mysqld/mysqld.pid
skip-networking
innodb-buffer-pool-size=64M
innodb-log-file-size=8M
innodb-lock-wait-timeout=900
`,
  "/etc/slurm/slurmdbd.conf": `
AuthType=auth/munge
SlurmUser=slurm
DbdHost=node1
DbdAddr=127.0.0.1
PidFile=/run/slurm/slurmdbd.pid
LogFile=/var/log/slurm/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct_db
`,
  // A slot for each of four jobs, however many processors this machine has.
  "/etc/slurm/slurm.conf": `
ClusterName=test
SlurmctldHost=node1(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStorageEnforce=associations,limits,qos
JobAcctGatherType=jobacct_gather/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=batch_sched_delay=0
KillWait=1
NodeName=node1 NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
};

/** slurmd leaves cgroups alone where nothing is configured that needs one, but does not start without a plugin. */
const CGROUPS: Readonly<Record<Suite, string>> = {
  bookworm: "CgroupPlugin=cgroup/v1\n",
  trixie: "CgroupPlugin=disabled\n",
};
