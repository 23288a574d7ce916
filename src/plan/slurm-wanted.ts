/**
 * What Slurm's accounting should look like for the people who may log in here.
 *
 * In: the rules, the directory, and what Slurm has. Out: accounts, who is in them, and levels. The first rule of the
 * list that a user is in is their default account, so the order of the list is the order of preference.
 */

import type { Directory } from "../model/directory.ts";
import { didYouMean } from "../model/nearest.ts";
import type { Problem, ProblemCode } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { AdminLevel, ObservedSlurm, SlurmAccountSettings } from "../model/slurm.ts";

/** One rule of `slurm.accounts`. Without a group, a pattern or `everybody` the account is nobody's own, only a parent. */
export interface SlurmRule extends SlurmAccountSettings {
  readonly account: string;
  readonly group?: string | undefined;
  /** A regular expression for whole group names; `$1` in the account is what it caught. */
  readonly match?: string | undefined;
  readonly everybody: boolean;
}

/** The part of the configuration that says what Slurm should have. */
export interface SlurmSettings {
  readonly accounts: readonly SlurmRule[];
  readonly adminLevel: { readonly operator: readonly string[]; readonly administrator: readonly string[] };
  /** Accounts that are Rollcall's with everything in them, whoever made them. */
  readonly adopt: readonly string[];
  readonly cancelJobs: boolean;
}

/** What should be there. */
export interface WantedSlurm {
  readonly accounts: ReadonlyMap<string, SlurmAccountSettings>;
  /** The same with those that cannot be made or set right now: they are left as they are. */
  readonly named: ReadonlySet<string>;
  /** By user: their accounts, the default one first. */
  readonly placements: ReadonlyMap<string, readonly string[]>;
  readonly levels: ReadonlyMap<string, AdminLevel>;
  readonly problems: readonly Problem[];
}

/** Names that Slurm keeps as they are; it has an account `root` of its own. */
const ACCOUNT_NAME = /^(?!root$)[a-z0-9_][a-z0-9_.-]{0,39}$/;

/** Applies the rules. An account that cannot be made takes only itself and what hangs on it out. */
export function wantedSlurm(
  directory: Directory,
  { accounts: rules, adminLevel, adopt }: SlurmSettings,
  observed: ObservedSlurm,
): WantedSlurm {
  const people = peopleIn(directory);
  const targets = rules.map((rule) => targetsOf(rule, people));
  const idle = rules.flatMap(({ match }, nth) =>
    match === undefined || targets[nth]?.length !== 0
      ? []
      : [aboutRule("slurm.accounts", `no group matches ${quoted(match)}`)],
  );
  const { settings, placements, misnamed } = placed(targets.flat());
  const unknownAdopted = adopt
    .filter((account) => !settings.has(account))
    .map((account) => aboutRule("slurm.adopt", `no rule is about ${quoted(account)} now`));
  const { possible, faults } = possibleAccounts(settings, observed);
  const isThere = (account: string) => possible.has(account) || observed.accounts.has(account);
  return {
    accounts: possible,
    named: new Set(settings.keys()),
    placements: new Map(
      [...placements]
        .map(([user, accounts]) => [user, [...accounts].filter(isThere)] as const)
        .filter(([, accounts]) => accounts.length > 0),
    ),
    levels: levelsOf(adminLevel, people),
    problems: [
      ...idle,
      ...unknownGroups(rules, adminLevel, people),
      ...misnamed,
      ...unknownAdopted,
      ...faults,
    ],
  };
}

/** What the rules come to: by account, how it is set; by user, their accounts. Where rules add up, the first one counts. */
function placed(targets: readonly Target[]) {
  const settings = new Map<string, SlurmAccountSettings>();
  const placements = new Map<string, Set<string>>();
  for (const { account, rule, members } of targets.filter(({ account }) => ACCOUNT_NAME.test(account))) {
    settings.set(account, settings.get(account) ?? rule);
    members.forEach((user) => placements.set(user, (placements.get(user) ?? new Set()).add(account)));
  }
  const misnamed = targets
    .filter(({ account }) => !ACCOUNT_NAME.test(account))
    .map(({ account }) =>
      aboutAccount(account, "slurm-name", `${quoted(account)} cannot be the name of an account`),
    );
  return { settings, placements, misnamed };
}

