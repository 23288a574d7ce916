/**
 * One home, one person: two users never share a home, and nobody's home lies inside another's.
 *
 * Whoever has a home from the IAM that clashes gets the one of the template instead; those are all
 * different, because user names are.
 */

import type { User } from "../model/directory.ts";
import { type Problem, quoted } from "../model/problem.ts";
import { homeFromTemplate } from "./paths.ts";
import type { UserCandidate } from "./users.ts";

/** The same candidates, with clashing homes replaced. */
export function settleHomes(
  candidates: readonly UserCandidate[],
  template: string,
): { readonly candidates: readonly UserCandidate[]; readonly problems: readonly Problem[] } {
  const owners = ownersOf(candidates, template);
  const above = directoriesAbove(owners.keys());
  const problems: Problem[] = [];
  const settled = candidates.map((candidate) => {
    const { user, subject } = candidate;
    const own = homeFromTemplate(template, user.name);
    const rival = user.home === own ? undefined : (rivalFor(user, owners) ?? above.get(user.home));
    if (rival === undefined) {
      return candidate;
    }
    const reason = `${quoted(user.home)} clashes with the home ${quoted(rival)}`;
    problems.push({ code: "home-replaced", subject, field: "home", reason });
    return { subject, user: { ...user, home: own } };
  });
  return { candidates: settled, problems };
}

/** Everybody who may end up at a path: by the IAM's word, or by the template's. */
function ownersOf(
  candidates: readonly UserCandidate[],
  template: string,
): ReadonlyMap<string, ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { user } of candidates) {
    for (const path of [user.home, homeFromTemplate(template, user.name)]) {
      owners.set(path, (owners.get(path) ?? new Set()).add(user.name));
    }
  }
  return owners;
}

/** Every directory above one of these paths, with the path it was found for. */
function directoriesAbove(paths: Iterable<string>): ReadonlyMap<string, string> {
  const above = new Map<string, string>();
  for (const path of paths) {
    for (let parent = parentOf(path); parent !== "" && !above.has(parent); parent = parentOf(parent)) {
      above.set(parent, path);
    }
  }
  return above;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The path of somebody else's home that is this one, or that this one lies in. */
function rivalFor(user: User, owners: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  for (let path: string = user.home; path !== ""; path = parentOf(path)) {
    if ([...(owners.get(path) ?? [])].some((name) => name !== user.name)) {
      return path;
    }
  }
  return undefined;
}
