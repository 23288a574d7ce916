/**
 * Finds out whether the IAM has anything new, and whether the way it is asked can be trusted.
 *
 * In: what the last pull left to ask with. Out: yes or no. ETags are trusted until they tell of news time and again where there
 * is none. Totals and times are proven first: right after a sync the answers are known. Others mean that something has changed
 * since, or that the server cannot be asked so: the next sync tells which, and after a few in vain it is not asked so again.
 */

import type { Settings } from "../config/settings.ts";
import { Failure } from "../model/failure.ts";
import type { Source } from "../model/report.ts";
import type { AskedBy } from "../report/status.ts";
import { type Asking, recallAsking } from "../source/remembered.ts";
import { type Surroundings, sourceSettings } from "./surroundings.ts";
import { type Answer, type Probing, probe } from "./wire-probe.ts";

/** Asks one IAM for the life of a daemon. */
export interface News {
  /** What to ask with from now on; to be called when a sync has left the node in step. */
  settle(after: Settling, signal: AbortSignal): Promise<Asking>;
  /** Whether nothing is new, and what it took to ask. */
  ask(asking: Asking, settings: Settings, signal: AbortSignal): Promise<Answer>;
  /** To be called when a sync that nobody told of a change had something to do: would asking have told of what the IAM says now? */
  review(asking: Asking, settings: Settings, signal: AbortSignal): Promise<void>;
}

/** A sync that has left the node in step. */
export interface Settling {
  readonly settings: Settings;
  /** What it was made from: where nobody asked the IAM, nothing is learnt of it. */
  readonly source: Source;
  /** What told of news that the sync did not find. */
  readonly vainly?: Asking;
}

/** What is known of how a server answers. */
interface Trust {
  readonly iam: Settings["iam"];
  least: (typeof LEAST)[number];
  /** What a sync left to ask with, where the answers right after it were others: the next sync tells why. */
  doubtful: string | undefined;
  /** Doubts for which the next sync found no reason, since the last proof that held. */
  wrong: number;
  /** Proofs that failed for whatever reason, since then. */
  failed: number;
  isLost: boolean;
  /** How often its ETags told of news where there was none, one time after the other. */
  vain: number;
}

const LOST_AFTER = 3;
/** Somebody may change between a sync and its proof now and then, but hardly so often. */
const UNPROVEN_AFTER = 12;
const WRONG = `${LOST_AFTER} times its totals and meta.lastModified were not those of the sync before`;
const UNPROVEN = `${UNPROVEN_AFTER} times in a row its totals and meta.lastModified could not be proven right after a sync`;
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
    async settle({ settings, source, vainly }, signal) {
      const now = trustFor(settings);
      const asking = believed(now, { recalled: (await recall(settings)) ?? NOTHING, vainly }, onDistrust);
      if (hasEtags(asking)) {
        return asking;
      }
      if (source !== "iam") {
        return { ...asking, marks: undefined };
      }
      settleDoubt(now, asking, onDistrust);
      // What failed is not asked with: it may say "nothing new" later on, and something was.
      return (await isProven({ asking, settings, now }, around, signal))
        ? asking
        : { ...asking, marks: undefined };
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
  return { iam, least: 0, doubtful: undefined, wrong: 0, failed: 0, isLost: false, vain: 0 };
}

/** Somebody may have changed between a sync and the proof: then the next one has other lists, or other times. */
function settleDoubt(now: Trust, asking: Asking, onDistrust: OnDistrust): void {
  now.wrong += now.doubtful === saidOf(asking) ? 1 : 0;
  now.doubtful = undefined;
  if (!now.isLost && (now.wrong === LOST_AFTER || now.failed === UNPROVEN_AFTER)) {
    now.isLost = true;
    onDistrust("times", now.wrong === LOST_AFTER ? WRONG : UNPROVEN);
  }
}

/** A 304 of all pages shows that its ETags are worth asking with. */
function noteAnswer(now: Trust, asking: Asking, answer: Answer): Answer {
  now.vain = hasEtags(asking) && answer.isUnchanged ? 0 : now.vain;
  return answer;
}

/** Without ETags that have told of news in vain too often. */
function believed(
  now: Trust,
  { recalled, vainly }: { readonly recalled: Asking; readonly vainly: Asking | undefined },
  onDistrust: OnDistrust,
): Asking {
  if (vainly !== undefined && isByEtagsAlone(vainly, recalled)) {
    now.vain += 1;
    if (now.vain === LOST_AFTER) {
      onDistrust("etags", VAIN);
    }
  }
  return now.vain < LOST_AFTER ? recalled : { ...recalled, etags: {} };
}

/** Some servers give ETags and never answer 304, or give others each time. */
function isByEtagsAlone(before: Asking, now: Asking): boolean {
  return hasEtags(before) && saidOf(before) === saidOf(now);
}

function saidOf({ digest, marks }: Asking): string {
  return JSON.stringify([digest, marks]);
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

/** Whether the server gives the answers that a sync has just shown to be right; notes how it went. */
async function isProven(
  { asking, settings, now }: { readonly asking: Asking; readonly settings: Settings; readonly now: Trust },
  around: Surroundings,
  signal: AbortSignal,
): Promise<boolean> {
  const { iam } = settings;
  if (asking.marks === undefined || iam.source !== "scim" || iam.probe !== "auto" || now.isLost) {
    return false;
  }
  const least = await leastThatHolds({ settings, asking, least: now.least }, around, signal);
  if (least !== undefined) {
    now.least = least;
    now.wrong = 0;
    now.failed = 0;
  } else if (!signal.aborted) {
    now.doubtful = saidOf(asking);
    now.failed += 1;
  }
  return least !== undefined;
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
