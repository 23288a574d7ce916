/**
 * One user record: from a draft to a candidate, or to problems that say why not.
 */

import type { User } from "../model/directory.ts";
import type { UserDraft } from "../model/draft.ts";
import type { ScimId } from "../model/ids.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { toUserName } from "./names.ts";
import { nologinShell, toHome, toShell } from "./paths.ts";
import { toGid, toUid } from "./posix-ids.ts";
import type { Rules } from "./rules.ts";
import { toKeys } from "./ssh-keys.ts";
import { toGecos } from "./text.ts";
import type { Refusal, Verdict } from "./verdict.ts";

/** A user whose own fields are sound; whether others compete with it is not known yet. */
export interface UserCandidate {
  readonly subject: Subject;
  readonly user: User;
}

/** What one draft came to. */
export interface UserVerdict {
  readonly candidate: UserCandidate | undefined;
  readonly problems: readonly Problem[];
}

/** Checks one draft by itself. */
export function checkUser(draft: UserDraft, rules: Rules, local: LocalAccounts): UserVerdict {
  const problems: Problem[] = [];
  const subject = subjectOf(draft);
  const report = (field: string, refusal: Refusal | undefined) => {
    if (refusal !== undefined) {
      problems.push({ code: refusal.code, subject, field, reason: refusal.reason });
    }
  };
  const name = toUserName(draft.name, { names: rules.names, local: local.userNames });
  const uid = toUid(draft.uid, { ids: rules.ids, local: local.uids });
  const gid = toGid(draft.gid, { ids: rules.ids, local: local.gids });
  report("name", refusalOf(name));
  report("uid", refusalOf(uid));
  report("gid", refusalOf(gid));
  if (!name.ok || !uid.ok || !gid.ok) {
    return { candidate: undefined, problems };
  }

  const gecos = toGecos(draft.gecos);
  const home = toHome(draft.home, name.value, rules.homes);
  const shell = toShell(draft.shell, rules.shells, local.shells);
  const activity = toActive(draft.active);
  const { keys, refusals } = toKeys(draft.keys, rules.keys);
  report("gecos", gecos.refusal);
  report("home", home.refusal);
  report("shell", shell.refusal);
  report("active", activity.refusal);
  refusals.forEach((refusal) => report("keys", refusal));

  const user: User = {
    id: draft.id as ScimId,
    name: name.value,
    uid: uid.value,
    gid: gid.value,
    gecos: gecos.value,
    home: home.value,
    shell: activity.value ? shell.value : nologinShell(rules.shells),
    keys: activity.value ? keys : [],
    active: activity.value,
  };
  return { candidate: { subject, user }, problems };
}

/** Absent means active (RFC 7643 §4.1.1 leaves it optional); anything that is no boolean keeps the user out. */
function toActive(raw: unknown): { readonly value: boolean; readonly refusal: Refusal | undefined } {
  if (raw === undefined || raw === null || typeof raw === "boolean") {
    return { value: raw !== false, refusal: undefined };
  }
  return {
    value: false,
    refusal: { code: "active-invalid", reason: `${quoted(raw)} is neither true nor false` },
  };
}

function subjectOf(draft: UserDraft): Subject {
  return { kind: "user", id: draft.id, ...(typeof draft.name === "string" && { name: draft.name }) };
}

function refusalOf(verdict: Verdict<unknown>): Refusal | undefined {
  return verdict.ok ? undefined : verdict.refusal;
}
