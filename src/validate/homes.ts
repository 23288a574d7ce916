/**
 * One home, one person: two users never share a home, and nobody's home lies inside another's.
 *
 * Whoever has a home already keeps it. Then come those with the home of the template, then those with one of
 * their own, which must not touch anybody's template either. Who clashes gets the home of the template; who
 * clashes there as well is refused.
 */

import type { Holders, LocalAccounts } from "../model/observed.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { homeFromTemplate } from "./paths.ts";
import type { UserCandidate } from "./users.ts";

/** Who ends up with a home, and what had to give way. */
export interface SettledHomes {
  readonly candidates: readonly UserCandidate[];
  readonly problems: readonly Problem[];
}

/** What a home must not clash with, beside the other candidates. */
export interface HomeLimits {
  readonly template: string;
  readonly local: LocalAccounts;
  readonly holders: Holders;
}

/** Gives every candidate a home of their own. */
export function settleHomes(candidates: readonly UserCandidate[], limits: HomeLimits): SettledHomes {
  const templateOf = ({ user }: UserCandidate) => homeFromTemplate(limits.template, user.name);
  const reserved = createPlaces();
  candidates.forEach((candidate) => reserved.take(templateOf(candidate), candidate.user.name));
  const taken = createPlaces();
  localHomes(limits).forEach((home) => taken.take(home, "a local account"));
  const wishes = Map.groupBy(candidates, ({ user }) => String(user.home));

  const settled: UserCandidate[] = [];
  const problems: Problem[] = [];
  for (const candidate of inOrder(candidates, limits)) {
    const { user, subject } = candidate;
    const own = templateOf(candidate);
    const isHeld = limits.holders.homes.get(user.name) === user.home;
    const isWishedTwice = (wishes.get(user.home)?.length ?? 0) > 1;
    const fault =
      taken.clash(user.home, user.name) ??
      (isHeld || user.home === own ? undefined : reserved.clash(user.home, user.name)) ??
      (isWishedTwice && !isHeld && user.home !== own ? "another user who wants it" : undefined);
    const home = fault === undefined ? user.home : own;
    const last = fault === undefined ? undefined : taken.clash(own, user.name);
    const reason = `${quoted(user.home)} clashes with the home of ${fault}`;
    if (last !== undefined) {
      problems.push({ code: "home-contested", subject, field: "home", reason });
      continue;
    }
    if (fault !== undefined) {
      problems.push({ code: "home-replaced", subject, field: "home", reason });
    }
    taken.take(home, user.name);
    settled.push({ subject, user: { ...user, home } });
  }
  return { candidates: settled, problems };
}

/** A local account that has the place of all homes for its home, or what is above it, owns none of them. */
function localHomes({ template, local }: HomeLimits): string[] {
  return [...local.homes].filter((home) => !template.startsWith(`${home}/`));
}

/** First who keeps what they have, then who asks for nothing special, then the others. */
function inOrder(candidates: readonly UserCandidate[], { template, holders }: HomeLimits): UserCandidate[] {
  const rankOf = ({ user }: UserCandidate) => {
    if (holders.homes.get(user.name) === user.home) {
      return 0;
    }
    return user.home === homeFromTemplate(template, user.name) ? 1 : 2;
  };
  return candidates.toSorted((left, right) => rankOf(left) - rankOf(right));
}

/** Paths with owners. */
interface Places {
  take(path: string, owner: string): void;
  /** Who else has this path, a directory above it, or something below it. */
  clash(path: string, owner: string): string | undefined;
}

function createPlaces(): Places {
  const owners = new Map<string, string>();
  const below = new Map<string, string>();
  const others = (found: string | undefined, owner: string) => (found === owner ? undefined : found);
  return {
    take(path, owner) {
      owners.set(path, owner);
      for (let parent = parentOf(path); parent !== "" && !below.has(parent); parent = parentOf(parent)) {
        below.set(parent, owner);
      }
    },
    clash(path, owner) {
      for (let place = path; place !== ""; place = parentOf(place)) {
        const other = others(owners.get(place), owner);
        if (other !== undefined) {
          return other;
        }
      }
      return others(below.get(path), owner);
    },
  };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
