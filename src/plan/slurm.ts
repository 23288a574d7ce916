/**
 * What must change in Slurm's accounting.
 *
 * In: what should be there, and what is. Out: commands in their order, what they mean, and what will be Rollcall's. Only
 * what Rollcall made, or was told to adopt, is changed or taken away; whoever has a job that has not ended stays in its
 * account until it has.
 */

import type { Change } from "../model/plan.ts";
import type { ObservedSlurm, SlurmHolding, SlurmJob, SlurmPlan, SlurmStep } from "../model/slurm.ts";
import { type AccountsPlan, planAccounts } from "./slurm-accounts.ts";
import { type LevelChange, planLevels } from "./slurm-levels.ts";
import { ownedSlurm } from "./slurm-owned.ts";
import {
  type DefaultChange,
  planDefaults,
  planPlaces,
  recordsLeft,
  type SlurmPlace,
  usersLeaving,
} from "./slurm-places.ts";
import { FORGOTTEN, keptByJobs, keptByOthers, unreadableRows } from "./slurm-problems.ts";
import type { SlurmSettings, WantedSlurm } from "./slurm-wanted.ts";

/** Plans for the jobs that were observed; `left` says in which accounts they must be. */
export function planSlurm(wanted: WantedSlurm, observed: ObservedSlurm, settings: SlurmSettings): SlurmPlan {
  const owned = ownedSlurm(wanted, observed, settings);
  const places = planPlaces(wanted, observed, owned);
  const jobs = Map.groupBy(observed.jobs, keyOf);
  const jobsOf = (place: SlurmPlace) => jobs.get(keyOf(place)) ?? [];
  const isKept = (place: SlurmPlace) => !settings.cancelJobs && jobsOf(place).length > 0;
  const kept = places.removed.filter(isKept);
  const removed = places.removed.filter((place) => !isKept(place));
  const levels = planLevels(wanted, observed, owned);
  const parts: Parts = {
    added: places.added,
    removed,
    accounts: planAccounts(wanted, observed, { owned, removed }),
    defaults: planDefaults({ wanted, observed, owned, removed }),
    levels: levels.changes,
    records: observed.unreadable.length > 0 ? [] : recordsLeft({ wanted, observed, owned, removed }),
    jobs: settings.cancelJobs ? removed.flatMap(jobsOf) : [],
  };
  return {
    steps: stepsOf(parts, wanted, observed),
    changes: changesOf(parts),
    problems: [
      ...wanted.problems,
      ...parts.accounts.problems,
      ...levels.problems,
      ...kept.map((place) => keptByJobs(place, jobsOf(place))),
      ...places.bound.map(keptByOthers),
      ...(observed.forgot ? [FORGOTTEN] : []),
      ...unreadableRows(observed),
    ],
    holdings: [...owned.adopted, ...holdingsOf(parts, wanted, observed)],
    losers: [...usersLeaving(places.removed, wanted, observed)].sort(),
    holders: [...observed.users].filter(([user, { accounts }]) =>
      [...accounts].some((account) => owned.has({ kind: "association", user, account })),
    ).length,
    lostAccounts: parts.accounts.remove.length,
    madeAccounts: parts.accounts.made,
    left: [...new Set(places.removed.map(({ account }) => account))],
  };
}

/** What is ours has no blank in its names, so nothing else has the same key. */
function keyOf({ user, account }: SlurmPlace): string {
  return `${user} ${account}`;
}

interface Parts {
  readonly added: readonly SlurmPlace[];
  readonly removed: readonly SlurmPlace[];
  readonly accounts: AccountsPlan;
  readonly defaults: readonly DefaultChange[];
  readonly levels: readonly LevelChange[];
  readonly records: readonly string[];
  readonly jobs: readonly SlurmJob[];
}

/**
 * Takes away first what gives power, and gives it last; between them, each command finds what it builds on. Whoever leaves
 * for good goes before anybody comes: Slurm 24.11 tells people apart by uid, and a new name may have an old uid.
 */
