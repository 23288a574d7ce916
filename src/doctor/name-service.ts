/**
 * Whether glibc finds whom the maps name: nsswitch.conf, libnss-cache, and what answers in their place.
 */

import { CACHE_SOURCE, CACHED_DATABASES, isReached, type NssLine, sourcesOf } from "../formats/nsswitch.ts";
import { quoted } from "../model/quoted.ts";
import { about, broken, type Fact, type Finding, notChecked, ok, someOf, warning } from "./finding.ts";

/** What was asked of the name service. */
export interface NssFacts {
  /** Undefined where there is no file. */
  readonly lines: Fact<readonly NssLine[] | undefined>;
  /** Every libnss_cache.so.2 that was found. */
  readonly libraries: Fact<readonly LibraryFacts[]>;
  readonly arch: string;
  readonly cachesDirectory: string;
  /** Undefined where the maps name nobody. */
  readonly lookups: Fact<LookupFacts | undefined>;
  /** Other services of the line `passwd`, and whether each knows the user of the lookups by itself. */
  readonly others: Fact<readonly { readonly service: string; readonly answers: boolean }[]>;
  /** Names and uids on the maps that a local account has too. */
  readonly hidden: Fact<readonly string[]>;
  /** Daemons that keep answers: nscd, unscd. */
  readonly keepers: Fact<readonly string[]>;
}

/** One library on disk. */
export interface LibraryFacts {
  readonly path: string;
  readonly fitsThisMachine: boolean;
  /** The directory it was compiled for; undefined where it does not say. */
  readonly mapsDirectory: string | undefined;
}

/** What getent(1) says of somebody whom the maps name. */
export interface LookupFacts {
  readonly name: string;
  readonly uid: number;
  /** The line of the map. */
  readonly line: string;
  /** Undefined when nobody is found. */
  readonly byName: string | undefined;
  readonly byUid: string | undefined;
}

const SETUP =
  'Run: rollcall setup. By hand: in /etc/nsswitch.conf, "passwd: files cache", "group: files cache", "shadow: files cache".';

/** Whether glibc gets to the maps, for all of users, groups and accounts. */
export function nsswitch({ lines }: NssFacts): Finding {
  return about(lines, (found) => {
    if (found === undefined) {
      return broken("there is no /etc/nsswitch.conf, so glibc asks the local files alone", SETUP);
    }
    const unreadable = found.filter(({ sources }) => sources === undefined).map(({ database }) => database);
    if (unreadable.length > 0) {
      return broken(
        `glibc cannot read the line ${someOf(unreadable)}, and then finds nobody by any line of the file`,
        "Correct that line of /etc/nsswitch.conf: names, with [STATUS=action] between them.",
      );
    }
    const faults = databasesOf(found).flatMap((database) => faultOf(found, database) ?? []);
    const late = faults.filter(({ isLate }) => isLate);
    if (faults.length === 0) {
      return ok('the lines passwd, group and shadow have "cache", where it is reached');
    }
    return late.length === faults.length
      ? broken(
          `"cache" is never reached in ${someOf(late.map(({ database }) => database))}: something before it ends the search`,
          'Write "cache" directly behind "files" in these lines, before anything in brackets.',
        )
      : broken(someOf(faults.map(({ database }) => `the line ${database} has no "cache"`)), SETUP);
  });
}

/** initgroups need not be there; where it is, a login gets its groups by it. */
function databasesOf(lines: readonly NssLine[]): string[] {
  const own = lines.some(({ database }) => database === "initgroups");
  return [...CACHED_DATABASES, ...(own ? ["initgroups"] : [])];
}

function faultOf(
  lines: readonly NssLine[],
  database: string,
): { readonly database: string; readonly isLate: boolean } | undefined {
  const sources = sourcesOf(lines, database) ?? [];
  if (!sources.some(({ name }) => name === CACHE_SOURCE)) {
    return { database, isLate: false };
  }
  return isReached(sources, CACHE_SOURCE) ? undefined : { database, isLate: true };
}

/** What may stand before the maps: accounts of this node itself, or of what runs on it. */
const LOCAL = new Set(["files", "compat", "db", "altfiles", "systemd", "mymachines"]);

