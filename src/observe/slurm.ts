/**
 * What Slurm's accounting has for one cluster, and which of it Rollcall made.
 *
 * Every read is one table of sacctmgr(1), so that ten thousand users cost as many calls as ten.
 */

import { activeJobsQuery, parseJobs, parseNames, parseRows } from "../formats/sacctmgr.ts";
import { parseSlurmHoldings, slurmHoldingsFile } from "../formats/slurm-holdings.ts";
import { Failure } from "../model/failure.ts";
import { nearest } from "../model/nearest.ts";
import type { ObservedSlurm, SlurmAccount, SlurmJob, SlurmUser } from "../model/slurm.ts";
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
  const associations = parseRows(
    await show("assoc", "format=cluster,account,user,partition,share,parentname,defaultqos,qos"),
    ASSOCIATION_FIELDS,
  );
  const users = parseRows(
    await show("user", "withassoc", "format=user,cluster,defaultaccount,adminlevel"),
    USER_FIELDS,
  );
  const qos = parseRows(await show("qos", "format=name"), 1).map(([name = ""]) => name);
  const bytes = await readKept(place.stateDirectory, slurmHoldingsFile(cluster));
  const holdings = bytes === undefined ? [] : parseSlurmHoldings(bytes);
  return {
    cluster,
    accounts: accountsIn(associations, cluster),
    users: usersIn({ users, associations, cluster }),
    qos: new Set(qos),
    holdings: holdings ?? [],
    forgot: holdings === undefined,
    jobs: [],
  };
}

const ASSOCIATION_FIELDS = 8;
const USER_FIELDS = 4;

/** A cluster's name becomes part of a file's. */
const CLUSTER_NAME = /^[\w-]{1,40}$/;

function clusterIn(table: string, wanted: string | undefined): string {
  const names = parseRows(table, 1)
    .map(([name = ""]) => name)
    .filter((name) => CLUSTER_NAME.test(name));
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
    `Slurm was left as it is: slurmdbd has the clusters ${names.join(", ") || "(none)"}, and ${what}.${hint} Correct slurm.cluster, or add the cluster with sacctmgr.`,
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

function usersIn({
  users,
  associations,
  cluster,
}: {
  readonly users: readonly string[][];
  readonly associations: readonly string[][];
  readonly cluster: string;
}): Map<string, SlurmUser> {
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

/** The jobs in these accounts that have not ended, as slurmdbd knows them: it is slurmdbd that would refuse. */
export async function observeJobs(
  accounts: readonly string[],
  cluster: string,
  tools: SlurmTools,
): Promise<SlurmJob[]> {
  return parseJobs(await tools.call("sacct", activeJobsQuery(accounts, cluster)));
}
