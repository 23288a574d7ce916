/**
 * Group records, and the private groups that users without a served primary group get.
 */

import type { GroupDraft } from "../model/draft.ts";
import type { Gid, GroupName, ScimId } from "../model/ids.ts";
import type { Holders, LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import type { Settled } from "./contested.ts";
import { describeOwner, isAccepted, type Owners } from "./ledger.ts";
import { toGroupName } from "./names.ts";
import { toGid } from "./posix-ids.ts";
import type { Rules } from "./rules.ts";
import type { UserCandidate } from "./users.ts";
import type { Verdict } from "./verdict.ts";

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

/** What is known of private groups: the maps on disk, the ledger, and what a person has decided. */
export interface KnownGroups {
  readonly holders: Holders;
  readonly owners: Owners;
  readonly accepts: Rules["accepts"];
}

/**
 * Refuses a group that would take over the private group of a user: its gid, where this node has that private
 * group already, or its name, unless this node has that group already. A login is worth more than a group. A record
 * with both the name and the gid is refused only where this node has known the user without it.
 */
export function refuseIntruders(
  groups: readonly GroupCandidate[],
  users: readonly UserCandidate[],
  { holders, owners, accepts }: KnownGroups,
): Settled<GroupCandidate> {
  const withPrivate = users.filter(({ user }) => Number(user.gid) === Number(user.uid));
  const byGid = new Map(withPrivate.map(({ user }) => [Number(user.gid), user]));
  const byName = new Map(withPrivate.map(({ user }) => [String(user.name), Number(user.gid)]));
  const problems: Problem[] = [];
  const accepted: string[] = [];
  const kept = groups.filter((group) => {
    const { name, gid, subject } = group;
    const user = byGid.get(gid);
    const owner = user?.name;
    const isThere = owner !== undefined && holders.gids.get(owner) === Number(gid);
    const isNewRecord =
      owners.byId("user", user?.id ?? "") !== undefined && owners.byId("group", subject.id) === undefined;
    const isLetThrough =
      String(owner) === String(name) && isNewRecord && isThere && isAccepted(accepts, name);
    accepted.push(...(isLetThrough ? [name] : []));
    const takesGid = isThere && !isLetThrough && (String(owner) !== String(name) || isNewRecord);
    const wanted = byName.get(name);
    const takesName =
      wanted !== undefined && wanted !== Number(gid) && holders.gids.get(name) !== Number(gid);
    if (takesGid) {
      const reason = `${gid} is the private group of the user ${quoted(owner)}`;
      problems.push({ code: "id-contested", subject, field: "gid", reason });
    } else if (takesName) {
      const reason = `${quoted(name)} is the name of a user's private group`;
      problems.push({ code: "name-contested", subject, field: "name", reason });
    }
    return !takesGid && !takesName;
  });
  return { kept, problems, accepted };
}

/** What the primary groups came to. */
export interface PrimaryGroups {
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
  for (const candidate of users) {
    const { user, subject } = candidate;
    const isServed = servedGids.has(user.gid);
    const own = isServed ? undefined : privateGroupFor(candidate, servedNames, limits);
    if (typeof own === "string") {
      problems.push({ code: "primary-group-missing", subject, field: "gid", reason: own });
    } else {
      kept.push(candidate);
      privateGroups.push(...(own === undefined ? [] : [own]));
    }
  }
  return { users: kept, privateGroups, problems };
}

interface PrivateGroupLimits {
  readonly rules: Rules;
  readonly local: LocalAccounts;
  readonly owners: Owners;
}

/** The private group, or the reason why there is none. */
function privateGroupFor(
  { user, subject }: UserCandidate,
  servedNames: ReadonlySet<string>,
  { rules, local, owners }: PrivateGroupLimits,
): GroupCandidate | string {
  if (Number(user.gid) !== Number(user.uid)) {
    return `no served group has gid ${user.gid}, and it is not the uid, ${user.uid}`;
  }
  if (servedNames.has(user.name)) {
    return `no served group has gid ${user.gid}, and a group called ${quoted(user.name)} has another`;
  }
  const former = owners.byNumber("group", user.gid) ?? owners.byName("group", user.name);
  const isOwn = former?.name === String(user.name) && former.number === Number(user.gid);
  if (former?.id !== undefined && !isOwn) {
    return `no private group: ${user.gid} or ${quoted(user.name)} ${describeOwner(former)}`;
  }
  const name = toGroupName(user.name, {
    names: { ...rules.names, normaliseGroups: false },
    local: local.groupNames,
  });
  return name.ok
    ? { subject, id: undefined, name: name.value, gid: user.gid }
    : `no private group: ${name.refusal.reason}`;
}