function stepsOf(parts: Parts, wanted: WantedSlurm, observed: ObservedSlurm): SlurmStep[] {
  const { placements } = wanted;
  const { users } = observed;
  const { added, removed, accounts, defaults, levels, records, jobs } = parts;
  const isFirst = ({ user, account }: SlurmPlace) =>
    (users.get(user)?.accounts.size ?? 0) === 0 && placements.get(user)?.[0] === account;
  const isNotDefault = ({ user, account }: SlurmPlace) => users.get(user)?.defaultAccount !== account;
  const leaving = usersLeaving(removed, wanted, observed);
  const forgotten = new Set(records);
  const leftovers = removed.filter(({ user }) => leaving.has(user) && !forgotten.has(user));
  return [
    ...levelSteps(levels.filter(({ level }) => level === "None")),
    ...(jobs.length === 0 ? [] : [{ kind: "cancel-jobs", jobs } as const]),
    ...chunksOf(records, RECORDS_BATCH).map((users) => ({ kind: "remove-records", users }) as const),
    // Slurm takes nobody out of their default account while they have others.
    ...batches("remove-users", leftovers.filter(isNotDefault), SMALL_BATCH),
    ...batches(
      "remove-users",
      leftovers.filter((place) => !isNotDefault(place)),
      SMALL_BATCH,
    ),
    ...accounts.add,
    ...accounts.modify,
    ...batches("add-users", added.filter(isFirst)),
    ...batches(
      "add-users",
      added.filter((place) => !isFirst(place)),
    ),
    ...batches("set-default", defaults),
    ...batches(
      "remove-users",
      removed.filter(({ user }) => !leaving.has(user)),
    ),
    ...accounts.remove,
    ...levelSteps(levels.filter(({ level }) => level !== "None")),
  ];
}

/** Users for one command: a slow database is done with them long before slurm.timeout. */
const BATCH = 250;

/** A record goes with all its places: on a machine that had more to do, 250 took a database longer than ten seconds. */
const RECORDS_BATCH = 50;

/** For each user who loses their last account without their record, Slurm 24.11 takes longer than for the one before. */
const SMALL_BATCH = 20;

function batches(
  kind: "add-users" | "remove-users" | "set-default",
  places: readonly SlurmPlace[],
  size = BATCH,
): SlurmStep[] {
  const byAccount = Map.groupBy(places, ({ account }) => account);
  return [...byAccount].flatMap(([account, all]) =>
    chunksOf(
      all.map(({ user }) => user),
      size,
    ).map((users) => ({ kind, account, users })),
  );
}

function levelSteps(levels: readonly LevelChange[]): SlurmStep[] {
  const byLevel = Map.groupBy(levels, ({ level }) => level);
  return [...byLevel].flatMap(([level, all]) =>
    chunksOf(
      all.map(({ user }) => user),
      BATCH,
    ).map((users) => ({ kind: "set-level", level, users }) as const),
  );
}

function chunksOf(users: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(users.length / size) }, (_, nth) =>
    users.slice(nth * size, (nth + 1) * size),
  );
}

function changesOf({ accounts, added, removed, defaults, levels, jobs }: Parts): Change[] {
  return [
    ...accounts.changes,
    ...added.map((place) => ({ event: "slurm-user-added", ...place }) as const),
    ...removed.map((place) => ({ event: "slurm-user-removed", ...place }) as const),
    ...defaults.map(
      ({ user, account, before }) =>
        ({ event: "slurm-default-changed", user, before, after: account }) as const,
    ),
    ...levels.map(
      ({ user, level, before }) => ({ event: "slurm-level-changed", user, before, after: level }) as const,
    ),
    ...jobs.map(
      ({ id, user, account }) => ({ event: "slurm-job-cancelled", job: id, user, account }) as const,
    ),
  ];
}

function holdingsOf(
  { accounts, added, defaults, levels }: Parts,
  { placements }: WantedSlurm,
  { users }: ObservedSlurm,
): SlurmHolding[] {
  const newcomers = [...placements].filter(([user]) => (users.get(user)?.accounts.size ?? 0) === 0);
  return [
    ...accounts.add.map(({ account }) => ({ kind: "account", account }) as const),
    ...added.map((place) => ({ kind: "association", ...place }) as const),
    ...newcomers.flatMap(([user, [account = ""]]): SlurmHolding[] => [
      ...(users.has(user) ? [] : [{ kind: "user", user } as const]),
      { kind: "default", user, account },
    ]),
    ...defaults.map(({ user, account }) => ({ kind: "default", user, account }) as const),
    ...levels
      .filter(({ level }) => level !== "None")
      .map(({ user, level }) => ({ kind: "level", user, level }) as const),
  ];
}
