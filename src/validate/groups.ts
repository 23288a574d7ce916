/**
 * Group records, and the private groups that users without a served primary group get.
 */

import type { Group, User } from "../model/directory.ts";
import type { GroupDraft } from "../model/draft.ts";
import type { Gid, GroupName, ScimId, UserName } from "../model/ids.ts";
import type { Holding } from "../model/ledger.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { acceptCommand, type Decisions, describeOwner, isAccepted, type Owners } from "./ledger.ts";
import { type NameLimits, toGroupName } from "./names.ts";
import { toGid } from "./posix-ids.ts";
import type { Rules } from "./rules.ts";
import { subjectOf } from "./users.ts";
import { isRefusal, type Refusal } from "./verdict.ts";

/** A group whose own fields are sound. */
export interface GroupCandidate {
  readonly subject: Subject;
  readonly id: ScimId;
  readonly name: GroupName;
  readonly gid: Gid;
}

/** What the drafts came to. */
export interface CheckedGroups {
  readonly candidates: readonly GroupCandidate[];
  readonly problems: readonly Problem[];
}

/** Checks every draft by itself. */
export function checkGroups(
  drafts: readonly GroupDraft[],
  rules: Rules,
  local: LocalAccounts,
): CheckedGroups {
  const names = { names: rules.names, local: local.groupNames };
  const gids = { ids: rules.ids, local: local.gids };
  const candidates: GroupCandidate[] = [];
  const problems: Problem[] = [];
  for (const draft of drafts) {
    const subject = subjectOf("group", draft);
    const name = toGroupName(draft.name, names);
    const gid = toGid(draft.gid, gids);
    if (!isRefusal(name) && !isRefusal(gid)) {
      candidates.push({ subject, id: draft.id as ScimId, name, gid });
      continue;
    }
    for (const [field, verdict] of Object.entries({ name, gid })) {
      if (isRefusal(verdict)) {
        problems.push({ code: verdict.code, subject, field, reason: verdict.reason });
      }
    }
  }
  return { candidates, problems };
}

/**
 * Refuses a group that would take the name of a user's private group, unless this node has that group already: a login
 * is worth more than a group. Names and gids that private groups had before are claims like any other.
 */
export function refuseIntruders(
  groups: readonly GroupCandidate[],
  users: readonly User[],
  owners: Owners,
): { readonly kept: readonly GroupCandidate[]; readonly problems: readonly Problem[] } {
  const names = new Set<string>(groups.map(({ name }) => name));
  const withPrivate = users.filter(({ name, uid, gid }) => Number(gid) === Number(uid) && names.has(name));
  const gids = new Map(withPrivate.map(({ name, gid }) => [String(name), Number(gid)]));
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
  readonly users: readonly User[];
  /** Whether the primary group of a user who is kept is a private one. */
  readonly isPrivate: (user: User) => boolean;
  readonly problems: readonly Problem[];
}

/**
 * Keeps the users whose gid is that of a served group, and makes a private group of the user's own name
 * where gid equals uid. The private group obeys the rules of group names: a user called `docker` gets none.
 */
export function settlePrimaryGroups(
  users: readonly User[],
  groups: readonly GroupCandidate[],
  limits: PrivateGroupLimits,
): PrimaryGroups {
  const servedGids = new Set<number>(groups.map((group) => group.gid));
  const own: OwnGroups = {
    names: { names: { ...limits.rules.names, normaliseGroups: false }, local: limits.local.groupNames },
    servedNames: new Set<string>(groups.map((group) => group.name)),
    accepts: limits.rules.accepts,
  };
  const problems: Problem[] = [];
  const accepted: string[] = [];
  const acceptable: string[] = [];
  const kept = users.filter((user) => {
    if (servedGids.has(user.gid)) {
      return true;
    }
    const former = formerOwnerOf(user, limits.owners);
    const fault = privateGroupFault(user, former, own);
    if (fault === undefined ? former !== undefined : fault.code !== "primary-group-missing") {
      (fault === undefined ? accepted : acceptable).push(`user:${user.name}`);
    }
    if (fault !== undefined) {
      problems.push({ subject: limits.subjectOf(user), field: "gid", ...fault });
    }
    return fault === undefined;
  });
  return { users: kept, isPrivate: ({ gid }) => !servedGids.has(gid), problems, accepted, acceptable };
}

/** The private group of a user. Nobody is a member: it is the primary group of one. */
export function privateGroupOf({ name, gid }: User): Group {
  return { id: undefined, name: String(name) as GroupName, gid, members: NOBODY };
}

const NOBODY: readonly UserName[] = [];

interface PrivateGroupLimits {
  readonly rules: Rules;
  readonly local: LocalAccounts;
  readonly owners: Owners;
  readonly subjectOf: (user: User) => Subject;
}

/** What private groups are checked by. */
interface OwnGroups {
  readonly names: NameLimits;
  readonly servedNames: ReadonlySet<string>;
  readonly accepts: Rules["accepts"];
}

/** Why there can be no private group; `former` is another group with its name or gid. */
function privateGroupFault(
  { name, uid, gid }: User,
  former: Holding | undefined,
  { names, servedNames, accepts }: OwnGroups,
): Refusal | undefined {
  if (Number(gid) !== Number(uid)) {
    return missing(`no served group has gid ${gid}, and it is not the uid, ${uid}`);
  }
  if (servedNames.has(name)) {
    return missing(`no served group has gid ${gid}, and a group called ${quoted(name)} has another`);
  }
  if (former !== undefined && !isAccepted(accepts, "user", name)) {
    const code = former.number === Number(gid) ? "id-remembered" : "name-remembered";
    const reason = `the private group: ${former.number} ${describeOwner(former)}, until ${acceptCommand("user", name)}`;
    return { code, reason };
  }
  const verdict = toGroupName(name, names);
  return isRefusal(verdict) ? missing(`no private group: ${verdict.reason}`) : undefined;
}

function missing(reason: string): Refusal {
  return { code: "primary-group-missing", reason };
}

/** Another group that has, or had, the name or the gid of this user's private one; a group with both was the same. */
function formerOwnerOf(user: User, owners: Owners): Holding | undefined {
  const ofGid = owners.byNumber("group", user.gid);
  if (isAnother(ofGid, user)) {
    return ofGid;
  }
  const ofName = owners.byName("group", user.name);
  return isAnother(ofName, user) ? ofName : undefined;
}

function isAnother(owner: Holding | undefined, { id, name, gid }: User): boolean {
  return (
    owner !== undefined &&
    !(owner.kind === "private" && owner.id === String(id)) &&
    !(owner.name === String(name) && owner.number === Number(gid))
  );
}
