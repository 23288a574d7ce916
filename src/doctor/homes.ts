/**
 * Whether homes can be made, and a login has a shell.
 */

import { about, broken, type Fact, type Finding, notChecked, ok, someOf, warning } from "./finding.ts";

/** What homes need. */
export interface HomeFacts {
  readonly isMade: boolean;
  readonly places: Fact<readonly { readonly path: string; readonly fault: string | undefined }[]>;
  readonly skeleton: Fact<SkeletonFacts>;
  readonly shell: Fact<ShellFacts>;
}

/** What new homes start with. */
export interface SkeletonFacts {
  readonly path: string;
  /** Undefined without one. */
  readonly found:
    | { readonly isDirectory: boolean; readonly isOpen: boolean; readonly entries: number }
    | undefined;
}

/** What people get who have no shell of their own. */
export interface ShellFacts {
  readonly path: string;
  readonly fault: string | undefined;
  readonly isListed: boolean;
}

/** Whether root can make a home where they go. */
export function homePlaces({ isMade, places }: HomeFacts): Finding {
  if (!isMade) {
    return notChecked("homes.create is off: somebody else makes them");
  }
  return about(places, (all) => {
    const faulty = all.filter(({ fault }) => fault !== undefined);
    return faulty.length === 0
      ? ok(`${someOf(all.map(({ path }) => path))}: root's, and writable`)
      : broken(
          faulty.map(({ path, fault }) => `${path}: ${fault}`).join("; "),
          "Mount or make it, owned by root, writable by root alone (chown root, chmod 0755), not read-only; or correct homes.under. With root squashed by a file server, set homes.create: false.",
        );
  });
}

/** Whether a new home starts with what it should. */
export function skeleton({ isMade, skeleton: fact }: HomeFacts): Finding {
  if (!isMade) {
    return notChecked("homes.create is off");
  }
  return about(fact, ({ path, found }) => {
    if (found === undefined) {
      return warning(`there is no ${path}: new homes are empty`, `Make it, or correct homes.skeleton.`);
    }
    if (!found.isDirectory) {
      return broken(`${path} is no directory`, "Correct homes.skeleton.");
    }
    return found.isOpen
      ? broken(
          `others can write to ${path}, and so into every new home`,
          `chown -R root ${path}; chmod -R go-w ${path}`,
        )
      : ok(`${path}, ${found.entries} entries`);
  });
}

/** Whether the default shell lets anybody in. */
export function defaultShell({ shell }: HomeFacts): Finding {
  return about(shell, ({ path, fault, isListed }) => {
    if (fault !== undefined) {
      return broken(`${path} ${fault}`, `Install it, or set shells.default: /bin/sh`);
    }
    return isListed
      ? ok(`${path} is there, and in /etc/shells`)
      : warning(`${path} is not in /etc/shells`, `echo ${path} >> /etc/shells`);
  });
}
