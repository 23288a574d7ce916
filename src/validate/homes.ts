/**
 * One home, one person: two users never share a home, and nobody's home lies inside another's.
 *
 * Whoever has a home already keeps it. Then come those with the home of the template, then those with one of
 * their own, which must not touch anybody's template either. Who clashes gets the home of the template; who
 * clashes there as well is refused.
 */

import type { User } from "../model/directory.ts";
import type { Holders, LocalAccounts } from "../model/observed.ts";
import type { Problem, Subject } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { type HomeTemplate, homeTemplate } from "./paths.ts";

/** Who ends up with a home, and what had to give way. */
export interface SettledHomes {
  readonly users: readonly User[];
  readonly problems: readonly Problem[];
}

/** What a home must not clash with, beside the other users. */
export interface HomeLimits {
  readonly path: string;
  readonly local: LocalAccounts;
  readonly holders: Holders;
  readonly subjectOf: (user: User) => Subject;
}

/** Gives every user a home of their own. */
export function settleHomes(users: readonly User[], limits: HomeLimits): SettledHomes {
  const template = homeTemplate(limits.path);
  const taken = createPlaces();
  localHomes(limits).forEach((home) => taken.take(home, "a local account"));
  const isOwn = ({ home, name }: User) => template.gives(home, name);
  // Homes of the template, where nobody has another one, are as deep as each other and never the same.
  const isUniform = limits.path.endsWith("/%u") && users.every(isOwn);
  if (isUniform && !users.some(({ home, name }) => taken.clash(home, name) !== undefined)) {
    return { users, problems: [] };
  }
  const others = isUniform ? undefined : wishesOf(users, template);

  const settled: User[] = [];
  const problems: Problem[] = [];
  for (const user of inOrder(users, isOwn, limits.holders)) {
    const isHeld = limits.holders.homes.get(user.name) === user.home;
    const fault =
      taken.clash(user.home, user.name) ??
      (isHeld || isOwn(user) ? undefined : others?.clash(user.home, user.name));
    if (fault === undefined) {
      if (others !== undefined) {
        taken.take(user.home, user.name);
      }
      settled.push(user);
      continue;
    }
    const home = template.of(user.name);
    const isRefused = taken.clash(home, user.name) !== undefined;
    const reason = `${quoted(user.home)} clashes with the home of ${fault}`;
    const code = isRefused ? "home-contested" : "home-replaced";
    problems.push({ code, subject: limits.subjectOf(user), field: "home", reason });
    if (!isRefused) {
      taken.take(home, user.name);
      settled.push({ ...user, home });
    }
  }
  return { users: settled, problems };
}

/** What a home of one's own must leave alone: everybody's template, and a home that somebody else wants too. */
function wishesOf(users: readonly User[], template: HomeTemplate): Pick<Places, "clash"> {
  const reserved = createPlaces();
  users.forEach(({ name }) => reserved.take(template.of(name), name));
  const wanted = new Set<string>();
  const wantedTwice = new Set<string>();
  users.forEach(({ home }) => (wanted.has(home) ? wantedTwice : wanted).add(home));
  return {
    clash: (path, owner) =>
      reserved.clash(path, owner) ?? (wantedTwice.has(path) ? "another user who wants it" : undefined),
  };
}

/** A local account that has the place of all homes for its home, or what is above it, owns none of them. */
function localHomes({ path, local }: HomeLimits): string[] {
  return [...local.homes].filter((home) => !path.startsWith(`${home}/`));
}

/** First who keeps what they have, then who asks for nothing special, then the others. */
function inOrder(
  users: readonly User[],
  isOwn: (user: User) => boolean,
  { homes }: Holders,
): readonly User[] {
  const held: User[] = [];
  const own: User[] = [];
  const others: User[] = [];
  for (const user of users) {
    (homes.get(user.name) === user.home ? held : isOwn(user) ? own : others).push(user);
  }
  return [...held, ...own, ...others];
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
