/**
 * Which homes must be made, and what is wrong with those that are there.
 *
 * An existing home is never chowned, repaired or deleted: whatever is wrong with it is a problem for people.
 */

import type { User } from "../model/directory.ts";
import { lazily } from "../model/lazily.ts";
import { latestBy } from "../model/ledger.ts";
import type { Observed } from "../model/observed.ts";
import type { CreateHome } from "../model/plan.ts";
import type { Problem, ProblemCode } from "../model/problem.ts";
import type { PlanSettings } from "./settings.ts";

/** What the homes need. */
export interface HomesPlan {
  readonly create: readonly CreateHome[];
  readonly problems: readonly Problem[];
}

const ABSENT = { kind: "absent" } as const;

/** Looks at the home of every active user, where homes are made here at all. */
export function planHomes(
  users: readonly User[],
  observed: Observed,
  settings: PlanSettings["homes"],
): HomesPlan {
  const create: CreateHome[] = [];
  const problems: Problem[] = [];
  if (!settings.create) {
    return { create, problems };
  }
  // Asked only where a home is somebody else's.
  const uids = lazily(() => uidsIn(users, observed));
  for (const user of users.filter(({ active }) => active)) {
    const home = observed.homes.get(user.home) ?? ABSENT;
    const problem = (code: ProblemCode, reason: string) =>
      problems.push({ code, subject: { kind: "user", id: user.id, name: user.name }, field: "home", reason });
    if (home.kind === "absent") {
      const { name, uid, gid, home: path } = user;
      create.push({ kind: "create-home", user: name, uid, gid, path });
    } else if (home.kind === "unreachable") {
      problem("home-parent", `${user.home}: ${home.reason}`);
    } else if (home.kind === "other") {
      problem("home-blocked", `${user.home} is no directory`);
    } else if (observed.ownsFiles && home.uid !== Number(user.uid)) {
      const owner = `uid ${home.uid} (${uids().nameOf(home.uid, user)})`;
      const mend = uids().isOwnFormer(home.uid, user) ? `; their files: ${chown(home.uid, user)}` : "";
      problem("home-owner", `${user.home} belongs to ${owner}, ${user.name} is uid ${user.uid}${mend}`);
    }
  }
  return { create, problems };
}

/** Whose a uid is or was. */
interface Uids {
  readonly nameOf: (uid: number, user: User) => string;
  /** Whether it is nobody's now, and was this user's. */
  readonly isOwnFormer: (uid: number, user: User) => boolean;
}

function chown(before: number, { uid, gid, home }: User): string {
  return `chown -Rh --from=${before} ${uid}:${gid} ${home}`;
}

/** Who a uid is, or was: on this node, by the ledger, or at the node itself. */
function uidsIn(users: readonly User[], { ledger, local }: Observed): Uids {
  const served = new Map(users.map(({ uid, name }) => [Number(uid), String(name)]));
  const former = latestBy(
    ledger.holdings.filter(({ kind }) => kind === "user"),
    ({ number }) => number,
  );
  const present = (uid: number) => served.get(uid) ?? local.nameOfUid.get(uid);
  const isOwnFormer = (uid: number, user: User) =>
    present(uid) === undefined && former.get(uid)?.id === String(user.id);
  return {
    isOwnFormer,
    nameOf: (uid, user) => {
      const gone = former.get(uid);
      const past = isOwnFormer(uid, user) ? "their own uid before" : gone && `${gone.name}, who is gone`;
      return present(uid) ?? past ?? "nobody known here";
    },
  };
}
