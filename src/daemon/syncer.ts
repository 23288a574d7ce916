/**
 * How the daemon syncs: asks whether anything is new, and only then starts a sync, as a process of its own.
 *
 * A process gives its memory back when it ends, can die without taking the daemon along, and can hang on a file
 * system without making it deaf. What it does is what `rollcall sync` does by hand.
 */

import type { Settings } from "../config/settings.ts";
import { isIdle, isWhole, type RunRecord, type TurnResult } from "../model/report.ts";
import { servesSomebody } from "../observe/caches.ts";
import { observeFootprint, watchFootprint } from "../observe/footprint.ts";
import type { Command, Finished } from "../platform/child.ts";
import { underRoot } from "../platform/files.ts";
import type { TouchWatch } from "../platform/watch.ts";
import type { AskedBy } from "../report/status.ts";
import { type Asking, remembersSomething } from "../source/remembered.ts";
import type { Asked } from "./decisions.ts";
import { createNews, type News, type OnDistrust, wayOf } from "./news.ts";
import { type InStepWith, type Surroundings, sourceSettings } from "./surroundings.ts";
import { failureOf, resultOf, STOPPED } from "./sync-result.ts";
import type { Answer } from "./wire-probe.ts";

/** What a syncer is made of. */
export interface SyncerParts {
  readonly around: Surroundings;
  /** The command line that syncs once and prints a record as JSON, or that there is nothing new to lists of this digest. */
  readonly command: (asked: Asked, inStepWith: InStepWith | undefined) => Command;
  readonly runToEnd: (command: Command, signal: AbortSignal) => Promise<Finished>;
  readonly onDistrust: OnDistrust;
}

/** Syncs one at a time. */
export interface Syncer {
  /** On schedule when nothing is asked for: then a node in step with an IAM without news costs a few requests. */
  turn(settings: Settings, asked: Asked | undefined, signal: AbortSignal): Promise<TurnResult>;
  /** Whether a sync from memory would do any good: somebody has touched the node, or its keys are due to be locked. */
  mayFallBack(settings: Settings, ageMs: number | undefined): Promise<boolean>;
  usersAreInPlace(settings: Settings): Promise<boolean>;
  /** How the IAM is asked whether anything is new; undefined for lists on disk, and while the node is not known to be in step. */
  askedBy(): AskedBy | undefined;
}

/** A node that was left in step: by which settings, when, how it looked, and what the IAM had said. */
interface Rest {
  readonly settings: Settings;
  readonly since: number;
  readonly footprint: string;
  readonly asking: Asking;
  readonly source: RunRecord["source"];
  /** Tells when it is worth looking at the node again. */
  readonly touches: TouchWatch;
  isTouched: boolean;
  /** Nothing stands in the way of a home: such things mend themselves without leaving a trace here. */
  readonly isSettled: boolean;
}

/** What is known of the node, and of how the IAM is asked. */
interface State {
  rest: Rest | undefined;
  readonly news: News;
}

/** Makes one that knows nothing of this node yet. */
export function createSyncer(parts: SyncerParts): Syncer {
  const { around } = parts;
  const state: State = { rest: undefined, news: createNews(around, parts.onDistrust) };

  return {
    async turn(settings, asked, signal) {
      try {
        return await takeTurn({ parts, state }, { settings, asked }, signal);
      } catch (error) {
        return { kind: "failed", failure: failureOf(error, signal) };
      }
    },
    async mayFallBack(settings, ageMs) {
      const { rest } = state;
      const { lockAfter } = settings.stale;
      const isDue = lockAfter !== undefined && ageMs !== undefined && ageMs > lockAfter;
      if (!(await remembersSomething(sourceSettings(settings, around.root)))) {
        return false;
      }
      return (
        rest === undefined || (await isTouched(rest, settings, around)) || (isDue && rest.source !== "locked")
      );
    },
    usersAreInPlace: ({ caches }) => servesSomebody(underRoot(around.root, caches.directory)),
    askedBy: () => (state.rest?.settings.iam.source === "scim" ? wayOf(state.rest.asking) : undefined),
  };
}

