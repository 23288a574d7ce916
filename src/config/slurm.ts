/**
 * The section `slurm` of rollcall.yaml.
 */

import { z } from "zod";
import { absolutePath, duration, groupName, integer, SECOND_MS } from "./values.ts";

/** Slurm keeps names in lower case, and has an account `root` of its own. */
const slurmName = z
  .string()
  .regex(
    /^(?!root$)[a-z0-9_][a-z0-9_.-]{0,39}$/,
    "must be a name in lower case, as Slurm keeps it, and not root",
  );

const slurmRule = z.strictObject({
  account: z
    .string()
    .regex(/^[a-z0-9_$][a-z0-9_.$-]{0,39}$/, "must be a name in lower case, as Slurm keeps it"),
  group: groupName.optional(),
  match: z.string().refine(isPattern, "must be a regular expression").optional(),
  everybody: z.boolean().default(false),
  parent: slurmName.or(z.literal("root")).optional(),
  fairshare: integer(0, 2_000_000_000).optional(),
  qos: z.array(slurmName).min(1).refine(isUnique, "must not name one twice").optional(),
  defaultQos: slurmName.optional(),
});

/** The whole section. */
export const slurm = z
  .strictObject({
    enabled: z.boolean().default(false),
    cluster: z
      .string()
      .regex(/^[a-z0-9_-]{1,40}$/, "must be the ClusterName of slurm.conf, in lower case")
      .optional(),
    accounts: z.array(slurmRule).default([]),
    adminLevel: z
      .strictObject({
        operator: z.array(groupName).default([]),
        administrator: z.array(groupName).default([]),
      })
      .prefault({}),
    adopt: z.array(slurmName).default([]),
    cancelJobs: z.boolean().default(false),
    tools: absolutePath.optional(),
    conf: absolutePath.optional(),
    timeout: duration("10s").refine(
      (ms) => ms >= SECOND_MS && ms <= 120 * SECOND_MS,
      "must be between 1s and 2m: syncs wait for it",
    ),
  })
  .prefault({});

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text).source !== "";
  } catch {
    return false;
  }
}

type Slurm = z.infer<typeof slurm>;
type Rule = Slurm["accounts"][number];
type KeyMistake = readonly [key: string, message: string];

/** The mistakes that no single key of the section shows: by dotted key. */
export function slurmMistakes({ enabled, accounts, adopt }: Slurm): KeyMistake[] {
  const names = accounts.map(({ account }) => account);
  const hasPattern = accounts.some(({ match }) => match !== undefined);
  const strange = hasPattern ? [] : adopt.filter((name) => !names.includes(name));
  return [
    ...accounts.flatMap((rule, nth) =>
      [...mistakesOfRule(rule), ...mistakesAmong(accounts, nth)].map(
        ([key, message]): KeyMistake => [`slurm.accounts.${nth}${key}`, message],
      ),
    ),
    ...strange.map(
      (name): KeyMistake => ["slurm.adopt", `has "${name}", which no rule of slurm.accounts is about`],
    ),
    ...(enabled && accounts.length === 0
      ? [["slurm.accounts", "is empty: say which group is in which account"] as const]
      : []),
  ];
}

function mistakesOfRule({ account, group, match, everybody, qos, defaultQos }: Rule): KeyMistake[] {
  const kinds = [group, match, everybody || undefined].filter((kind) => kind !== undefined).length;
  const caught = match === undefined ? 0 : (new RegExp(`${match}|`).exec("")?.length ?? 1) - 1;
  const wanted = [...account.matchAll(/\$(\d?)/g)].map(([, digit]) => Number(digit));
  return [
    ...(kinds > 1 ? [["", "must have only one of group, match and everybody"] as const] : []),
    ...(wanted.some((number) => !(number >= 1 && number <= caught))
      ? [[".account", `has a $ for which match has no brackets: it catches ${caught}`] as const]
      : []),
    ...(account === "root" ? [[".account", "must not be root, which is Slurm's own"] as const] : []),
    ...(defaultQos !== undefined && qos?.includes(defaultQos) === false
      ? [[".defaultQos", "must be one of qos"] as const]
      : []),
  ];
}

/** One rule for each account says how it is set; and no account is above itself. */
function mistakesAmong(rules: readonly Rule[], nth: number): KeyMistake[] {
  const rule = rules[nth];
  const first = rules.find(({ account }) => account === rule?.account);
  if (rule === undefined || first !== rule) {
    const isSet = [rule?.parent, rule?.fairshare, rule?.qos, rule?.defaultQos].some(
      (one) => one !== undefined,
    );
    return isSet ? [["", "is not the first rule for this account: only that one may have settings"]] : [];
  }
  const above = new Set<string>();
  for (let parent = rule.parent; parent !== undefined && !above.has(parent); ) {
    above.add(parent);
    parent = rules.find(({ account }) => account === parent)?.parent;
  }
  return above.has(rule.account) ? [[".parent", "leads back to the account itself"]] : [];
}
