/**
 * Finds out whether the IAM has anything new, and whether the way it is asked can be trusted.
 *
 * In: what the last pull left to ask with. Out: yes or no. ETags are trusted until they tell of news time and again where there
 * is none. Totals and times are proven first: right after a sync the answers are known. Others mean that something has changed
 * since, or that the server cannot be asked so: the next sync tells which, and after a few in vain it is not asked so again.
 */

import type { Settings } from "../config/settings.ts";
import { Failure } from "../model/failure.ts";
import type { AskedBy } from "../report/status.ts";
import { type Asking, recallAsking } from "../source/remembered.ts";
import { type Surroundings, sourceSettings } from "./surroundings.ts";
import { type Answer, type Probing, probe } from "./wire-probe.ts";

/** Asks one IAM for the life of a daemon. */
export interface News {
  /**
   * What to ask with from now on; to be called when a sync has left the node in step. `vainly` is what told of news
   * that the sync did not find.
   */
  settle(settings: Settings, signal: AbortSignal, vainly?: Asking): Promise<Asking>;
  /** Whether nothing is new, and what it took to ask. */
  ask(asking: Asking, settings: Settings, signal: AbortSignal): Promise<Answer>;
  /** To be called when a sync that nobody told of a change had something to do: would asking have told of what the IAM says now? */
  review(asking: Asking, settings: Settings, signal: AbortSignal): Promise<void>;
}

/** What is known of how a server answers. */
interface Trust {
  readonly iam: Settings["iam"];
  least: (typeof LEAST)[number];
  /** Whether its totals and times were once those of the sync before. */
  isProven: boolean;
  /** Of a sync whose totals and times were given otherwise right after it: the digest of its lists, until the next sync tells why. */
  doubtful: string | undefined;
  /** Doubts for which the next sync found no reason, one after the other. */
  wrong: number;
  isLost: boolean;
  /** How often its ETags told of news where there was none, one time after the other. */
  vain: number;
}

const LOST_AFTER = 3;
const WRONG = `${LOST_AFTER} times its totals and meta.lastModified were not those of the sync before`;
const MISSED = "a sync found a change that its totals and meta.lastModified did not show";
const VAIN = `${LOST_AFTER} times in a row its ETags were others, and nothing else was`;
/** What to ask for where only the total matters; some servers reject the first, or take it for "all". */
const LEAST = [0, 1] as const;
const NOTHING: Asking = { digest: "", etags: {}, marks: undefined };

/** Called once for each way in which an IAM is not asked any more. */
export type OnDistrust = (way: "etags" | "times", why: string) => void;

/** Makes one that knows nothing of any IAM yet. */
export function createNews(around: Surroundings, onDistrust: OnDistrust): News {
  let trust: Trust | undefined;
  const trustFor = ({ iam }: Settings) => {
    trust = trust?.iam === iam ? trust : trustIn(iam);
    return trust;
  };
  const recall = (settings: Settings) => recallAsking(sourceSettings(settings, around.root));
  const ask: News["ask"] = async (asking, settings, signal) => {
    const now = trustFor(settings);
    return noteAnswer(now, asking, await probe({ settings, asking, least: now.least }, around, signal));
  };
  return {
    ask,
    async settle(settings, signal, vainly) {
      const now = trustFor(settings);
      const recalled = (await recall(settings)) ?? NOTHING;
      if (vainly !== undefined && isByEtagsAlone(vainly, recalled)) {
        countVain(now, onDistrust);
      }
      const asking = now.vain < LOST_AFTER ? recalled : { ...recalled, etags: {} };
      if (hasEtags(asking)) {
        return asking;
      }
      settleDoubt(now, asking, onDistrust);
      await prove({ asking, settings, now }, around, signal);
      return now.isProven && mayAskByTimes(asking, now) ? asking : { ...asking, marks: undefined };
    },
    async review(asking, settings, signal) {
      const now = wayOf(asking) === "times" ? await recall(settings) : undefined;
      const isOther = now !== undefined && now.digest !== asking.digest;
      if (isOther && (await isSame(ask(asking, settings, signal), signal))) {
        trustFor(settings).isLost = true;
        onDistrust("times", MISSED);
      }
    },
  };
}

function trustIn(iam: Settings["iam"]): Trust {
  return { iam, least: 0, isProven: false, doubtful: undefined, wrong: 0, isLost: false, vain: 0 };
}

/** Somebody may have changed between a sync and the proof: then the next one has other lists. */
function settleDoubt(now: Trust, { digest }: Asking, onDistrust: OnDistrust): void {
  now.wrong = now.doubtful === digest ? now.wrong + 1 : 0;
  now.doubtful = undefined;
  if (now.wrong === LOST_AFTER && !now.isLost) {
    now.isLost = true;
    onDistrust("times", WRONG);
  }
}

/** To say that nothing is new is to prove it: a 304 of all pages, or the totals and times of the sync before. */
function noteAnswer(now: Trust, asking: Asking, answer: Answer): Answer {
  if (answer.isUnchanged && hasEtags(asking)) {
    now.vain = 0;
  } else if (answer.isUnchanged) {
    now.wrong = 0;
    now.doubtful = undefined;
  }
  return answer;
}

function countVain(now: Trust, onDistrust: OnDistrust): void {
  now.vain += 1;
  if (now.vain === LOST_AFTER) {
    onDistrust("etags", VAIN);
  }
}

/** Some servers give ETags and never answer 304, or give others each time. */
function isByEtagsAlone(before: Asking, now: Asking): boolean {
  const saidOf = ({ digest, marks }: Asking) => JSON.stringify([digest, marks]);
  return hasEtags(before) && saidOf(before) === saidOf(now);
}

/** How the IAM is asked with what there is to ask with. */
export function wayOf(asking: Asking): AskedBy {
  if (hasEtags(asking)) {
    return "etags";
  }
  return asking.marks === undefined ? "lists" : "times";
}

function hasEtags({ etags }: Asking): boolean {
  return Object.keys(etags).length > 0;
}

function mayAskByTimes({ marks }: Asking, { iam, isLost }: Trust): boolean {
  return marks !== undefined && iam.source === "scim" && iam.probe === "auto" && !isLost;
}

/** Whether the server gives the answers that a sync has just shown to be right; notes how it went. */
async function prove(
  { asking, settings, now }: { readonly asking: Asking; readonly settings: Settings; readonly now: Trust },
  around: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  if (!mayAskByTimes(asking, now)) {
    return;
  }
  const least = await leastThatHolds({ settings, asking, least: now.least }, around, signal);
  now.least = least ?? now.least;
  now.isProven ||= least !== undefined;
  now.doubtful = least === undefined && !signal.aborted ? asking.digest : undefined;
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