async function takeTurn(
  { parts, state }: { readonly parts: SyncerParts; readonly state: State },
  { settings, asked }: { readonly settings: Settings; readonly asked: Asked | undefined },
  signal: AbortSignal,
): Promise<TurnResult> {
  const { around } = parts;
  const { news } = state;
  const resting = asked === undefined ? await stillAtRest(state.rest, settings, around) : undefined;
  const answer = resting && (await news.ask(resting.asking, settings, signal));
  if (answer?.isUnchanged === true) {
    return { kind: "unchanged", pull: answer.statistics };
  }
  const finished = await parts.runToEnd(
    parts.command(asked ?? {}, resting && inStepWithOf(resting, answer)),
    signal,
  );
  const result = resultOf(finished);
  if (result.kind === "failed" && result.failure.code === "unexpected" && signal.aborted) {
    return { kind: "failed", failure: STOPPED };
  }
  if (result.kind === "unchanged" && resting !== undefined) {
    const after = { settings, source: "iam", vainly: resting.asking } as const;
    state.rest = { ...resting, asking: await news.settle(after, signal) };
  }
  // Whatever a run that failed has changed, the next look at the node tells.
  if (result.kind === "done") {
    const { record } = result;
    const { rest } = state;
    if (answer === undefined && rest?.settings === settings && foundSomething(record)) {
      await news.review(rest.asking, settings, signal);
    }
    rest?.touches[Symbol.dispose]();
    state.rest = undefined;
    if (isWhole(record)) {
      const left = await restAfter(record, settings, around);
      const since = sinceWhen(record, { resting, left });
      state.rest = { ...left, since, asking: await news.settle({ settings, source: record.source }, signal) };
    }
  }
  return result;
}

/** Every schedule.fullEvery all of the node is looked at, and everything of an IAM without ETags, however often little changes. */
function sinceWhen(
  { isOfKeys, pull }: RunRecord,
  { resting, left }: { readonly resting: Rest | undefined; readonly left: Pick<Rest, "since"> },
): Rest["since"] {
  const isPartial = isOfKeys === true || pull.isOfLatest === true;
  return isPartial && resting !== undefined ? resting.since : left.since;
}

/** The node at rest, while it may stay so without a look at everything. */
async function stillAtRest(
  rest: Rest | undefined,
  settings: Settings,
  around: Surroundings,
): Promise<Rest | undefined> {
  const mayLast = rest !== undefined && mayStayAtRest(rest, settings, around.clock.monotonicMs());
  return mayLast && !(await isTouched(rest, settings, around)) ? rest : undefined;
}

/** The lists that the node is known to be in step with. A list on disk that changed is looked at whole. */
function inStepWithOf(
  { asking: { digest, marks }, settings }: Rest,
  answer: Answer | undefined,
): InStepWith | undefined {
  const changedPages = answer?.changedPages;
  return settings.iam.source === "file"
    ? undefined
    : { digest, isAskedByTimes: marks !== undefined, changedPages };
}

/** Whether a sync had to do something, and did it for this IAM. */
function foundSomething(record: RunRecord): boolean {
  return record.source === "iam" && isWhole(record) && !isIdle(record);
}

function mayStayAtRest(
  { settings: then, since, source, isSettled }: Rest,
  settings: Settings,
  now: number,
): boolean {
  return (
    settings === then && isSettled && isProven(settings, source) && now - since < settings.schedule.fullEvery
  );
}

/** A 304 confirms what is remembered; a list on disk that could not be read confirms nothing. */
function isProven({ iam }: Settings, source: Rest["source"]): boolean {
  return source === "iam" || (source === "memory" && iam.source === "scim");
}

/** The kernel tells when to look; each look costs ten thousand calls of lstat(2). Once touched, so until the next sync. */
async function isTouched(rest: Rest, settings: Settings, around: Surroundings): Promise<boolean> {
  if (!rest.isTouched && (settings.iam.source === "file" || rest.touches.wasTouched())) {
    rest.isTouched = (await footprintUnder(settings, around)) !== rest.footprint;
  }
  return rest.isTouched;
}

/** After a sync that left the node in step. */
async function restAfter(
  record: RunRecord,
  settings: Settings,
  around: Surroundings,
): Promise<Omit<Rest, "asking">> {
  const { source, problems } = record;
  return {
    touches: watchFootprint({ ...settings, root: around.root }),
    isTouched: false,
    settings,
    since: around.clock.monotonicMs(),
    footprint: await footprintUnder(settings, around),
    source,
    isSettled: !problems.some(({ code }) => code === "home-parent" || code === "home-blocked"),
  };
}

/** Of the node, and of the lists on disk where they are what is synced from. */
function footprintUnder(settings: Settings, { root }: Surroundings): Promise<string> {
  const { iam } = settings;
  return observeFootprint(
    { ...settings, root },
    iam.source === "file" ? [iam.usersFile, iam.groupsFile] : [],
  );
}
