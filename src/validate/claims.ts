/**
 * What records claim: names and uids, names and gids.
 */

import type { User } from "../model/directory.ts";
import type { Subject } from "../model/problem.ts";
import type { Claim, ClaimRules } from "./contested.ts";
import type { GroupCandidate } from "./groups.ts";
import type { Owners } from "./ledger.ts";
import type { Rules } from "./rules.ts";

const NAME_CODES = { contested: "name-contested", remembered: "name-remembered" } as const;
const ID_CODES = { contested: "id-contested", remembered: "id-remembered" } as const;

/** Of users. */
export function userClaims(
  owners: Owners,
  { accepts }: Rules,
  subjectOf: (user: User) => Subject,
): ClaimRules<User> {
  const claims: readonly Claim<User>[] = [
    {
      field: "name",
      codes: NAME_CODES,
      of: ({ name }) => name,
      ownerFor: ({ name }) => owners.byName("user", name),
    },
    {
      field: "uid",
      codes: ID_CODES,
      of: ({ uid }) => uid,
      ownerFor: ({ uid }) => owners.byNumber("user", uid),
    },
  ];
  const identityOf = (user: User) =>
    ({ kind: "user", subject: subjectOf(user), name: user.name, number: user.uid }) as const;
  return { kind: "user", accepts, owners, claims, identityOf };
}

/** Of groups. */
export function groupClaims(owners: Owners, { accepts }: Rules): ClaimRules<GroupCandidate> {
  const claims: readonly Claim<GroupCandidate>[] = [
    {
      field: "name",
      codes: NAME_CODES,
      of: ({ name }) => name,
      ownerFor: ({ name }) => owners.byName("group", name),
    },
    {
      field: "gid",
      codes: ID_CODES,
      of: ({ gid }) => gid,
      ownerFor: ({ gid }) => owners.byNumber("group", gid),
    },
  ];
  const identityOf = ({ subject, name, gid }: GroupCandidate) =>
    ({ kind: "group", subject, name, number: gid }) as const;
  return { kind: "group", accepts, owners, claims, identityOf };
}
