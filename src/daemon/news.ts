/**
 * Finds out whether the IAM has anything new, and whether the way it is asked can be trusted.
 *
 * In: what the last pull left to ask with. Out: yes or no. ETags are trusted. Totals and times are proven first: right after a sync the
 * answers are known, so a server that gives others is not asked that way until the next sync, and after a few never again.
 */

import type { Settings } from "../config/settings.ts";
import { Failure } from "../model/failure.ts";
import type { PullStatistics } from "../model/report.ts";
import { type Asking, recallAsking } from "../source/remembered.ts";
import { type Probing, probe, type Surroundings, sourceSettings } from "./wire-source.ts";

/** Asks one IAM for the life of a daemon. */
export interface News {
  /** What to ask with from now on; to be called when a sync has left the node in step. */
  settle(settings: Settings, signal: AbortSignal): Promise<Asking>;
  /** Whether nothing is new, and what it took to ask. */
  ask(asking: Asking, settings: Settings, signal: AbortSignal): Promise<Answer>;
  /** To be called when a sync that nobody told of a change had something to do: would asking have told of what the IAM says now? */
  review(asking: Asking, settings: Settings, signal: AbortSignal): Promise<void>;
}

/** What the IAM said. */
export interface Answer {
  readonly isUnchanged: boolean;
  readonly statistics: PullStatistics;
}

/** What is known of how a server answers. */
interface Trust {
  readonly iam: Settings["iam"];
  least: (typeof LEAST)[number];
  /** Answers that were not those of the sync before, one after the other. */
  wrong: number;
  isLost: boolean;
}

const LOST_AFTER = 3;
const WRONG = `${LOST_AFTER} times its totals and meta.lastModified were not those of the sync before`;
const MISSED = "a sync found a change that its totals and meta.lastModified did not show";
/** What to ask for where only the total matters; some servers reject the first, or take it for "all". */
const LEAST = [0, 1] as const;
const NOTHING: Asking = { digest: "", etags: {}, marks: undefined };

/** Tells once that an IAM is not asked by totals and times any more. */
export function createNews(around: Surroundings, onDistrust: (why: string) => void): News {
  let trust: Trust | undefined;
  const trustFor = ({ iam }: Settings) => {
    trust = trust?.iam === iam ? trust : { iam, least: 0, wrong: 0, isLost: false };
    return trust;
  };
  const recall = (settings: Settings) => recallAsking(sourceSettings(settings, around.root));
  const ask: News["ask"] = (asking, settings, signal) =>
    probe({ settings, asking, least: trustFor(settings).least }, around, signal);

  return {
    ask,
    async settle(settings, signal) {
      const asking = (await recall(settings)) ?? NOTHING;
      const now = trustFor(settings);
      if (!mayAskByTimes(asking, settings) || now.isLost) {
        return { ...asking, marks: undefined };
      }
      const least = await leastThatHolds({ settings, asking, least: now.least }, around, signal);
      if (least !== undefined) {
        Object.assign(now, { least, wrong: 0 });
        return asking;
      }
      now.wrong += signal.aborted ? 0 : 1;
      if (now.wrong === LOST_AFTER) {
        now.isLost = true;
        onDistrust(WRONG);
      }
      return { ...asking, marks: undefined };
    },
    async review(asking, settings, signal) {
      const now = asking.marks && (await recall(settings));
      const isOther = now !== undefined && now.digest !== asking.digest;
      if (isOther && (await isSame(ask(asking, settings, signal), signal))) {
        trustFor(settings).isLost = true;
        onDistrust(MISSED);
      }
    },
  };
}

function mayAskByTimes({ etags, marks }: Asking, { iam }: Settings): boolean {
  const hasEtags = Object.keys(etags).length > 0;
  return marks !== undefined && !hasEtags && iam.source === "scim" && iam.probe === "auto";
}

/** What a server can be asked for; undefined when no answer is that of the sync before. */
async function leastThatHolds(
  probing: Probing,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Trust["least"] | undefined> {
  for (const least of LEAST.filter((one) => one >= probing.least)) {
    if (await isSame(probe({ ...probing, least }, around, signal), signal)) {
      return least;
    }
  }
  return undefined;
}

/** Where there is no answer, a sync will say why; nothing is known of the way of asking. */
async function isSame(answer: Promise<Answer>, signal: AbortSignal): Promise<boolean> {
  try {
    return (await answer).isUnchanged;
  } catch (error) {
    if (error instanceof Failure || signal.aborted) {
      return false;
    }
    throw error;
  }
}
