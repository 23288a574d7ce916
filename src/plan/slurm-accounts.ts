/**
 * Which accounts of Slurm are made, set right and removed.
 */

import type { Change } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import type { ObservedSlurm, SlurmAccount, SlurmAccountSettings, SlurmStep } from "../model/slurm.ts";
import type { OwnedSlurm } from "./slurm-owned.ts";
import { accountsByUser, type SlurmPlace } from "./slurm-places.ts";
import { aboutAccount, type WantedSlurm } from "./slurm-wanted.ts";

/** Steps for accounts, in the order in which Slurm takes them: parents are made first and removed last. */
export interface AccountsPlan {
  readonly add: readonly Extract<SlurmStep, { settings: unknown }>[];
  readonly modify: readonly SlurmStep[];
  readonly remove: readonly SlurmStep[];
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  /** How many there are now that Rollcall made. */
  readonly made: number;
}

/** Plans them; `removed` are the people who leave before an account can go. */
export function planAccounts(
  wanted: WantedSlurm,
  observed: ObservedSlurm,
  { owned, removed }: { readonly owned: OwnedSlurm; readonly removed: readonly SlurmPlace[] },
): AccountsPlan {
  const isOurs = (account: string) => owned.has({ kind: "account", account });
  const missing = parentsFirst([...wanted.accounts].filter(([account]) => !observed.accounts.has(account)));
  const differing = differingFrom(wanted, observed);
  const mayChange = ({ account }: Differing) => isOurs(account) || owned.adoptedAccounts.has(account);
  const ours = differing.filter(mayChange);
  const idle = [...observed.accounts.keys()].filter(
    (account) => isOurs(account) && !wanted.named.has(account),
  );
  const gone = observed.unreadable.length > 0 ? [] : removable(idle, observed, removed);
  return {
    add: missing.map(([account, settings]) => ({ kind: "add-account", account, settings })),
    modify: ours.map(({ account, settings, differences }) => ({
      kind: "modify-account",
      account,
      settings: onlyWhatDiffers(settings, differences, observed.accounts.get(account)?.defaultQos),
    })),
    remove: gone.map((account) => ({
      kind: "remove-account",
      account,
      isElsewhere: observed.accounts.get(account)?.isElsewhere === true,
    })),
    changes: [
      ...missing.map(([account, settings]) => ({ event: "slurm-account-added", account, settings }) as const),
      ...ours.flatMap(({ account, differences }) =>
        differences.map((one) => ({ event: "slurm-account-changed", account, ...one }) as const),
      ),
      ...gone.map((account) => ({ event: "slurm-account-removed", account }) as const),
    ],
    problems: differing
      .filter((one) => !mayChange(one))
      .map(({ account, differences }) => notOurs(account, differences)),
    made: [...observed.accounts.keys()].filter(isOurs).length,
  };
}

interface Differing {
  readonly account: string;
  readonly settings: SlurmAccountSettings;
  readonly differences: readonly Difference[];
}

function differingFrom(wanted: WantedSlurm, observed: ObservedSlurm): Differing[] {
  return [...wanted.accounts].flatMap(([account, settings]) => {
    const now = observed.accounts.get(account);
    const differences = now === undefined ? [] : differencesOf(settings, now);
    return differences.length === 0 ? [] : [{ account, settings, differences }];
  });
}

interface Difference {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

function differencesOf(settings: SlurmAccountSettings, now: SlurmAccount): Difference[] {
  const { parent, fairshare, qos, defaultQos } = settings;
  return [
    { field: "parent", before: now.parent, after: parent },
    {
      field: "fairshare",
      before: now.fairshare,
      after: fairshare === undefined ? undefined : String(fairshare),
    },
    { field: "qos", before: now.qos.join(","), after: qos && [...qos].sort().join(",") },
    { field: "defaultQos", before: now.defaultQos, after: defaultQos },
  ].flatMap(({ after, ...rest }) =>
    after === undefined || after === rest.before ? [] : [{ ...rest, after }],
  );
}

/**
 * Slurm changes nothing at all when one of the settings is the parent that an account has already. A list of QOS without
 * the present default is refused, so the two go together.
 */
function onlyWhatDiffers(
  { parent, fairshare, qos, defaultQos }: SlurmAccountSettings,
  differences: readonly Difference[],
  defaultQosNow = "",
): SlurmAccountSettings {
  const fields = new Set(differences.map(({ field }) => field));
  const loses = qos !== undefined && defaultQosNow !== "" && !qos.includes(defaultQosNow);
  const changesQos = fields.has("qos") || fields.has("defaultQos");
  return {
    parent: fields.has("parent") ? parent : undefined,
    fairshare: fields.has("fairshare") ? fairshare : undefined,
    qos: changesQos ? qos : undefined,
    defaultQos: changesQos ? (defaultQos ?? (loses ? NO_DEFAULT_QOS : undefined)) : undefined,
  };
}

/** What takes it away, for sacctmgr(1). */
const NO_DEFAULT_QOS = "-1";

function parentsFirst(accounts: readonly (readonly [string, SlurmAccountSettings])[]) {
  const parentOf = new Map(accounts.map(([account, { parent }]) => [account, parent]));
  const depthOf = (account: string): number => {
    let depth = 0;
    for (
      let at = parentOf.get(account);
      at !== undefined && depth <= accounts.length;
      at = parentOf.get(at)
    ) {
      depth += 1;
    }
    return depth;
  };
  return accounts.toSorted(([left], [right]) => depthOf(left) - depthOf(right));
}

/** Those with nobody left in them and nothing below them; an account may go together with the ones below it. */
function removable(
  idle: readonly string[],
  { users, accounts }: ObservedSlurm,
  removed: readonly SlurmPlace[],
): string[] {
  const leaves = accountsByUser(removed);
  const occupied = new Set(
    [...users].flatMap(([user, { accounts: theirs }]) =>
      [...theirs].filter((account) => leaves.get(user)?.has(account) !== true),
    ),
  );
  const gone: string[] = [];
  for (let before = -1; before !== gone.length; ) {
    before = gone.length;
    for (const account of idle) {
      const below = [...accounts].filter(([name, { parent }]) => parent === account && !gone.includes(name));
      if (!gone.includes(account) && below.length === 0 && !occupied.has(account)) {
        gone.push(account);
      }
    }
  }
  return gone;
}

function notOurs(account: string, differences: readonly Difference[]): Problem {
  const what = differences
    .map(({ field, before, after }) => `${field} ${before || "none"}, not ${after}`)
    .join("; ");
  return aboutAccount(
    account,
    "slurm-not-ours",
    `it is not on the list of what Rollcall made here, and has ${what}`,
  );
}
