/**
 * Whose admin level of Slurm changes. A level that somebody else gave is left alone.
 */

import type { Problem } from "../model/problem.ts";
import type { AdminLevel, ObservedSlurm } from "../model/slurm.ts";
import type { OwnedSlurm } from "./slurm-owned.ts";
import type { WantedSlurm } from "./slurm-wanted.ts";

/** A level that becomes another one. */
export interface LevelChange {
  readonly user: string;
  readonly before: string;
  readonly level: AdminLevel;
}

/** Compares them. Only who is in some account can have one. */
export function planLevels(
  { levels, placements }: WantedSlurm,
  { users }: ObservedSlurm,
  owned: OwnedSlurm,
): { readonly changes: readonly LevelChange[]; readonly problems: readonly Problem[] } {
  const given = [...levels].filter(([user]) => users.has(user) || placements.has(user));
  const raised = given
    .map(([user, level]) => ({ user, level, before: users.get(user)?.adminLevel ?? "None" }))
    .filter(({ level, before }) => level !== before);
  const mayChange = ({ user, before }: LevelChange) => before === "None" || isOurs(owned, user, before);
  const lowered = [...users]
    .filter(([user, { adminLevel }]) => !levels.has(user) && isOurs(owned, user, adminLevel))
    .map(([user, { adminLevel }]) => ({ user, level: "None", before: adminLevel }) as const);
  return {
    changes: [...lowered, ...raised.filter(mayChange)],
    problems: [
      ...raised
        .filter((change) => !mayChange(change))
        .map(({ user, level, before }) =>
          about(user, "slurm-not-ours", `has the AdminLevel ${before} from somebody else, and not ${level}`),
        ),
      ...[...levels]
        .filter(([user]) => !users.has(user) && !placements.has(user))
        .map(([user]) => about(user, "slurm-unknown", "is in no account, so Slurm can give no AdminLevel")),
    ],
  };
}

function isOurs(owned: OwnedSlurm, user: string, level: string): boolean {
  return (level === "Operator" || level === "Administrator") && owned.has({ kind: "level", user, level });
}

function about(user: string, code: Problem["code"], reason: string): Problem {
  return { code, subject: { kind: "user", id: user, name: user }, field: "slurm.adminLevel", reason };
}