interface People {
  readonly everybody: readonly string[];
  /** By group: those of its members who may log in here. */
  readonly inGroup: ReadonlyMap<string, readonly string[]>;
}

function peopleIn({ users, groups }: Directory): People {
  const everybody = users.filter(({ active }) => active).map(({ name }) => String(name));
  const mayLogIn = new Set(everybody);
  const shared = groups.filter(({ id }) => id !== undefined);
  return {
    everybody,
    inGroup: new Map(
      shared.map(({ name, members }) => [
        String(name),
        members.map(String).filter((member) => mayLogIn.has(member)),
      ]),
    ),
  };
}

interface Target {
  readonly account: string;
  readonly rule: SlurmRule;
  readonly members: readonly string[];
}

function targetsOf(rule: SlurmRule, { everybody, inGroup }: People): Target[] {
  const { account, group, match } = rule;
  if (match !== undefined) {
    const pattern = new RegExp(`^(?:${match})$`);
    return [...inGroup]
      .filter(([name]) => pattern.test(name))
      .map(([name, members]) => ({ account: name.replace(pattern, account), rule, members }));
  }
  if (group !== undefined) {
    const members = inGroup.get(group);
    return members === undefined ? [] : [{ account, rule, members }];
  }
  return [{ account, rule, members: rule.everybody ? everybody : [] }];
}

/** Without those whose parent or QOS Slurm does not have; a parent may be one of the others. */
function possibleAccounts(settings: ReadonlyMap<string, SlurmAccountSettings>, observed: ObservedSlurm) {
  const possible = new Map(settings);
  const faults: Problem[] = [];
  for (let before = -1; before !== possible.size; ) {
    before = possible.size;
    for (const [account, wanted] of possible) {
      const fault = faultOf(wanted, possible, observed);
      if (fault !== undefined) {
        possible.delete(account);
        faults.push(aboutAccount(account, "slurm-unknown", `is left out, with its people: ${fault}`));
      }
    }
  }
  return { possible, faults };
}

function faultOf(
  { parent, qos = [], defaultQos }: SlurmAccountSettings,
  possible: ReadonlyMap<string, SlurmAccountSettings>,
  observed: ObservedSlurm,
): string | undefined {
  if (parent !== undefined && !possible.has(parent) && !observed.accounts.has(parent)) {
    return `its parent ${unknown(parent, [...observed.accounts.keys(), ...possible.keys()])}`;
  }
  const named = defaultQos === undefined ? qos : [...qos, defaultQos];
  const missing = named.find((name) => !observed.qos.has(name));
  return missing === undefined ? undefined : `the QOS ${unknown(missing, [...observed.qos])}`;
}

function levelsOf({ operator, administrator }: SlurmSettings["adminLevel"], { inGroup }: People) {
  const membersOf = (groups: readonly string[]) => groups.flatMap((group) => inGroup.get(group) ?? []);
  return new Map<string, AdminLevel>([
    ...membersOf(operator).map((user) => [user, "Operator"] as const),
    ...membersOf(administrator).map((user) => [user, "Administrator"] as const),
  ]);
}

function unknownGroups(
  rules: readonly SlurmRule[],
  { operator, administrator }: SlurmSettings["adminLevel"],
  { inGroup }: People,
): Problem[] {
  const named = [
    ...rules.flatMap(({ group }) => (group === undefined ? [] : [["slurm.accounts", group] as const])),
    ...operator.map((group) => ["slurm.adminLevel.operator", group] as const),
    ...administrator.map((group) => ["slurm.adminLevel.administrator", group] as const),
  ];
  return named
    .filter(([, group]) => !inGroup.has(group))
    .map(([field, group]) => aboutRule(field, `the group ${unknown(group, [...inGroup.keys()])}`));
}

function aboutRule(field: string, reason: string): Problem {
  return { code: "slurm-unknown", subject: { kind: "node", id: field, name: field }, field, reason };
}

function unknown(name: string, known: readonly string[]): string {
  return `${quoted(name)} is not there${didYouMean(name, known)}`;
}

/** A problem with one account. */
export function aboutAccount(account: string, code: ProblemCode, reason: string): Problem {
  return { code, subject: { kind: "account", id: account, name: account }, field: "slurm.accounts", reason };
}
