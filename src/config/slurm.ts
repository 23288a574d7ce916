/**
 * The section `slurm` of rollcall.yaml.
 */

import * as z from "zod";
import { absolutePath, duration, groupName, integer, SECOND_MS } from "./values.ts";

/** Slurm keeps names in lower case, and has an account `root` of its own. */
const slurmName = z
  .string()
  .regex(
    /^(?!root$)[a-z0-9_][a-z0-9_.-]{0,39}$/,
    "must be a name in lower case, as Slurm keeps it, and not root",
  )
  .meta({ title: "name" });

const slurmRule = z.strictObject({
  account: z
    .string()
    .regex(/^[a-z0-9_$][a-z0-9_.$-]{0,39}$/, "must be a name in lower case, as Slurm keeps it")
    .describe(
      "the account, in lower case as Slurm keeps it; with `match`, `$1` to `$9` are what its brackets caught. Several rules for one account add up",
    ),
  group: groupName
    .optional()
    .describe("a group, as `getent group` shows it: those of its members who may log in on this node"),
  match: z
    .string()
    .refine(isPattern, "must be a regular expression")
    .meta({ examples: ["project-(.*)"] })
    .optional()
    .describe("the same for every group whose whole name fits this regular expression of JavaScript"),
  everybody: z.boolean().default(false).describe("whoever may log in on this node, by its rules of access"),
  parent: slurmName
    .or(z.literal("root"))
    .optional()
    .describe("the account above it: of this list, or one that Slurm has"),
  fairshare: integer(0, 2_000_000_000)
    .optional()
    .describe("as for sacctmgr; without it Slurm's. Only the first rule for an account has settings"),
  qos: z
    .array(slurmName)
    .min(1)
    .refine(isUnique, "must not name one twice")
    .meta({ uniqueItems: true })
    .optional()
    .describe("as for sacctmgr; without it Slurm's"),
  defaultQos: slurmName.optional().describe("as for sacctmgr; one of `qos` where there are some"),
});

/** The whole section. */
export const slurm = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe("keep the accounts of a Slurm cluster in step too; on one node of the cluster"),
    cluster: z
      .string()
      .regex(/^[a-z0-9_-]{1,40}$/, "must be the ClusterName of slurm.conf, in lower case")
      .optional()
      .describe("its ClusterName; without it the only one that slurmdbd knows"),
    accounts: z
      .array(slurmRule)
      .default([])
      .describe("who is in which account; the first rule that fits somebody is their default account"),
    adminLevel: z
      .strictObject({
        operator: z.array(groupName).default([]).describe("groups whose members get the AdminLevel Operator"),
        administrator: z
          .array(groupName)
          .default([])
          .describe("groups whose members get the AdminLevel Administrator"),
      })
      .prefault({})
      .describe("Who runs Slurm"),
    adopt: z
      .array(slurmName)
      .default([])
      .describe(
        "accounts that somebody else made and that follow the rules from now on: whoever is in one and not in its group is removed",
      ),
    cancelJobs: z
      .boolean()
      .default(false)
      .describe("cancel the jobs of somebody who leaves an account, instead of waiting for their end"),
    tools: absolutePath
      .meta({ examples: ["/opt/slurm/bin"] })
      .optional()
      .describe("the directory of sacctmgr, sacct and scancel; without it where the system looks"),
    conf: absolutePath
      .meta({ examples: ["/etc/slurm/slurm.conf"] })
      .optional()
      .describe("for `SLURM_CONF`, where the tools do not know it themselves"),
    timeout: duration("10s")
      .refine(
        (ms) => ms >= SECOND_MS && ms <= 120 * SECOND_MS,
        "must be between 1s and 2m: syncs wait for it",
      )
      .describe("a command of Slurm is killed after so long, 1s to 2m"),
  })
  .prefault({})
  .describe("The accounts of a Slurm cluster");

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
