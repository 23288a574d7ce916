/**
 * Slurm's part of a sync: after names, keys and homes are in place, and never in their way.
 *
 * In: whom this node serves. Out: what was changed, or why nothing could be; nothing is thrown.
 */

import { isDeepStrictEqual } from "node:util";
import { applySlurm, keepSlurmHoldings } from "../apply/slurm.ts";
import type { Directory } from "../model/directory.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { SlurmReport } from "../model/report.ts";
import type { ObservedSlurm, SlurmHolding, SlurmJob, SlurmPlan, SlurmUser } from "../model/slurm.ts";
import { observeJobs, observeSlurm } from "../observe/slurm.ts";
import { slurmRefusalOf } from "../plan/guard.ts";
import type { PlanSettings } from "../plan/settings.ts";
import { planSlurm } from "../plan/slurm.ts";
import { slurmHoldingsThere, sortedSlurmHoldings } from "../plan/slurm-owned.ts";
import { type SlurmSettings, wantedSlurm } from "../plan/slurm-wanted.ts";
import { createSlurmTools, type SlurmToolSettings, type SlurmTools } from "../platform/slurm.ts";
import { diffLineOf } from "../report/diff.ts";
import { idOfRemovals } from "./decisions.ts";

/** What Slurm's part takes from the configuration. */
export interface SlurmPart extends SlurmSettings, SlurmToolSettings {
  readonly cluster?: string | undefined;
  readonly guard: PlanSettings["guard"];
  readonly stateDirectory: string;
}

/** What would be changed, and who is in Slurm now. */
export interface SlurmLook extends SlurmReport {
  /** By name; empty where Slurm did not say. */
  readonly users: ReadonlyMap<string, SlurmUser>;
}

/** Slurm's part of a sync, with its settings already in it. */
export interface SlurmStages {
  /** Changes nothing. */
  look(directory: Directory): Promise<SlurmLook>;
  /** Changes it; `accepted` is the id of removals that a person has agreed to. */
  sync(directory: Directory, accepted: string | undefined, signal: AbortSignal): Promise<SlurmReport>;
}

/** Slurm's part under these settings. */
export function slurmStages(part: SlurmPart, monotonicMs: () => number): SlurmStages {
  const timed = async (act: (tools: SlurmTools) => Promise<Partial<SlurmLook>>): Promise<SlurmLook> => {
    const start = monotonicMs();
    const tools = createSlurmTools(part);
    const found = await act(tools).catch((error: unknown) => ({ failure: failureFor(error) }));
    const seconds = (monotonicMs() - start) / 1000;
    return {
      cluster: undefined,
      changes: [],
      problems: [],
      failure: undefined,
      users: new Map(),
      ...found,
      commands: tools.calls,
      seconds,
    };
  };
  return {
    look: (directory) =>
      timed(async (tools) => {
        const { observed, plan } = await decide(directory, part, tools);
        const { changes, problems } = plan;
        return {
          cluster: observed.cluster,
          users: observed.users,
          changes,
          problems,
          failure: removalsFailure(plan, part, undefined),
        };
      }),
    sync: (directory, accepted, signal) =>
      timed(async (tools) => {
        const decided = await decide(directory, part, tools);
        const failure = removalsFailure(decided.plan, part, accepted);
        return failure === undefined
          ? carryOut(decided, { directory, part, tools }, signal)
          : { cluster: decided.observed.cluster, problems: decided.plan.problems, failure };
      }),
  };
}

interface Decided {
  readonly observed: ObservedSlurm;
  readonly plan: SlurmPlan;
}

/** Asks for jobs only where somebody would leave an account. */
async function decide(
  directory: Directory,
  part: SlurmPart & { readonly knownJobs?: readonly SlurmJob[] },
  tools: SlurmTools,
): Promise<Decided> {
  const observed = await observeSlurm(part, tools);
  const wanted = wantedSlurm(directory, part, observed);
  const plan = planSlurm(wanted, observed, part);
  if (plan.left.length === 0) {
    return { observed, plan };
  }
  const where = { accounts: plan.left, cluster: observed.cluster, all: part.cancelJobs };
  const jobs = await observeJobs(where, tools);
  const withJobs = { ...observed, jobs: [...jobs, ...(part.knownJobs ?? [])] };
  return { observed: withJobs, plan: planSlurm(wanted, withJobs, part) };
}

