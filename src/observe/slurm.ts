/**
 * What Slurm's accounting has for one cluster, and which of it Rollcall made.
 *
 * Every read is one table of sacctmgr(1), so that ten thousand users cost as many calls as ten.
 */

import {
  activeJobsQuery,
  parseJobs,
  parseNames,
  parseRows,
  queuedJobsQuery,
  strangeRows,
} from "../formats/sacctmgr.ts";
import { parseSlurmHoldings, slurmHoldingsFile } from "../formats/slurm-holdings.ts";
import { Failure } from "../model/failure.ts";
import { nearest } from "../model/nearest.ts";
import { quoted } from "../model/quoted.ts";
import type { ObservedSlurm, SlurmAccount, SlurmJob, SlurmUser } from "../model/slurm.ts";
import { observeFile } from "../platform/files.ts";
import { readKept } from "../platform/private-files.ts";
import type { SlurmTools } from "../platform/slurm.ts";

/** What to look at. */
export interface SlurmPlace {
  /** Undefined: the only one there is. */
  readonly cluster?: string | undefined;
  readonly stateDirectory: string;
}

const TABLE = ["--noheader", "--parsable2", "--readonly"];

/** Throws a Failure when Slurm cannot be asked, or has no such cluster. */
export async function observeSlurm(place: SlurmPlace, tools: SlurmTools): Promise<ObservedSlurm> {
  const show = (...args: string[]) => tools.call("sacctmgr", [...TABLE, "show", ...args]);
  const cluster = clusterIn(await show("cluster", "format=cluster"), place.cluster);
  const table = await show("assoc", "format=cluster,account,user,partition,share,parentname,defaultqos,qos");
  const people = await show("user", "withassoc", "format=user,cluster,defaultaccount,adminlevel");
  const qos = parseRows(await show("qos", "format=name"), 1).map(([name = ""]) => name);
  const associations = parseRows(table, ASSOCIATION_FIELDS);
  const users = parseRows(people, USER_FIELDS);
  refuseHalf({ associations, users, qos, cluster });
  return {
    cluster,
    accounts: accountsIn(associations, cluster),
    users: usersIn({ users, associations, cluster }),
    qos: new Set(qos),
    unreadable: [...strangeRows(table, ASSOCIATION_FIELDS), ...strangeRows(people, USER_FIELDS)],
    ...(await observeHoldings(place.stateDirectory, slurmHoldingsFile(cluster))),
    jobs: [],
  };
}

async function observeHoldings(
  directory: string,
  name: string,
): Promise<Pick<ObservedSlurm, "holdings" | "forgot">> {
  const bytes = await readKept(directory, name);
  if (bytes === undefined) {
    return { holdings: [], forgot: (await observeFile(`${directory}/${name}`)) !== undefined };
  }
  const holdings = parseSlurmHoldings(bytes);
  return { holdings: holdings ?? [], forgot: holdings === undefined };
}

/** An answer that lacks what every cluster has, or says one thing twice, is not believed: what is missing in it would be forgotten. */
function refuseHalf({
  associations,
  users,
  qos,
  cluster,
}: Tables & { readonly qos: readonly string[] }): void {
  const keys = associations.map((row) => row.slice(0, 4).join("|"));
  const seen = new Set<string>();
  const twice = keys.find((key) => seen.size === seen.add(key).size);
  const known = new Set(users.map(([user]) => user));
  const stranger = associations.find(([, , user]) => user !== "" && !known.has(user));
  const hasRoot = new Set(keys).has(`${cluster}|root||`);
  if (hasRoot && qos.length > 0 && twice === undefined && stranger === undefined) {
    return;
  }
  const what =
    twice !== undefined
      ? `it has ${quoted(twice)} twice; has somebody made a name with a line break in it?`
      : stranger !== undefined
        ? `it has an association of ${quoted(stranger[2])} and no such user`
        : "it lacks the account root or every QOS";
  throw new Failure(
    "slurm-refused",
    `Slurm was left as it is: its answer cannot be right, ${what}. Look at "sacctmgr show assoc".`,
  );
}

