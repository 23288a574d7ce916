/**
 * What people keep of what they have here, whatever the IAM says now: their uid, because the files on every disk are theirs
 * by that number, and their name where the new one is somebody else's.
 */

import type { UserDraft } from "../model/draft.ts";
import type { Holding } from "../model/ledger.ts";
import type { LocalAccounts } from "../model/observed.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { acceptCommand, type Decisions, isAccepted, type Owners } from "./ledger.ts";
import type { Rules } from "./rules.ts";
import { checkUser, type UserCandidate } from "./users.ts";

/** Users whose own fields are sound. */
export interface HeldUsers extends Decisions {
  readonly candidates: readonly UserCandidate[];
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
  const { rules, local } = limits;
  const checked = drafts.map((draft) => ({ draft, ...checkUser(draft, rules, local) }));
  const rivals = rivalsAmong(checked.flatMap(({ candidate }) => candidate ?? []));
  const accepted: string[] = [];
  const acceptable: string[] = [];
  const settled = checked.map(({ draft, candidate, problems }) => {
    const stays = candidate && whatStays(candidate, rivals, limits);
    if (candidate === undefined || stays === undefined) {
      return { candidate, problems };
    }
    accepted.push(...(stays.isAccepted ? [`user:${candidate.user.name}`] : []));
    acceptable.push(...(stays.isAcceptable ? [`user:${candidate.user.name}`] : []));
    return stays.problems.length === 0
      ? { candidate, problems }
      : heldBack(draft, candidate, { stays, limits });
  });
  return {
    candidates: settled.flatMap(({ candidate }) => candidate ?? []),
    problems: settled.flatMap(({ problems }) => problems),
    accepted,
    acceptable,
  };
}

/** The other candidates of one pull, by what they claim. */
interface Rivals {
  /** Whether somebody else claims this name. */
  wantName(candidate: UserCandidate): boolean;
  /** Who else claims this uid. */
  wantUid(candidate: UserCandidate): UserCandidate | undefined;
  byId(id: string): UserCandidate | undefined;
}

function rivalsAmong(candidates: readonly UserCandidate[]): Rivals {
  const names = Map.groupBy(candidates, ({ user }) => String(user.name));
  const uids = Map.groupBy(candidates, ({ user }) => Number(user.uid));
  const ids = new Map(candidates.map((candidate) => [String(candidate.user.id), candidate]));
  return {
    wantName: ({ user }) => (names.get(user.name)?.length ?? 0) > 1,
    wantUid: (one) => uids.get(one.user.uid)?.find((other) => other !== one),
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

function whatStays(candidate: UserCandidate, rivals: Rivals, limits: UserLimits): Stays | undefined {
  const { owners, rules } = limits;
  const { id, name, uid } = candidate.user;
  const known = owners.byId("user", id);
  if (known === undefined || (known.number === Number(uid) && known.name === String(name))) {
    return undefined;
  }
  const mayKeep = (owner: Holding | undefined) => owner?.id === String(id);
  const isUidChanged = known.number !== Number(uid) && mayKeep(owners.byNumber("user", known.number));
  const isNameChanged = known.name !== String(name) && mayKeep(owners.byName("user", known.name));
  const isDecided = isAccepted(rules.accepts, "user", name);
  const taker = takerOf(candidate, rivals, limits);
  const keepsUid = isUidChanged && (!isDecided || taker !== undefined);
  const nameOwner = owners.byName("user", name);
  const isNameTaken = nameOwner !== undefined && nameOwner.id !== String(id) && !isDecided;
  const keepsName = isNameChanged && (isNameTaken || rivals.wantName(candidate));
  return {
    uid: keepsUid ? known.number : undefined,
    name: keepsName ? known.name : undefined,
    isAccepted: isUidChanged && !keepsUid,
    isAcceptable: (keepsUid && taker === undefined) || keepsName,
    problems: [
      ...(keepsUid ? [uidProblem(candidate, known, taker)] : []),
      ...(keepsName ? [nameProblem(candidate, known)] : []),
    ],
  };
}

function uidProblem({ user }: UserCandidate, known: Holding, taker: string | undefined): HeldProblem {
  const until =
    taker === undefined
      ? `until ${acceptCommand("user", user.name)}`
      : `while ${quoted(taker)} has the other one`;
  const reason = `the IAM says ${user.uid} now; on this node it is ${known.number}, which stays ${until}`;
  return { code: "id-held", field: "uid", reason };
}

function nameProblem({ user }: UserCandidate, known: Holding): HeldProblem {
  const reason = `the IAM says ${quoted(user.name)} now, which belongs to somebody else; on this node it is ${quoted(known.name)}, which stays`;
  return { code: "name-held", field: "name", reason };
}

/** Who would have the same uid: somebody whom the IAM still has and who does not move away with a decision of their own. */
function takerOf(
  candidate: UserCandidate,
  rivals: Rivals,
  { owners, rules }: UserLimits,
): string | undefined {
  const { id, uid } = candidate.user;
  const owner = owners.byNumber("user", uid);
  if (owner !== undefined && owner.id !== String(id) && owners.isListed(owner)) {
    const other = rivals.byId(owner.id ?? "");
    const movesAway =
      other !== undefined && other.user.uid !== uid && isAccepted(rules.accepts, "user", other.user.name);
    if (!movesAway) {
      return owner.name;
    }
  }
  return rivals.wantUid(candidate)?.user.name;
}

/** The same record with what it keeps; left out where that cannot be served any more. */
function heldBack(
  draft: UserDraft,
  { user, subject }: UserCandidate,
  { stays, limits }: { readonly stays: Stays; readonly limits: UserLimits },
): { readonly candidate: UserCandidate | undefined; readonly problems: readonly Problem[] } {
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
  const { candidate, problems } = checkUser(kept, limits.rules, limits.local);
  const held = stays.problems.map((problem) => ({
    ...problem,
    code: candidate === undefined ? ("id-stuck" as const) : problem.code,
    subject,
  }));
  return { candidate: candidate && { ...candidate, subject }, problems: [...held, ...problems] };
}
