/**
 * The configuration: whether there is one, and whether it is sound.
 */

import { broken, type Finding, ok, someOf, warning } from "./finding.ts";

/** What reading it came to. */
export interface ConfigFacts {
  readonly path: string;
  readonly isThere: boolean;
  /** Why it cannot be read, or is not to be trusted. */
  readonly fault: string | undefined;
  readonly remedy: string | undefined;
  /** Undefined where it could not be read. */
  readonly mistakes: readonly string[] | undefined;
  readonly hasKeys: boolean;
  readonly needsRoot: boolean;
}

/** Whether it is sound. Without one, the rest is checked against the defaults. */
export function configuration(config: ConfigFacts): Finding {
  const { path, isThere, fault, remedy, mistakes, hasKeys, needsRoot } = config;
  if (needsRoot) {
    return { verdict: "not-checked", found: "needs root" };
  }
  if (!isThere) {
    return broken(
      `there is no ${path}; what follows goes by the defaults`,
      'Write one: "rollcall" without arguments shows what a first one looks like.',
    );
  }
  if (fault !== undefined || mistakes === undefined) {
    return broken(
      fault ?? `${path} cannot be read`,
      remedy ?? "It must be root's, and writable by root alone.",
    );
  }
  if (mistakes.length > 0) {
    return broken(
      `${mistakes.length} mistake(s); what follows goes by the defaults: ${someOf(mistakes)}`,
      '"rollcall check" shows all of them; correct the file.',
    );
  }
  return hasKeys
    ? ok(`${path} has no mistakes`)
    : warning(
        "attributes.user.keys is not set, so nobody gets an SSH key",
        "Name the attribute that has them.",
      );
}
