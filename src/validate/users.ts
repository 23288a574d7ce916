/**
 * One user record: from a draft to a user with sound fields, or to problems that say why not.
 */

import type { User } from "../model/directory.ts";
import type { GroupDraft, UserDraft } from "../model/draft.ts";
import type { AuthorizedKey, ScimId } from "../model/ids.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { type NameLimits, toUserName } from "./names.ts";
import { type HomeRules, homeRules, type ShellRules, shellRules, toHome, toShell } from "./paths.ts";
import { type IdLimits, toGid, toUid } from "./posix-ids.ts";
import type { Rules } from "./rules.ts";
import { toKeys } from "./ssh-keys.ts";
import { toGecos } from "./text.ts";
import { isMended, isRefusal, mendedValue, type Refusal, type Substitute } from "./verdict.ts";

/** What the fields of users are checked by, put together once. */
export interface UserRules {
  readonly names: NameLimits;
  readonly uids: IdLimits;
  readonly gids: IdLimits;
  readonly homes: HomeRules;
  readonly shells: ShellRules;
  readonly keys: Rules["keys"];
}

/** The rules of the admin, on this node. */
export function userRules(rules: Rules, local: LocalAccounts): UserRules {
  return {
    names: { names: rules.names, local: local.userNames },
    uids: { ids: rules.ids, local: local.uids },
    gids: { ids: rules.ids, local: local.gids },
    homes: homeRules(rules.homes),
    shells: shellRules(rules.shells, local.shells),
    keys: rules.keys,
  };
}

/**
 * Checks one draft by itself, and adds what is wrong with it to the problems. The user that comes out has sound fields;
 * whether others compete with it is not known yet. Nothing else is made for a draft without a fault.
 */
export function checkUser(draft: UserDraft, rules: UserRules, problems: Problem[]): User | undefined {
  const name = toUserName(draft.name, rules.names);
  const uid = toUid(draft.uid, rules.uids);
  const gid = toGid(draft.gid, rules.gids);
  if (isRefusal(name) || isRefusal(uid) || isRefusal(gid)) {
    report(draft, { name, uid, gid }, problems);
    return undefined;
  }
  const gecos = toGecos(draft.gecos);
  const home = toHome(draft.home, name, rules.homes);
  const shell = toShell(draft.shell, rules.shells);
  const active = toActive(draft.active);
  const { keys, refusals } = toKeys(draft.keys, rules.keys);
  if (isMended(gecos) || isMended(home) || isMended(shell) || typeof active === "object") {
    report(draft, { gecos, home, shell, active }, problems);
  }
  for (const refusal of refusals) {
    report(draft, { keys: refusal }, problems);
  }
  return {
    id: draft.id as ScimId,
    name,
    uid,
    gid,
    gecos: mendedValue(gecos),
    home: mendedValue(home),
    shell: active === true ? mendedValue(shell) : rules.shells.nologin,
    keys: active === true ? keys : NO_KEYS,
    active: active === true,
  };
}

const NO_KEYS: readonly AuthorizedKey[] = [];

/** Absent means active (RFC 7643 §4.1.1 leaves it optional); anything that is no boolean keeps the user out. */
function toActive(raw: unknown): boolean | Refusal {
  if (raw === undefined || raw === null || typeof raw === "boolean") {
    return raw !== false;
  }
  return { code: "active-invalid", reason: `${quoted(raw)} is neither true nor false` };
}

/** Adds a problem for each field that was refused. */
function report(
  draft: UserDraft,
  fields: Readonly<Record<string, string | number | boolean | Refusal | Substitute<string>>>,
  problems: Problem[],
): void {
  for (const [field, verdict] of Object.entries(fields)) {
    if (typeof verdict === "object") {
      const { code, reason } = "refusal" in verdict ? verdict.refusal : verdict;
      problems.push({ code, subject: subjectOf("user", draft), field, reason });
    }
  }
}

/** Whose problem it is, by the name the IAM gave. */
export function subjectOf(
  kind: "user" | "group",
  { id, name }: Pick<UserDraft | GroupDraft, "id" | "name">,
): Subject {
  return typeof name === "string" ? { kind, id, name } : { kind, id };
}
