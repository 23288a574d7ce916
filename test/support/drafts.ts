/**
 * Builders for the pure rooms: drafts, rules, local accounts, and a node seen before its first sync.
 */

import type { Drafts, GroupDraft, UserDraft } from "../../src/model/draft.ts";
import type { LocalAccounts, NodeBefore, Observed, ObservedMap } from "../../src/model/observed.ts";
import type { PlanSettings } from "../../src/plan/settings.ts";
import type { Rules } from "../../src/validate/rules.ts";
import { aKey } from "./records.ts";

/** The defaults of the configuration. */
export const RULES: Rules = {
  names: { maxLength: 32, reserved: [], localPart: [], normaliseGroups: false },
  ids: { min: 1000, max: 2_147_483_647 },
  shells: { default: "/bin/bash", nologin: "/usr/sbin/nologin", allowed: [] },
  homes: { path: "/home/%u", under: ["/home"] },
  keys: { minRsaBits: 2048, maxPerUser: 64, allowedOptions: [] },
  access: { visible: "all", login: { groups: undefined, users: undefined } },
  accepts: new Set(),
};

export const PLAN_SETTINGS: PlanSettings = {
  caches: { index: "always" },
  keys: { files: true },
  homes: { create: true },
  sudo: { groups: [] },
  access: { onRevoke: "nothing" },
  guard: { maxRemovalPercent: 20, minRemovals: 10 },
};

export const LOCAL: LocalAccounts = {
  userNames: new Set(["root", "localadmin"]),
  uids: new Set([0, 1000]),
  nameOfUid: new Map([
    [0, "root"],
    [1000, "localadmin"],
  ]),
  groupNames: new Set(["root", "sudo", "localadmin", "storage"]),
  gids: new Set([0, 27, 1000, 1500]),
  homes: new Set(["/root", "/home/localadmin"]),
  shells: new Set(["/bin/bash", "/bin/zsh"]),
  shadowGid: 42,
};

const nothing: ObservedMap = { data: undefined, indexes: new Map() };

/** A node that serves nobody yet. */
export const BEFORE: NodeBefore = {
  local: LOCAL,
  maps: { group: nothing, passwd: nothing, shadow: nothing, sshkey: nothing },
  holders: { homes: new Map() },
  ledger: { holdings: [], rebuiltAt: undefined },
  ledgerFile: undefined,
  nowMs: 1_000_000,
};

/** The nth user as a draft: valid unless a test says otherwise. */
export function aUserDraft(nth: number, fields: Partial<UserDraft> = {}): UserDraft {
  return {
    id: `u-${nth}`,
    name: `user${nth}`,
    uid: 10_000 + nth,
    gid: fields.uid ?? 10_000 + nth,
    gecos: `User Number ${nth}`,
    home: undefined,
    shell: undefined,
    keys: [aKey(nth)],
    active: true,
    groups: [],
    ...fields,
  };
}

export function aGroupDraft(
  nth: number,
  members: readonly string[] = [],
  fields: Partial<GroupDraft> = {},
): GroupDraft {
  const entries = members.map((id) => ({ id, kind: undefined }));
  return { id: `g-${nth}`, name: `group${nth}`, gid: 50_000 + nth, members: entries, ...fields };
}

export function someDrafts(users: readonly UserDraft[], groups: readonly GroupDraft[] = []): Drafts {
  return { users, groups, problems: [] };
}

/** A node on which nothing was ever written. */
export function anEmptyNode(fields: Partial<Observed> = {}): Observed {
  return {
    ...BEFORE,
    keyFiles: new Map(),
    sudoers: undefined,
    published: undefined,
    differences: [],
    leftovers: [],
    homes: new Map(),
    ownsFiles: true,
    ...fields,
  };
}
