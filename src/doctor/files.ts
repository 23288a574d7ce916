/**
 * What Rollcall writes: whether it is as it was left, where sshd reads it, and whether there is room for more.
 */

import { quoted } from "../model/quoted.ts";
import { about, broken, type Fact, type Finding, notChecked, ok, someOf, warning } from "./finding.ts";

/** What lies on this node. */
export interface FileFacts {
  /** What differs from what was published; `files` is undefined before anything was. */
  readonly published: Fact<{ readonly files: number | undefined; readonly differences: readonly string[] }>;
  readonly keysDirectory: string;
  /** keys.files. */
  readonly keyFiles: boolean;
  /** The keys directory and everything above it; undefined where it is missing. */
  readonly keysWay: Fact<readonly WayStep[] | undefined>;
  /** Of every directory that is written to: why it cannot be, or undefined. */
  readonly writable: Fact<readonly { readonly path: string; readonly fault: string | undefined }[]>;
  readonly disks: Fact<readonly { readonly text: string; readonly isNearlyFull: boolean }[]>;
}

/** One directory, as sshd looks at it. */
export interface WayStep {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
}

/** Whether maps and key files are as Rollcall left them. */
export function published({ published: fact }: FileFacts): Finding {
  return about(fact, ({ files, differences }) => {
    if (files === undefined) {
      return broken("nothing was published on this node yet", "Run: rollcall sync");
    }
    return differences.length === 0
      ? ok(`all ${files} files are as Rollcall left them`)
      : warning(
          `${differences.length} differ from what Rollcall left: ${someOf(differences, 3)}`,
          'Run: rollcall sync ("rollcall plan" shows what it puts back). What is not Rollcall\'s, remove if nobody needs it.',
        );
  });
}

/** Whether sshd takes keys from there: it reads as the user, and only what root alone can write. */
export function keysDirectory({ keysDirectory: directory, keyFiles, keysWay }: FileFacts): Finding {
  if (!keyFiles) {
    return notChecked("keys.files is off: sshd asks for the keys in the sshkey map");
  }
  return about(keysWay, (way) => {
    if (way === undefined) {
      return broken(`${directory} is missing, so nobody has a key`, "Run: rollcall sync");
    }
    const foreign = way.find(({ uid }) => uid !== 0);
    if (foreign !== undefined) {
      return broken(
        `${foreign.path} belongs to uid ${foreign.uid}: with StrictModes sshd takes no key from there`,
        `chown root ${foreign.path}`,
      );
    }
    const open = way.find(({ mode }) => (mode & 0o022) !== 0);
    if (open !== undefined) {
      return broken(
        `${open.path} has mode ${octal(open.mode)}: others can write to it, and with StrictModes sshd takes no key from there`,
        `chmod go-w ${open.path}`,
      );
    }
    const shut = way.find(({ mode }) => (mode & 0o001) === 0);
    return shut === undefined
      ? ok(`${directory} and all above it are root's, and writable by root alone`)
      : broken(
          `${shut.path} has mode ${octal(shut.mode)}: sshd reads as the user, who cannot enter it`,
          `chmod 0755 ${shut.path}`,
        );
  });
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Whether a sync could write. */
export function writable({ writable: fact }: FileFacts): Finding {
  return about(fact, (places) => {
    const faulty = places.filter(({ fault }) => fault !== undefined);
    return faulty.length === 0
      ? ok(someOf(places.map(({ path }) => path)))
      : broken(
          faulty.map(({ path, fault }) => `${path}: ${quoted(fault)}`).join("; "),
          "Mount it writable (mount -o remount,rw), or mend what the message says.",
        );
  });
}

/** Whether there is room for another publish. */
export function diskSpace({ disks }: FileFacts): Finding {
  return about(disks, (all) => {
    const full = all.filter(({ isNearlyFull }) => isNearlyFull).map(({ text }) => text);
    return full.length === 0
      ? ok(`there is enough in all ${all.length} places`)
      : warning(
          someOf(full),
          "Free some space or files there; until then a publish may fail, and the old files stay.",
        );
  });
}
