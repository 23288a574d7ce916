/**
 * What the IAM has, and how much of it this node can serve.
 */

import { byLikeness, didYouMean } from "../model/nearest.ts";
import { quoted } from "../model/quoted.ts";
import { about, broken, type Fact, type Finding, ok, someOf, unknown, warning } from "./finding.ts";

/** Both lists, whole, and what the rules of this node make of them. */
export interface DirectoryFacts {
  /** Records of the IAM. */
  readonly users: number;
  readonly groups: number;
  readonly served: {
    readonly users: number;
    readonly active: number;
    readonly keyless: number;
    readonly groups: number;
  };
  /** Why records are refused, by code. */
  readonly refused: readonly Refused[];
  readonly paths: readonly PathFacts[];
  /** Groups and users that the configuration names. */
  readonly named: readonly { readonly key: string; readonly name: string }[];
  /** The names that are there to be meant. */
  readonly userNames: readonly string[];
  readonly groupNames: readonly string[];
}

/** One reason, and whom it keeps out. */
export interface Refused {
  readonly code: string;
  readonly title: string;
  readonly remedy: string;
  /** One for each record. */
  readonly subjects: readonly string[];
}

/** One configured attribute. */
export interface PathFacts {
  readonly key: string;
  readonly path: string;
  /** Records of this kind, and how many of them have a value there. */
  readonly of: number;
  readonly filled: number;
  /** Without a value nobody can be served. */
  readonly isNeeded: boolean;
  /** What the first records have. */
  readonly there: readonly string[];
}

/** Whether both lists came whole, and how long they are. */
export function lists(directory: Fact<DirectoryFacts>): Finding {
  return about(directory, ({ users, groups, served }) => {
    const found = `${users} users and ${groups} groups came whole; served: ${served.users} users (${served.active} may log in, ${served.keyless} of them without a key), ${served.groups} groups`;
    if (users === 0) {
      return broken(found, "Look at iam.users.query, and at what the token may see.");
    }
    return served.active > 0
      ? ok(found)
      : broken(
          found,
          "Nobody can log in: look at the lines above, at active in the IAM, and at access.login.",
        );
  });
}

/** What went wrong with the lists is said once. */
function ifWhole(directory: Fact<DirectoryFacts>): Fact<DirectoryFacts> {
  return directory.known || directory.how === "unseen" ? directory : unknown("the lists cannot be had");
}

/** Whether each configured path yields anything. */
export function attributePaths(directory: Fact<DirectoryFacts>): Finding {
  return about(ifWhole(directory), ({ paths }) => {
    const empty = paths.filter(({ of, filled }) => of > 0 && filled === 0);
    if (empty.length === 0) {
      const counts = paths.map(({ key, of, filled }) => `${key} ${filled}/${of}`);
      return ok(`each yields values: ${someOf(counts, 10)}`);
    }
    const found = empty
      .map(({ key, path, of }) => `0 of ${of} records have a value at ${key}: ${quotedPath(path)}`)
      .join("; ");
    const remedy = `These paths exist: ${empty.map(offer).join("; ")}. Put the right one into the configuration.`;
    return empty.some(({ isNeeded }) => isNeeded) ? broken(found, remedy) : warning(found, remedy);
  });
}

/** The last name counts most: it is the attribute itself. */
function offer({ key, path, there }: PathFacts): string {
  if (there.length === 0) {
    return `for ${key} none at all`;
  }
  const last = (text: string) => text.split(/[/:]/).at(-1) ?? text;
  const best = byLikeness(path, byLikeness(path, there), last);
  return `for ${key} ${someOf(best.map(quotedPath))}`;
}

/** URNs are longer than a quotation may be; what is plain can stand for itself, to be copied. */
function quotedPath(path: string): string {
  return /^[\w:./$-]{1,200}$/.test(path) ? path : quoted(path);
}

/** Whether records are refused, and why. */
export function refusals(directory: Fact<DirectoryFacts>): Finding {
  return about(ifWhole(directory), ({ refused, users, served }) => {
    if (refused.length === 0) {
      return ok("every record can be served");
    }
    const found = refused
      .map(({ code, title, subjects }) => `${subjects.length} × ${title} [${code}]: ${someOf(subjects, 3)}`)
      .join("; ");
    const remedy = `${refused[0]?.remedy ?? ""} "rollcall plan --all" shows each.`;
    return served.users === 0 && users > 0 ? broken(found, remedy) : warning(found, remedy);
  });
}

/** Whether whoever the configuration names is there. */
export function namedInConfig(directory: Fact<DirectoryFacts>): Finding {
  return about(ifWhole(directory), ({ named, userNames, groupNames }) => {
    const absent = named.flatMap(({ key, name }) => {
      const names = key.endsWith(".users") ? userNames : groupNames;
      return names.includes(name)
        ? []
        : [`${key}: ${quoted(name)} is not served here${didYouMean(name, names)}`];
    });
    if (absent.length > 0) {
      return warning(
        someOf(absent),
        "Correct the name in the configuration, or look why the IAM's record is not served.",
      );
    }
    return ok(named.length === 0 ? "it names nobody" : `it names ${named.length}, all there`);
  });
}
