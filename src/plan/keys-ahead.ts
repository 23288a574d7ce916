/**
 * What must change where nothing is new but the keys of a few people: decided without a look at anybody else.
 *
 * In: these people before and after, and what the node has of them. Out: a plan by the very rules of a whole one; undefined where
 * the node does not have exactly what it should have had before, so that only a whole plan can tell.
 */

import { isHeldNow } from "../formats/ledger.ts";
import { replaceSshkeys } from "../formats/sshkey.ts";
import type { User } from "../model/directory.ts";
import { lazily } from "../model/lazily.ts";
import type { Observed, ObservedFile } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import { sshkeyStep } from "./caches.ts";
import { type KeysPlan, planKeys } from "./keys.ts";
import { type AroundMap, planKeysInMap } from "./keys-in-map.ts";
import type { PlanSettings } from "./settings.ts";

/** Of the key files, `observed` has those of these people alone. */
export function planKeysAhead(
  people: readonly { readonly before: User; readonly after: User }[],
  observed: Observed,
  settings: Pick<PlanSettings, "keys" | "caches">,
): Plan | undefined {
  if (!people.every(({ before }) => isTheirs(before, observed))) {
    return undefined;
  }
  // In the order of the map.
  const inOrder = people.toSorted((one, other) => (one.after.name < other.after.name ? -1 : 1));
  const planFor = (which: "before" | "after") =>
    planAlone(
      inOrder.map((one) => one[which]),
      observed,
      settings,
    );
  const missing = planFor("before");
  return missing?.steps.length === 0 ? planFor("after") : undefined;
}

/** Whose name and uid these are. Of another record with the name this node knows better. */
function isTheirs({ id, name, uid }: User, { ledgerFile }: Observed): boolean {
  return ledgerFile !== undefined && isHeldNow(ledgerFile, { kind: "user", id, name, number: Number(uid) });
}

/** Everybody keeps a key, so there is nothing that a fuse could count. */
const NOBODY: Plan["removals"] = {
  before: 0,
  keyed: undefined,
  users: [],
  after: 0,
  groupsBefore: 0,
  groups: [],
};

/** Undefined where the map lacks one of them. */
function planAlone(
  users: readonly User[],
  observed: Observed,
  { keys, caches }: Pick<PlanSettings, "keys" | "caches">,
): Plan | undefined {
  const { data } = observed.maps.sshkey;
  const replaced = data && replaceSshkeys(data.bytes, users);
  if (data === undefined || replaced === undefined) {
    return undefined;
  }
  const step = lazily(() => sshkeyStep(replaced.whole(), observed, caches));
  const isSame = Buffer.compare(replaced.before, replaced.after.bytes) === 0;
  const whole = isSame ? undefined : { lines: replaced.after, step: step() };
  const { revoke, grant, changes, unlisted } = keys.files
    ? planKeys(users, observed, isUnmoved)
    : planInMap(users, withMap(observed, { ...data, bytes: replaced.before }), { whole, stepWith: step });
  const others = keys.files && whole !== undefined ? [whole.step] : [];
  const steps = [...revoke, ...grant, ...others];
  return { steps, changes, unlisted, problems: [], removals: NOBODY };
}

/** Their accounts stay as they are. */
const isUnmoved = () => true;

function withMap(observed: Observed, data: ObservedFile): Observed {
  return { ...observed, maps: { ...observed.maps, sshkey: { ...observed.maps.sshkey, data } } };
}

/** As if nobody else were in the map, but for the step that publishes it. What is taken and what is given goes in one. */
function planInMap(
  users: readonly User[],
  observed: Observed,
  around: Pick<AroundMap, "whole" | "stepWith">,
): KeysPlan {
  const plan = planKeysInMap(users, observed, { ...around, isUnmoved });
  const isPublished = plan.revoke.some(({ kind }) => kind === "publish-map");
  return isPublished ? { ...plan, grant: [] } : plan;
}
