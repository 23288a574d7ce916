/**
 * What people keep of what they have here, whatever the IAM says now: their uid, because the files on every disk are theirs
 * by that number, and their name where the new one is somebody else's.
 */

import type { User } from "../model/directory.ts";
import type { UserDraft } from "../model/draft.ts";
import { lazily } from "../model/lazily.ts";
import type { Holding } from "../model/ledger.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { claimantsBy, isList } from "./contested.ts";
import { acceptCommand, type Decisions, isAccepted, type Owners } from "./ledger.ts";
import type { Rules } from "./rules.ts";
import { checkUser, subjectOf, type UserRules, userRules } from "./users.ts";

/** Users whose own fields are sound. */
export interface HeldUsers extends Decisions {
  readonly users: readonly User[];
  /** Whose record a user came from, for problems. */
  readonly subjectOf: (user: User) => Subject;
  readonly problems: readonly Problem[];
}

/** What users are checked by. */
export interface UserLimits {
  readonly rules: Rules;
  readonly local: LocalAccounts;
  readonly owners: Owners;
}

/** Checks every draft by itself, and once more with what has to stay. */
export function checkUsers(drafts: readonly UserDraft[], limits: UserLimits): HeldUsers {
  const rules = userRules(limits.rules, limits.local);
  const problems: Problem[] = [];
  const checked: (User | undefined)[] = [];
  const moved: Moved[] = [];
  for (const draft of drafts) {
    const from = problems.length;
    const user = checkUser(draft, rules, problems);
    const known = user && knownElsewhere(user, limits.owners);
    if (user !== undefined && known !== undefined) {
      moved.push({ draft, user, known, index: checked.length, from, to: problems.length });
    }
    checked.push(user);
  }
  const settled =
    moved.length === 0
      ? { users: checked, problems, accepted: [], acceptable: [] }
      : settleMoved({ checked, problems, moved }, { ...limits, userRules: rules });
  return {
    ...settled,
    users: settled.users.filter((user) => user !== undefined),
    subjectOf: subjectsOf(drafts, settled.users),
  };
}

/** What somebody has here whom the IAM calls or numbers otherwise now. */
function knownElsewhere({ id, name, uid }: User, owners: Owners): Holding | undefined {
  const known = owners.byId(id);
  return known?.number === Number(uid) && known.name === String(name) ? undefined : known;
}

/** By user; made when the first problem needs it, because most pulls have none. */
function subjectsOf(
  drafts: readonly UserDraft[],
  users: readonly (User | undefined)[],
): (user: User) => Subject {
  const found = lazily(() => new Map(drafts.map((draft, index) => [users[index], draft])));
  return (user) => subjectOf("user", found().get(user) ?? user);
}

/** Somebody who is here under another name or uid than the IAM says now. */
interface Moved {
  readonly draft: UserDraft;
  readonly user: User;
  readonly known: Holding;
  /** The place among the drafts. */
  readonly index: number;
  /** Where the problems of the draft begin and end. */
  readonly from: number;
  readonly to: number;
}

interface Checked {
  readonly checked: readonly (User | undefined)[];
  readonly problems: readonly Problem[];
  readonly moved: readonly Moved[];
}

/** Checks those who moved once more, with what has to stay. */
function settleMoved({ checked, problems, moved }: Checked, limits: HeldLimits) {
  const rivals = rivalsAmong(checked.filter((user) => user !== undefined));
  const users = [...checked];
  const settled: (readonly Problem[])[] = [];
  const accepted: string[] = [];
  const acceptable: string[] = [];
  let next = 0;
  for (const one of moved) {
    const stays = whatStays(one, rivals, limits);
    if (stays.isAccepted) {
      accepted.push(`user:${one.user.name}`);
    }
    if (stays.isAcceptable) {
      acceptable.push(`user:${one.user.name}`);
    }
    if (stays.problems.length > 0) {
      const held = heldBack(one, stays, limits);
      users[one.index] = held.user;
      settled.push(problems.slice(next, one.from), held.problems);
      next = one.to;
    }
  }
  return { users, problems: [...settled, problems.slice(next)].flat(), accepted, acceptable };
}

interface HeldLimits extends UserLimits {
  readonly userRules: UserRules;
}

/** The other users of one pull, by what they claim. */
interface Rivals {
  /** Whether somebody else claims this name. */
  wantName(user: User): boolean;
  /** Who else claims this uid. */
  wantUid(user: User): User | undefined;
  byId(id: string): User | undefined;
}

