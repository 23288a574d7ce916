/**
 * What a run is made of: a stage each, what goes from one to the next, and the plan they come to.
 *
 * `wire.ts` puts the stages together, `run-once.ts` calls them.
 */

import type { Directory, User } from "../model/directory.ts";
import type { Drafts, PreviousDrafts, UserNews } from "../model/draft.ts";
import type { RecordVersions } from "../model/history.ts";
import type { NodeBefore, Observed } from "../model/observed.ts";
import type { Change, Plan, Removals } from "../model/plan.ts";
import type { Outcome, PullStatistics, RunRecord, Source } from "../model/report.ts";
import type { Validated } from "../validate/directory.ts";
import type { Decidable } from "./decisions.ts";
import type { SlurmStages } from "./slurm.ts";

/** What the IAM said, and a way to remember it once the node is in step with it. */
export interface PullResult {
  /** Both lists. Where the pull knew what is new, the rest is read when this is called first, which must be before `remember`, if at all. */
  readonly drafts: () => Promise<Drafts>;
  /** Everybody who is another than when this node was left in step, where nothing else is new; none where that is not known. */
  readonly news: readonly UserNews[];
  readonly statistics: PullStatistics;
  readonly previous: PreviousDrafts;
  /** Nothing else than what this node is known to be in step with. */
  readonly isOld: boolean;
  /** Which version of each record came; none where nothing came. */
  readonly versions: RecordVersions;
  readonly remember: () => Promise<void>;
}

/** The stages of a run, each with its settings already in it. */
export interface Stages {
  /** Whether the IAM is served, or what is remembered of it. */
  readonly source: Source;
  pull(signal: AbortSignal): Promise<PullResult>;
  observeBefore(): Promise<NodeBefore>;
  validate(drafts: Drafts, before: NodeBefore): Validated;
  /** For those of whom nothing is new but their keys; undefined where only a whole plan can tell. */
  planAhead(news: readonly UserNews[]): Promise<PlannedAhead | undefined>;
  observe(directory: Directory, before: NodeBefore): Promise<Observed>;
  plan(directory: Directory, observed: Observed): Plan;
  /** Why the fuse blows; undefined when it holds. */
  refusalOf(removals: Removals): string | undefined;
  /** Keeps every other sync of this node out until it is disposed of. */
  lock(): Promise<Disposable>;
  /** Writes down what is changed; stops nothing. */
  chronicle(of: Chronicled): Chronicle;
  apply(plan: Plan, signal: AbortSignal): Promise<readonly Outcome[]>;
  /** Keeps what this node was left with. */
  notePublished(outcomes: readonly Outcome[], observed: Observed): Promise<void>;
  /** Undefined where slurm.enabled is off. */
  readonly slurm: SlurmStages | undefined;
  /** The last record, where it still stands for all that has nothing to do with keys; undefined where a whole sync must tell. */
  lastRecord(): Promise<RunRecord | undefined>;
  /** Milliseconds that never jump. */
  monotonicMs(): number;
}

/** A plan with everything that led to it. Nothing has been touched yet. */
export interface Planned extends Decidable {
  readonly pulled: PullResult;
  readonly directory: Directory;
  /** Who could be served before the rules of access say who is. */
  readonly everybody: Validated["everybody"];
  readonly observed: Observed;
}

/** A plan for the keys of some people alone. */
export interface PlannedAhead {
  readonly users: readonly User[];
  readonly observed: Observed;
  readonly plan: Plan;
  /** A whole plan would have nothing else to do, and nothing else to tell. */
  readonly isAll: boolean;
}

/** What changes are explained by. */
export type Grounds = Pick<Planned, "pulled" | "directory" | "everybody" | "observed" | "plan" | "accepted">;

/** Whose changes are written down. */
export interface Chronicled extends Grounds {
  readonly source: Source;
  readonly hasAcceptedRemovals: boolean;
}

/** What is written down of one sync. */
export interface Chronicle {
  /** Before the first step: what is about to change. */
  begin(): Promise<void>;
  /** After the last step: what was not done. What failed before and was tried again in vain is not told twice. */
  end(outcomes: readonly Outcome[]): Promise<void>;
  /** What Slurm's part has changed, which nobody knew before. */
  add(changes: readonly Change[]): Promise<void>;
  /** Why something is missing in the history; undefined when nothing is. */
  gap(): string | undefined;
}
