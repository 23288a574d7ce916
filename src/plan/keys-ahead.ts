/**
 * What must change where nothing is new but the keys of a few people: decided without a look at anybody else.
 *
 * In: these people before and after, and what the node has of them. Out: a plan by the very rules of a whole one; undefined where
 * the node does not have exactly what it should have had before, so that only a whole plan can tell.
 */

import { isHeldNow } from "../formats/ledger.ts";
import { replaceSshkeys } from "../formats/sshkey.ts";
import type { User } from "../model/directory.ts";
import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import { sshkeyStepOf } from "./caches.ts";
import { type KeysPlan, planKeys } from "./keys.ts";
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
  const now = planFor(
    people.map(({ before }) => before),
    observed,
    settings,
  );
  const plan = planFor(
    people.map(({ after }) => after),
    observed,
    settings,
  );
  if (now === undefined || plan === undefined || now.revoke.length + now.grant.length > 0) {
    return undefined;
  }
  const { revoke, grant, changes, unlisted } = plan;
  return { steps: [...revoke, ...grant], changes, unlisted, problems: [], removals: NOBODY };
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
function planFor(
  users: readonly User[],
  observed: Observed,
  { keys, caches }: Pick<PlanSettings, "keys" | "caches">,
): KeysPlan | undefined {
  const unmoved = new Set<string>(users.map(({ name }) => name));
  if (keys.files) {
    return planKeys(users, observed, unmoved);
  }
  const before = observed.maps.sshkey.data?.bytes;
  const lines = before && replaceSshkeys(before, users);
  if (before === undefined || lines === undefined) {
    return undefined;
  }
  const isSame = Buffer.compare(before, lines.bytes) === 0;
  const whole = isSame ? undefined : sshkeyStepOf(lines, observed, caches);
  const stepWith = () => whole ?? sshkeyStepOf(lines, observed, caches);
  return planKeysInMap(users, observed, { held: keysHeld(observed, keys), unmoved, whole, stepWith });
}