/** Acts, and reads again: only what is there then was changed, and is Rollcall's. */
async function carryOut(
  { observed, plan }: Decided,
  around: { readonly directory: Directory; readonly part: SlurmPart; readonly tools: SlurmTools },
  signal: AbortSignal,
): Promise<Partial<SlurmReport>> {
  const { directory, part, tools } = around;
  const { cluster } = observed;
  const place = { cluster, stateDirectory: part.stateDirectory };
  const known = sortedSlurmHoldings([...slurmHoldingsThere(observed.holdings, observed), ...plan.holdings]);
  await keep(known, observed.holdings, place);
  if (plan.steps.length === 0) {
    return { cluster, problems: plan.problems };
  }
  const first = await applySlurm(plan.steps, { cluster, tools }, signal);
  // A job that was cancelled may take a while to end: whoever has one is kept until the next sync.
  const patient = { ...part, cancelJobs: false, knownJobs: first.jobs };
  let after = await decide(directory, patient, tools);
  let { refusals } = first;
  if (first.jobs.length > 0 && after.plan.steps.length > 0) {
    // Now that it is known whose jobs are in the way, the rest can be done.
    ({ refusals } = await applySlurm(after.plan.steps, { cluster, tools }, signal));
    after = await decide(directory, patient, tools);
  }
  await keep(slurmHoldingsThere(known, after.observed), known, place);
  const open = new Set(after.plan.changes.map((change) => JSON.stringify(change)));
  return {
    cluster,
    changes: plan.changes.filter((change) => !open.has(JSON.stringify(change))),
    problems: after.plan.problems,
    failure: after.plan.steps.length === 0 ? undefined : unfinished(refusals, after.plan),
  };
}

async function keep(
  holdings: readonly SlurmHolding[],
  before: readonly SlurmHolding[],
  place: { readonly cluster: string; readonly stateDirectory: string },
): Promise<void> {
  if (!isDeepStrictEqual(holdings, before)) {
    await keepSlurmHoldings(holdings, place);
  }
}

const NAMED = 3;

function unfinished(refusals: readonly string[], { changes }: SlurmPlan): Failure {
  const open = changes
    .slice(0, NAMED)
    .map(diffLineOf)
    .map(({ sign, what, name, detail }) => `${sign} ${what} ${name} ${detail}`);
  const more = changes.length > NAMED ? `, and ${changes.length - NAMED} more` : "";
  const why = refusals.length === 0 ? "" : ` ${refusals.join(" ")}`;
  return new Failure(
    "slurm-refused",
    `Slurm is not in step; this is still to be done: ${open.join(", ")}${more}.${why} Everything else was done, and the next sync tries again.`,
  );
}

function removalsFailure(
  plan: SlurmPlan,
  { guard }: SlurmPart,
  accepted: string | undefined,
): Failure | undefined {
  const refusal = slurmRefusalOf(plan, guard);
  const id = idOfRemovals(["slurm", plan.losers, goneAccounts(plan)]);
  return refusal === undefined || accepted === id
    ? undefined
    : new Failure(
        "slurm-removals-refused",
        `Slurm was left as it is, because ${refusal}. If the IAM and slurm.accounts are right, look at everything with "rollcall plan" ` +
          `and run "rollcall sync --accept-removals ${id}", which lets exactly this through.`,
      );
}

function goneAccounts({ steps }: SlurmPlan): string[] {
  return steps.flatMap((step) => (step.kind === "remove-account" ? [step.account] : []));
}

function failureFor(error: unknown): Failure {
  return error instanceof Failure
    ? error
    : new Failure("slurm-refused", `Slurm's part of the sync could not be done: ${messageOf(error)}.`, {
        cause: error,
      });
}
