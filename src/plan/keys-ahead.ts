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
import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import { sshkeyStepOf } from "./caches.ts";
import { planKeys } from "./keys.ts";
import { keysHeld } from "./keys-held.ts";
import { planKeysInMap } from "./keys-in-map.ts";
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
  const planFor = (which: "before" | "after") =>
    planAlone(
      people.map((one) => one[which]),
      observed,
      settings,
    );
  const now = planFor("before");
  return now?.steps.length === 0 ? planFor("after") : undefined;
}

/** Whose name and uid these are. Of another record with the name this node knows better. */
function isTheirs({ id, name, uid }: User, { ledgerFile }: Observed): boolean {
  return ledgerFile !== undefined && isHeldNow(ledgerFile, { kind: "user", id, name, number: Number(uid) });
}

const NOBODY: Plan["removals"] = {
  before: 0,
  keyed: undefined,
  users: [],
  after: 0,
  groupsBefore: 0,
  groups: [],
};

/** Their accounts stay as they are, so what is taken and what is given goes in one step. Undefined where the map lacks one of them. */
function planAlone(
  users: readonly User[],
  observed: Observed,
  { keys, caches }: Pick<PlanSettings, "keys" | "caches">,
): Plan | undefined {
  const unmoved = new Set<string>(users.map(({ name }) => name));
  const before = observed.maps.sshkey.data?.bytes;
  const lines = before && replaceSshkeys(before, users);
  if (before === undefined || lines === undefined) {
    return undefined;
  }
  const map = lazily(() => sshkeyStepOf(lines, observed, caches));
  const whole = Buffer.compare(before, lines.bytes) === 0 ? undefined : map();
  const { revoke, grant, changes, unlisted } = keys.files
    ? planKeys(users, observed, unmoved)
    : planKeysInMap(users, observed, { held: keysHeld(observed, keys), unmoved, whole, stepWith: map });
  const others = keys.files && whole !== undefined ? [whole] : [];
  return {
    steps: [...revoke, ...grant, ...others],
    changes,
    unlisted,
    problems: [],
    removals: NOBODY,
  };
}
