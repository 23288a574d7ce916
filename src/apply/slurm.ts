/**
 * Carries out a plan for Slurm: each step is one command of sacctmgr(1), and the list of what is Rollcall's is kept before
 * anything is made, so that nothing of ours is ever taken for somebody else's.
 */

import { activeJobsQuery, jobsInRefusal, parseJobs } from "../formats/sacctmgr.ts";
import { renderSlurmHoldings, slurmHoldingsFile } from "../formats/slurm-holdings.ts";
import { Failure } from "../model/failure.ts";
import type { SlurmAccountSettings, SlurmHolding, SlurmJob, SlurmStep } from "../model/slurm.ts";
import { systemClock } from "../platform/clock.ts";
import { writePrivate } from "../platform/private-files.ts";
import type { SlurmTools } from "../platform/slurm.ts";

/** Where the steps are carried out. */
export interface SlurmTarget {
  readonly cluster: string;
  readonly tools: SlurmTools;
}

/** What did not work. */
export interface SlurmRefusals {
  /** In words. */
  readonly refusals: readonly string[];
  /** Jobs for whose sake somebody was left where they are. */
  readonly jobs: readonly SlurmJob[];
}

/**
 * A command that Slurm refuses stops no other, but that no account is removed then: Slurm takes along what is still in it,
 * and 24.11 hangs from then on when accounts below it are left.
 */
export async function applySlurm(
  steps: readonly SlurmStep[],
  target: SlurmTarget,
  signal: AbortSignal,
): Promise<SlurmRefusals> {
  const refusals: string[] = [];
  const jobs: SlurmJob[] = [];
  for (const step of steps) {
    if (signal.aborted) {
      throw new Failure(
        "stopped",
        "Stopped by a signal while Slurm was changed; the next sync does the rest.",
      );
    }
    if (step.kind === "remove-account" && refusals.length + jobs.length > 0) {
      continue;
    }
    const refused = await carryOutForMost(step, target, signal);
    refusals.push(...refused.refusals);
    jobs.push(...refused.jobs);
  }
  return { refusals, jobs };
}

/** Each time some of the users have jobs that nobody knew of, the others are tried without them. */
async function carryOutForMost(
  step: SlurmStep,
  target: SlurmTarget,
  signal: AbortSignal,
): Promise<SlurmRefusals> {
  try {
    await carryOut(step, target, signal);
    return { refusals: [], jobs: [] };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "slurm-refused") {
      throw error;
    }
    const jobs = typeof error.cause === "string" ? jobsInRefusal(error.cause) : [];
    if (jobs.length === 0 || !("users" in step)) {
      return { refusals: [error.message], jobs: [] };
    }
    const busy = new Set(jobs.map(({ user }) => user));
    const users = step.users.filter((user) => !busy.has(user));
    if (users.length === step.users.length) {
      return { refusals: [error.message], jobs: [] };
    }
    const rest =
      users.length === 0
        ? { refusals: [], jobs: [] }
        : await carryOutForMost({ ...step, users }, target, signal);
    return { refusals: rest.refusals, jobs: [...jobs, ...rest.jobs] };
  }
}

/** Keeps the list of what is Rollcall's in one cluster. */
export async function keepSlurmHoldings(
  holdings: readonly SlurmHolding[],
  { cluster, stateDirectory }: { readonly cluster: string; readonly stateDirectory: string },
): Promise<void> {
  await writePrivate(stateDirectory, slurmHoldingsFile(cluster), renderSlurmHoldings(holdings));
}

/** scancel(1) asks for an end, and slurmdbd hears of it some seconds later. */
const LOOKS = 15;
const LOOK_EVERY_MS = 1000;

async function cancelJobs(
  jobs: readonly SlurmJob[],
  { cluster, tools }: SlurmTarget,
  signal: AbortSignal,
): Promise<void> {
  const ids = jobs.map(({ id }) => id);
  await tools.call("scancel", [`--clusters=${cluster}`, ...ids]);
  const query = activeJobsQuery([...new Set(jobs.map(({ account }) => account))], cluster);
  for (let looks = 0; looks < LOOKS; looks += 1) {
    await systemClock.sleep(LOOK_EVERY_MS, signal);
    const active = parseJobs(await tools.call("sacct", query));
    if (!active.some(({ id }) => ids.includes(id))) {
      return;
    }
  }
}

async function carryOut(step: SlurmStep, target: SlurmTarget, signal: AbortSignal): Promise<void> {
  const { cluster, tools } = target;
  if (step.kind === "cancel-jobs") {
    await cancelJobs(step.jobs, target, signal);
    return;
  }
  await tools.call("sacctmgr", ["--immediate", ...wordsOf(step, `cluster=${cluster}`)]);
}

function wordsOf(step: Exclude<SlurmStep, { kind: "cancel-jobs" }>, cluster: string): string[] {
  switch (step.kind) {
    case "add-account": {
      const name = `name=${step.account}`;
      return ["add", "account", name, cluster, "description=made by rollcall", ...settingsOf(step.settings)];
    }
    case "modify-account":
      return [
        "modify",
        "account",
        "where",
        `name=${step.account}`,
        cluster,
        "set",
        ...settingsOf(step.settings),
      ];
    case "remove-account":
      // Without the cluster the account itself goes too, and not only its place in this one.
      return ["delete", "account", "where", `name=${step.account}`, ...(step.isElsewhere ? [cluster] : [])];
    case "add-users":
      return ["add", "user", namesOf(step), `account=${step.account}`, cluster];
    case "remove-users":
      return ["delete", "user", "where", namesOf(step), `account=${step.account}`, cluster];
    case "set-default":
      return ["modify", "user", "where", namesOf(step), cluster, "set", `defaultaccount=${step.account}`];
    case "set-level":
      return ["modify", "user", "where", namesOf(step), "set", `adminlevel=${step.level}`];
    case "remove-records":
      return ["delete", "user", "where", namesOf(step)];
  }
}

function namesOf({ users }: { readonly users: readonly string[] }): string {
  return `name=${users.join(",")}`;
}

function settingsOf({ parent, fairshare, qos, defaultQos }: SlurmAccountSettings): string[] {
  return [
    ...(parent === undefined ? [] : [`parent=${parent}`]),
    ...(fairshare === undefined ? [] : [`fairshare=${fairshare}`]),
    ...(qos === undefined ? [] : [`qos=${qos.join(",")}`]),
    ...(defaultQos === undefined ? [] : [`defaultqos=${defaultQos}`]),
  ];
}