interface Tables {
  readonly associations: readonly string[][];
  readonly users: readonly string[][];
  readonly cluster: string;
}

const ASSOCIATION_FIELDS = 8;
const USER_FIELDS = 4;

/** A cluster's name becomes part of a file's. */
const CLUSTER_NAME = /^[\w-]{1,40}$/;

function clusterIn(table: string, wanted: string | undefined): string {
  const names = parseRows(table, 1)
    .map(([name = ""]) => name)
    .filter((name) => CLUSTER_NAME.test(name));
  if (names.length === 0) {
    throw new Failure(
      "slurm-unanswered",
      'Slurm was left as it is: it named no cluster at all. Look at "sacctmgr show cluster"; a new slurmdbd needs "sacctmgr add cluster NAME" first.',
    );
  }
  const [first] = names;
  const found = wanted === undefined && names.length === 1 ? first : names.find((name) => name === wanted);
  if (found !== undefined) {
    return found;
  }
  const meant = wanted === undefined ? undefined : nearest(wanted, names);
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  const what =
    wanted === undefined ? "slurm.cluster does not say which one is meant" : `slurm.cluster is "${wanted}"`;
  throw new Failure(
    "slurm-cluster-unknown",
    `Slurm was left as it is: slurmdbd has the clusters ${names.join(", ")}, and ${what}.${hint} Correct slurm.cluster, or add the cluster with sacctmgr.`,
  );
}

function accountsIn(rows: readonly string[][], cluster: string): Map<string, SlurmAccount> {
  const all = rows.filter(([, , user]) => user === "");
  const own = all.filter(([where]) => where === cluster);
  const elsewhere = new Set(all.filter(([where]) => where !== cluster).map(([, account]) => account));
  return new Map(
    own.map(([, account = "", , , fairshare = "", parent = "", defaultQos = "", qos = ""]) => [
      account,
      { parent, fairshare, defaultQos, qos: parseNames(qos), isElsewhere: elsewhere.has(account) },
    ]),
  );
}

function usersIn({ users, associations, cluster }: Tables): Map<string, SlurmUser> {
  const byUser = Map.groupBy(associations, ([, , user = ""]) => user);
  const records = Map.groupBy(users, ([user = ""]) => user);
  return new Map(
    [...records].map(([user, rows]) => {
      const here = (byUser.get(user) ?? []).filter(([where]) => where === cluster);
      const partitioned = here.filter(([, , , partition]) => partition !== "");
      const found = rows.find(([, where]) => where === cluster) ?? rows.find(([, where]) => where === "");
      return [
        user,
        {
          defaultAccount: found?.[2] ?? "",
          adminLevel: rows[0]?.[3] ?? "None",
          accounts: new Set(here.map(([, account = ""]) => account)),
          partitioned: new Set(partitioned.map(([, account = ""]) => account)),
          isElsewhere: (byUser.get(user) ?? []).some(([where]) => where !== cluster),
        },
      ];
    }),
  );
}

/**
 * The jobs in these accounts that have not ended, as slurmdbd knows them: it is slurmdbd that would refuse. Those that are
 * held it does not show; `all` asks slurmctld for them, too.
 */
export async function observeJobs(
  {
    accounts,
    cluster,
    all,
  }: { readonly accounts: readonly string[]; readonly cluster: string; readonly all: boolean },
  tools: SlurmTools,
): Promise<SlurmJob[]> {
  const kept = parseJobs(await tools.call("sacct", activeJobsQuery(accounts, cluster)));
  const queued = all ? parseJobs(await tools.call("squeue", queuedJobsQuery(accounts, cluster))) : [];
  const byId = new Map([...queued, ...kept].map((job) => [job.id, job]));
  return [...byId.values()];
}
