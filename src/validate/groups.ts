/**
 * Group records, and the private groups that users without a served primary group get.
 */

import type { User } from "../model/directory.ts";
import type { GroupDraft } from "../model/draft.ts";
import type { Gid, GroupName, ScimId } from "../model/ids.ts";
import type { Holding } from "../model/ledger.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { acceptCommand, type Decisions, describeOwner, isAccepted, type Owners } from "./ledger.ts";
import { toGroupName } from "./names.ts";
import { toGid } from "./posix-ids.ts";
import type { Rules } from "./rules.ts";
import type { UserCandidate } from "./users.ts";
import { type Refusal, refuse, type Verdict } from "./verdict.ts";

/** A group whose own fields are sound. */
export interface GroupCandidate {
  readonly subject: Subject;
  /** Undefined for a private group, which no record stands for. */
  readonly id: ScimId | undefined;
  readonly name: GroupName;
  readonly gid: Gid;
}

/** What one draft came to. */
export interface GroupVerdict {
  readonly candidate: GroupCandidate | undefined;
  readonly problems: readonly Problem[];
}

/** Checks one draft by itself. */
export function checkGroup(draft: GroupDraft, rules: Rules, local: LocalAccounts): GroupVerdict {
  const subject: Subject = {
    kind: "group",
    id: draft.id,
    ...(typeof draft.name === "string" && { name: draft.name }),
  };
  const name = toGroupName(draft.name, { names: rules.names, local: local.groupNames });
  const gid = toGid(draft.gid, { ids: rules.ids, local: local.gids });
  if (name.ok && gid.ok) {
    return { candidate: { subject, id: draft.id as ScimId, name: name.value, gid: gid.value }, problems: [] };
  }
  return {
    candidate: undefined,
    problems: [...problemOf("name", name, subject), ...problemOf("gid", gid, subject)],
  };
}

function problemOf(field: string, verdict: Verdict<unknown>, subject: Subject): Problem[] {
  return verdict.ok ? [] : [{ code: verdict.refusal.code, subject, field, reason: verdict.refusal.reason }];
}

/**
 * Refuses a group that would take the name of a user's private group, unless this node has that group already: a login
 * is worth more than a group. Names and gids that private groups had before are claims like any other.
 */
export function refuseIntruders(
  groups: readonly GroupCandidate[],
  users: readonly UserCandidate[],
  owners: Owners,
): { readonly kept: readonly GroupCandidate[]; readonly problems: readonly Problem[] } {
  const withPrivate = users.filter(({ user }) => Number(user.gid) === Number(user.uid));
  const gids = new Map(withPrivate.map(({ user }) => [String(user.name), Number(user.gid)]));
  const takesName = ({ name, gid }: GroupCandidate) => {
    const wanted = gids.get(name);
    return wanted !== undefined && wanted !== Number(gid) && owners.byName("group", name)?.kind !== "group";
  };
  return {
    kept: groups.filter((group) => !takesName(group)),
    problems: groups.filter(takesName).map(({ name, subject }) => ({
      code: "name-contested",
      subject,
      field: "name",
      reason: `${quoted(name)} is the name of a user's private group`,
    })),
  };
}

/** What the primary groups came to. */
export interface PrimaryGroups extends Decisions {
  readonly users: readonly UserCandidate[];
  readonly privateGroups: readonly GroupCandidate[];
  readonly problems: readonly Problem[];
}

/**
 * Keeps the users whose gid is that of a served group, and makes a private group of the user's own name
 * where gid equals uid. The private group obeys the rules of group names: a user called `docker` gets none.
 */
export function settlePrimaryGroups(
  users: readonly UserCandidate[],
  groups: readonly GroupCandidate[],
  limits: PrivateGroupLimits,
): PrimaryGroups {
  const servedGids = new Set<number>(groups.map((group) => group.gid));
  const servedNames = new Set<string>(groups.map((group) => group.name));
  const kept: UserCandidate[] = [];
  const privateGroups: GroupCandidate[] = [];
  const problems: Problem[] = [];
  const accepted: string[] = [];
  const acceptable: string[] = [];
  for (const candidate of users) {
    const { user, subject } = candidate;
    const isServed = servedGids.has(user.gid);
    const own = isServed ? undefined : privateGroupFor(candidate, servedNames, limits);
    if (own !== undefined && "reason" in own) {
      problems.push({ subject, field: "gid", ...own });
      acceptable.push(...(own.code === "primary-group-missing" ? [] : [`user:${user.name}`]));
      continue;
    }
    kept.push(candidate);
    privateGroups.push(...(own === undefined ? [] : [own]));
    accepted.push(
      ...(own !== undefined && formerOwnerOf(user, limits.owners) !== undefined ? [`user:${user.name}`] : []),
    );
  }
  return { users: kept, privateGroups, problems, accepted, acceptable };
}

interface PrivateGroupLimits {
  readonly rules: Rules;
  readonly local: LocalAccounts;
  readonly owners: Owners;
}

/** The private group, or why there is none. */
function privateGroupFor(
  { user, subject }: UserCandidate,
  servedNames: ReadonlySet<string>,
  { rules, local, owners }: PrivateGroupLimits,
): GroupCandidate | Refusal {
  if (Number(user.gid) !== Number(user.uid)) {
    return missing(`no served group has gid ${user.gid}, and it is not the uid, ${user.uid}`);
  }
  if (servedNames.has(user.name)) {
    return missing(
      `no served group has gid ${user.gid}, and a group called ${quoted(user.name)} has another`,
    );
  }
  const former = formerOwnerOf(user, owners);
  if (former !== undefined && !isAccepted(rules.accepts, "user", user.name)) {
    const code = former.number === Number(user.gid) ? "id-remembered" : "name-remembered";
    return refuse(
      code,
      `the private group: ${former.number} ${describeOwner(former)}, until ${acceptCommand("user", user.name)}`,
    ).refusal;
  }
  const name = toGroupName(user.name, {
    names: { ...rules.names, normaliseGroups: false },
    local: local.groupNames,
  });
  return name.ok
    ? { subject, id: undefined, name: name.value, gid: user.gid }
    : missing(`no private group: ${name.refusal.reason}`);
}

function missing(reason: string): Refusal {
  return refuse("primary-group-missing", reason).refusal;
}

/** Another group that has, or had, the name or the gid of this user's private one; a group with both was the same. */
function formerOwnerOf({ id, name, gid }: User, owners: Owners): Holding | undefined {
  return [owners.byNumber("group", gid), owners.byName("group", name)].find(
    (owner) =>
      owner !== undefined &&
      !(owner.kind === "private" && owner.id === String(id)) &&
      !(owner.name === String(name) && owner.number === Number(gid)),
  );
}