/** Whether another service answers for whom Rollcall serves. */
export function resolvers({ lines, others }: NssFacts): Finding {
  return about(lines, (found) => {
    const names = (sourcesOf(found ?? [], "passwd") ?? []).map(({ name }) => name);
    const at = names.indexOf(CACHE_SOURCE);
    const before = names.slice(0, Math.max(0, at)).filter((name) => !LOCAL.has(name));
    const answering = others.known
      ? others.value.filter(({ answers }) => answers).map(({ service }) => service)
      : [];
    if (at === 0) {
      return warning(
        '"cache" is asked before "files", so local accounts come second',
        'In /etc/nsswitch.conf write "files cache".',
      );
    }
    if (before.some((name) => answering.includes(name))) {
      return broken(
        `${someOf(before)} is asked before "cache", and has somebody whom Rollcall serves`,
        `Write "cache" before ${someOf(before)} in /etc/nsswitch.conf, or take it out of the lines.`,
      );
    }
    if (before.length > 0) {
      return warning(
        `${someOf(before)} is asked before "cache": it wins where both have a name, and a login waits for it`,
        `Write "cache" before ${someOf(before)} in /etc/nsswitch.conf, or take it out of the lines.`,
      );
    }
    return answering.length > 0
      ? warning(
          `${someOf(answering)} has somebody whom Rollcall serves, too`,
          "Let one of them serve people: two uids for one name own each other's files.",
        )
      : ok('nobody else is asked before "cache"');
  });
}

/** Whether glibc can load the library that reads the maps. */
export function library({ libraries, arch }: NssFacts): Finding {
  return about(libraries, (found) => {
    const fitting = found.find(({ fitsThisMachine }) => fitsThisMachine);
    if (fitting !== undefined) {
      return ok(fitting.path);
    }
    return found.length === 0
      ? broken(
          "libnss_cache.so.2 is nowhere that glibc looks",
          "Run: apt-get install libnss-cache (or dnf install libnss-cache), then ldconfig.",
        )
      : broken(
          `${found[0]?.path} is not for this machine (${arch})`,
          `Install the package libnss-cache for ${arch}, then run ldconfig.`,
        );
  });
}

/** Whether that library reads the maps from where they are written. */
export function cachesDirectory({ libraries, cachesDirectory: directory }: NssFacts): Finding {
  return about(libraries, (found) => {
    const compiled = found.find(({ fitsThisMachine }) => fitsThisMachine)?.mapsDirectory;
    if (compiled === undefined) {
      return notChecked("no library says which directory it reads");
    }
    return compiled === directory
      ? ok(`the library reads ${compiled}, and caches.directory is the same`)
      : broken(
          `the library reads ${quoted(compiled)}, and caches.directory is ${quoted(directory)}`,
          `Set caches.directory: ${compiled}, and run: rollcall sync`,
        );
  });
}

/** Whether somebody of the maps is found by name. */
export function lookupByName({ lookups }: NssFacts): Finding {
  return lookupFinding(lookups, ({ name, line, byName }) => ({
    asked: `getent passwd ${name}`,
    line,
    answer: byName,
  }));
}

/** The same by uid. */
export function lookupByUid({ lookups }: NssFacts): Finding {
  return lookupFinding(lookups, ({ uid, line, byUid }) => ({
    asked: `getent passwd ${uid}`,
    line,
    answer: byUid,
  }));
}

function lookupFinding(
  lookups: NssFacts["lookups"],
  of: (lookup: LookupFacts) => {
    readonly asked: string;
    readonly line: string;
    readonly answer: string | undefined;
  },
): Finding {
  return about(lookups, (found) => {
    if (found === undefined) {
      return notChecked("the maps name nobody who could be looked up");
    }
    const { asked, line, answer } = of(found);
    if (answer === undefined) {
      return broken(
        `"${asked}" finds nobody, and the map has them`,
        'Mend what is broken above; then "rollcall verify" looks at the maps and indexes.',
      );
    }
    return answer === line
      ? ok(`"${asked}" gives what the map says`)
      : broken(
          `"${asked}" gives another ${differing(answer, line)} than the map: ${quoted(answer)}`,
          "Somebody else answers first: a local account (/etc/passwd), or another service of /etc/nsswitch.conf.",
        );
  });
}

const FIELDS = ["name", "password", "uid", "gid", "comment", "home", "shell"] as const;

/** Which fields of two lines of passwd(5) are not the same. */
function differing(answer: string, line: string): string {
  const [left, right] = [answer.split(":"), line.split(":")];
  return FIELDS.filter((_field, place) => left[place] !== right[place]).join(", ");
}

/** Whether local accounts stand before served ones. */
export function localAccounts({ hidden }: NssFacts): Finding {
  return about(hidden, (found) =>
    found.length === 0
      ? ok("no local account has the name or uid of somebody on the maps")
      : warning(
          `local accounts hide ${someOf(found)}`,
          "Rename or remove the local account (usermod -l, userdel), or the one in the IAM; then rollcall sync.",
        ),
  );
}

/** Whether a daemon keeps old answers. */
export function nameCaches({ keepers }: NssFacts): Finding {
  return about(keepers, (found) =>
    found.length === 0
      ? ok("neither nscd nor unscd runs")
      : warning(
          `${someOf(found)} runs: what it remembers is shown for minutes, also of people who are gone`,
          `Run: systemctl disable --now ${found[0]}. The maps are as fast without it.`,
        ),
  );
}
