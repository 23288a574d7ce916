/**
 * Slurm's accounting as a value: what commands make of it, by the rules of sacctmgr(1).
 *
 * A command that Slurm would refuse throws, so that a plan is only good when each of its steps finds what it builds on.
 */

import assert from "node:assert/strict";
import type { ObservedSlurm, SlurmAccount, SlurmStep, SlurmUser } from "../../src/model/slurm.ts";

/** A cluster as it is after `sacctmgr add cluster`. */
export const EMPTY_SLURM: ObservedSlurm = {
  cluster: "test",
  accounts: new Map([["root", slurmAccount("")]]),
  users: new Map(),
  qos: new Set(["normal", "high"]),
  unreadable: [],
  holdings: [],
  forgot: false,
  jobs: [],
};

export function slurmAccount(parent: string, fairshare = "1"): SlurmAccount {
  return { parent, fairshare, qos: [], defaultQos: "", isElsewhere: false };
}

export function slurmUser(accounts: readonly string[], fields: Partial<SlurmUser> = {}): SlurmUser {
  return {
    defaultAccount: accounts[0] ?? "",
    adminLevel: "None",
    accounts: new Set(accounts),
    partitioned: new Set(),
    isElsewhere: false,
    ...fields,
  };
}

/** The same after these commands. */
export function carriedOut(steps: readonly SlurmStep[], before: ObservedSlurm): ObservedSlurm {
  const accounts = new Map(before.accounts);
  const users = new Map(before.users);
  steps.forEach((step) => carryOut(step, accounts, users));
  return { ...before, accounts, users };
}

type Accounts = Map<string, SlurmAccount>;
type Users = Map<string, SlurmUser>;

function carryOut(step: SlurmStep, accounts: Accounts, users: Users): void {
  switch (step.kind) {
    case "add-account":
    case "modify-account": {
      const now = accounts.get(step.account) ?? slurmAccount("root");
      assert.equal(accounts.has(step.account), step.kind === "modify-account", step.account);
      const { parent = now.parent, fairshare, qos = now.qos, defaultQos = now.defaultQos } = step.settings;
      assert.ok(accounts.has(parent) || parent === now.parent, `no parent ${parent}`);
      accounts.set(step.account, {
        ...now,
        parent,
        fairshare: fairshare === undefined ? now.fairshare : String(fairshare),
        qos,
        defaultQos,
      });
      return;
    }
    case "remove-account":
      assert.ok(![...users.values()].some((user) => user.accounts.has(step.account)), "users in it");
      assert.ok(![...accounts.values()].some(({ parent }) => parent === step.account), "accounts below it");
      accounts.delete(step.account);
      return;
    case "cancel-jobs":
      return;
    case "set-level":
      step.users.forEach((name) => users.set(name, { ...userIn(users, name), adminLevel: step.level }));
      return;
    case "remove-records":
      step.users.forEach((name) => assert.ok(users.delete(name)));
      return;
    case "add-users":
    case "remove-users":
    case "set-default":
      step.users.forEach((name) =>
        carryOutForUser(step.kind, { name, account: step.account }, { accounts, users }),
      );
  }
}

function carryOutForUser(
  kind: "add-users" | "remove-users" | "set-default",
  { name, account }: { readonly name: string; readonly account: string },
  { accounts, users }: { readonly accounts: Accounts; readonly users: Users },
): void {
  if (kind === "add-users") {
    assert.ok(accounts.has(account), `no account ${account}`);
    const now = users.get(name) ?? slurmUser([]);
    const defaultAccount = now.accounts.size === 0 ? account : now.defaultAccount;
    users.set(name, { ...now, accounts: new Set([...now.accounts, account]), defaultAccount });
    return;
  }
  const now = userIn(users, name);
  assert.ok(now.accounts.has(account), `${name} is not in ${account}`);
  if (kind === "set-default") {
    users.set(name, { ...now, defaultAccount: account });
    return;
  }
  assert.ok(now.defaultAccount !== account || now.accounts.size === 1, "the default account of somebody");
  users.set(name, { ...now, accounts: now.accounts.difference(new Set([account])) });
}

function userIn(users: Users, name: string): SlurmUser {
  return users.get(name) ?? assert.fail(`no user ${name}`);
}
