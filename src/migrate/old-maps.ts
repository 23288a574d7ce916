/**
 * The maps that nsscache wrote, as far as they can be read. They may hold anything: a bad line costs only itself.
 *
 * In: the text of each file, or nothing where there is none. Out: the records by name, and what was passed over.
 */

import { type GroupRecord, parseGroup } from "../formats/group.ts";
import { type PasswdRecord, parsePasswd } from "../formats/passwd.ts";
import { parseSshkey } from "../formats/sshkey.ts";
import { OLD_MAPS, type OldMap } from "./conf.ts";

/** The names of the files. */
export type FileNames = Readonly<Record<OldMap, string>>;

/** A shadow line, whose fields are taken as they are. */
export interface OldShadow {
  readonly isLocked: boolean;
  readonly expire: string;
  /** The other fields, with colons; empty when all are. */
  readonly ageing: string;
}

/** Everything that could be read; undefined for a file that is not there. */
export interface OldMaps {
  readonly users: ReadonlyMap<string, PasswdRecord>;
  readonly groups: ReadonlyMap<string, GroupRecord> | undefined;
  readonly shadow: ReadonlyMap<string, OldShadow> | undefined;
  /** One key a line, as a sync would split them. */
  readonly keys: ReadonlyMap<string, readonly string[]> | undefined;
  /** Who has a line in passwd, or in group, that readers pass over. */
  readonly broken: { readonly users: ReadonlySet<string>; readonly groups: ReadonlySet<string> };
  readonly notes: readonly string[];
}

/** `passwd.cache` and so on, or with another end; without any where that is empty. */
export function fileNamesOf(suffixOf: (map: OldMap) => string | undefined): FileNames {
  const nameOf = (map: OldMap) => {
    const suffix = suffixOf(map) ?? "cache";
    const isName = /^[\w.-]{0,64}$/.test(suffix);
    return suffix === "" ? map : `${map}.${isName ? suffix : "cache"}`;
  };
  return {
    passwd: nameOf("passwd"),
    group: nameOf("group"),
    shadow: nameOf("shadow"),
    sshkey: nameOf("sshkey"),
  };
}

/** Reads all of them. */
export function parseOldMaps(texts: Readonly<Record<OldMap, string | undefined>>, names: FileNames): OldMaps {
  const notes = OLD_MAPS.filter((map) => texts[map] === undefined).map(
    (map) => `There is no ${names[map]}, so nothing was compared with it.`,
  );
  const broken = { users: new Set<string>(), groups: new Set<string>() };
  const recordsIn = <Found>(
    map: OldMap,
    parse: (line: string) => Found | undefined,
    strays: Set<string> = new Set(),
  ) => {
    const { records, faults } = parseLines(texts[map] ?? "", parse, strays);
    if (faults.length > 0) {
      notes.push(
        `${names[map]}: ${faults.length} line(s) are no records, or repeat a name, and were passed over; the first is line ${faults[0]}.`,
      );
    }
    return texts[map] === undefined ? undefined : records;
  };
  const users = recordsIn("passwd", (line) => parsePasswd(Buffer.from(line))[0], broken.users);
  const groups = recordsIn("group", (line) => parseGroup(Buffer.from(line))[0], broken.groups);
  const shadow = recordsIn("shadow", parseShadowLine);
  return {
    users: users ?? new Map(),
    groups,
    shadow,
    keys: keysIn(texts.sshkey, names.sshkey, notes),
    broken,
    notes,
  };
}

/** What a line may be at most; a person with a hundred long keys stays far below it. */
const MAX_LINE = 1024 ** 2;

/** Of several records with one name readers take the first. */
function parseLines<Found>(
  text: string,
  parse: (line: string) => Found | undefined,
  broken: Set<string>,
): { readonly records: Map<string, Found>; readonly faults: readonly number[] } {
  const records = new Map<string, Found>();
  const faults: number[] = [];
  text.split("\n").forEach((line, index) => {
    if (line === "" || line.startsWith("#")) {
      return;
    }
    const name = line.slice(0, Math.max(0, line.indexOf(":")));
    const record = name === "" || line.length > MAX_LINE ? undefined : parse(line);
    if (record === undefined || records.has(name)) {
      faults.push(index + 1);
      broken.add(name);
    } else {
      records.set(name, record);
    }
  });
  return { records, faults };
}

function parseShadowLine(line: string): OldShadow | undefined {
  const fields = line.split(":");
  const [, password = "", lstchg, min, max, warn, inact, expire = "", flag] = fields;
  const ageing = [lstchg, min, max, warn, inact, flag].join(":");
  return fields.length === 9
    ? { isLocked: password.startsWith("!"), expire, ageing: ageing === ":::::" ? "" : ageing }
    : undefined;
}

/** A user may have several lines: some versions write one for each key. */
function keysIn(
  text: string | undefined,
  name: string,
  notes: string[],
): ReadonlyMap<string, readonly string[]> | undefined {
  if (text === undefined) {
    return undefined;
  }
  const keys = new Map<string, string[]>();
  const faults: number[] = [];
  text.split("\n").forEach((line, index) => {
    const [record] = line.length > MAX_LINE ? [] : parseSshkey(Buffer.from(line));
    if (record !== undefined) {
      const own = keys.get(record.name) ?? [];
      own.push(...record.keys.flatMap((key) => key.split(/\r\n|\n|\r/)).filter(isKeyLine));
      keys.set(record.name, own);
    } else if (line !== "" && !line.startsWith("#")) {
      faults.push(index + 1);
    }
  });
  if (faults.length > 0) {
    notes.push(
      `${name}: ${faults.length} line(s) are neither a list of keys nor a key, and were passed over; the first is line ${faults[0]}.`,
    );
  }
  return keys;
}

function isKeyLine(line: string): boolean {
  return line.trim() !== "" && !line.trim().startsWith("#");
}
