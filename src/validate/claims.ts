/**
 * What records claim: names and uids, names and gids.
 */

import type { Claim, ClaimRules } from "./contested.ts";
import type { GroupCandidate } from "./groups.ts";
import type { Owners } from "./ledger.ts";
import type { Rules } from "./rules.ts";
import type { UserCandidate } from "./users.ts";

const NAME_CODES = { contested: "name-contested", remembered: "name-remembered" } as const;
const ID_CODES = { contested: "id-contested", remembered: "id-remembered" } as const;

/** Of users. */
export function userClaims(owners: Owners, { accepts }: Rules): ClaimRules<UserCandidate> {
  const claims: readonly Claim<UserCandidate>[] = [
    {
      field: "name",
      codes: NAME_CODES,
      of: ({ user }) => user.name,
      ownerFor: ({ user }) => owners.byName("user", user.name),
    },
    {
      field: "uid",
      codes: ID_CODES,
      of: ({ user }) => user.uid,
      ownerFor: ({ user }) => owners.byNumber("user", user.uid),
    },
  ];
  const identityOf = ({ subject, user }: UserCandidate) =>
    ({ kind: "user", subject, name: user.name, number: user.uid }) as const;
  return { accepts, owners, claims, identityOf };
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
  return { accepts, owners, claims, identityOf };
}