function rivalsAmong(users: readonly User[]): Rivals {
  const names = claimantsBy(users, ({ name }) => String(name));
  const uids = claimantsBy(users, ({ uid }) => Number(uid));
  const ids = new Map(users.map((user) => [String(user.id), user]));
  return {
    wantName: ({ name }) => isList(names.get(name)),
    wantUid: (one) => {
      const claimants = uids.get(one.uid);
      return isList(claimants) ? claimants.find((other) => other !== one) : undefined;
    },
    byId: (id) => ids.get(id),
  };
}

type HeldProblem = Omit<Problem, "subject">;

/** What must not change, with the problems that say so; none where a person has let it through. */
interface Stays {
  readonly uid: number | undefined;
  readonly name: string | undefined;
  readonly problems: readonly HeldProblem[];
  readonly isAccepted: boolean;
  readonly isAcceptable: boolean;
}

function whatStays({ user, known }: Moved, rivals: Rivals, limits: UserLimits): Stays {
  const { owners, rules } = limits;
  const { id, name, uid } = user;
  const mayKeep = (owner: Holding | undefined) => owner?.id === String(id);
  const isUidChanged = known.number !== Number(uid) && mayKeep(owners.byNumber("user", known.number));
  const isNameChanged = known.name !== String(name) && mayKeep(owners.byName("user", known.name));
  const isDecided = isAccepted(rules.accepts, "user", name);
  const taker = takerOf(user, rivals, limits);
  const keepsUid = isUidChanged && (!isDecided || taker !== undefined);
  const nameOwner = owners.byName("user", name);
  const isNameTaken = nameOwner !== undefined && nameOwner.id !== String(id) && !isDecided;
  const keepsName = isNameChanged && (isNameTaken || rivals.wantName(user));
  return {
    uid: keepsUid ? known.number : undefined,
    name: keepsName ? known.name : undefined,
    isAccepted: isUidChanged && !keepsUid,
    isAcceptable: (keepsUid && taker === undefined) || keepsName,
    problems: [
      ...(keepsUid ? [uidProblem(user, known, taker)] : []),
      ...(keepsName ? [nameProblem(user, known)] : []),
    ],
  };
}

function uidProblem(user: User, known: Holding, taker: string | undefined): HeldProblem {
  const until =
    taker === undefined
      ? `until ${acceptCommand("user", user.name)}`
      : `while ${quoted(taker)} has the other one`;
  const reason = `the IAM says ${user.uid} now; on this node it is ${known.number}, which stays ${until}`;
  return { code: "id-held", field: "uid", reason };
}

function nameProblem(user: User, known: Holding): HeldProblem {
  const reason = `the IAM says ${quoted(user.name)} now, which belongs to somebody else; on this node it is ${quoted(known.name)}, which stays`;
  return { code: "name-held", field: "name", reason };
}

/** Who would have the same uid: somebody whom the IAM still has and who does not move away with a decision of their own. */
function takerOf(user: User, rivals: Rivals, { owners, rules }: UserLimits): string | undefined {
  const { id, uid } = user;
  const owner = owners.byNumber("user", uid);
  if (owner !== undefined && owner.id !== String(id) && owners.isListed(owner)) {
    const other = rivals.byId(owner.id ?? "");
    const movesAway =
      other !== undefined && other.uid !== uid && isAccepted(rules.accepts, "user", other.name);
    if (!movesAway) {
      return owner.name;
    }
  }
  return rivals.wantUid(user)?.name;
}

/** The same record with what it keeps; left out where that cannot be served any more. */
function heldBack(
  { draft, user }: Moved,
  stays: Stays,
  limits: HeldLimits,
): { readonly user: User | undefined; readonly problems: readonly Problem[] } {
  const hasPrivateGroup = Number(user.gid) === Number(user.uid);
  // The number may be the gid of a group that was never theirs.
  const group = stays.uid === undefined ? undefined : limits.owners.byNumber("group", stays.uid);
  const isTheirs =
    group === undefined || group.id === String(user.id) || group.name === (stays.name ?? String(user.name));
  const kept: UserDraft = {
    ...draft,
    ...(stays.name !== undefined && { name: stays.name }),
    ...(stays.uid !== undefined && {
      uid: stays.uid,
      ...(hasPrivateGroup && isTheirs && { gid: stays.uid }),
    }),
  };
  const problems: Problem[] = [];
  const servable = checkUser(kept, limits.userRules, problems);
  const held = stays.problems.map((problem) => ({
    ...problem,
    code: servable === undefined ? ("id-stuck" as const) : problem.code,
    subject: subjectOf("user", draft),
  }));
  return { user: servable, problems: [...held, ...problems] };
}
