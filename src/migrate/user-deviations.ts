/**
 * Users who differ: their records, fields, accounts and keys.
 */

import type { PasswdRecord } from "../formats/passwd.ts";
import type { Deviation, Reason } from "../model/comparison.ts";
import type { User } from "../model/directory.ts";
import { grantOf } from "../model/key-line.ts";
import type { OldMaps } from "./old-maps.ts";
import { type Here, type Pair, pairsOf, type Records } from "./records.ts";

/** What is to be said about one user. */
type Said = Omit<Deviation, "kind" | "name">;

/** Everybody in either. */
export function userDeviations(old: OldMaps, here: Here, records: Records): Deviation[] {
  const pairs = pairsOf(here.directory.users, old.users, ({ id }) => records.nameOf("user", id));
  const known = new Set(pairs.map(({ name }) => name));
  const strays = [...(old.keys ?? [])].filter(([name, lines]) => !known.has(name) && lines.length > 0);
  const of = (name: string, said: readonly Said[]) =>
    said.map((one): Deviation => ({ kind: "user", name, ...one }));
  return [
    ...pairs.flatMap((pair) => of(pair.name, saidOf(pair, { old, here, records }))),
    ...strays.flatMap(([name, lines]) =>
      of(
        name,
        lines.map((line) => ({
          field: "key",
          there: here.describeKey(line),
          here: undefined,
          reason: records.whyNot("user", name),
        })),
      ),
    ),
  ];
}

/** Who can log in with a key there and could not here. Where nobody knows of keys, an account is enough. */
export function losersOf(old: OldMaps, { directory }: Here, records: Records): string[] {
  return pairsOf(directory.users, old.users, ({ id }) => records.nameOf("user", id))
    .filter(({ name, ours, old: there }) => {
      const could = there !== undefined && (old.keys === undefined || (old.keys.get(name)?.length ?? 0) > 0);
      return could && !(ours?.active === true && ours.keys.length > 0);
    })
    .map(({ name }) => name)
    .sort();
}

interface Around {
  readonly old: OldMaps;
  readonly here: Here;
  readonly records: Records;
}

function saidOf({ name, ours, old }: Pair<User, PasswdRecord>, around: Around): Said[] {
  const { records } = around;
  if (ours === undefined) {
    return [{ field: "record", there: describe(old), here: undefined, reason: records.whyNot("user", name) }];
  }
  if (old === undefined) {
    const reason = around.old.broken.users.has(name) ? "broken-line" : undefined;
    return [{ field: "record", there: undefined, here: describe(ours), reason }];
  }
  return [...fieldsOf(ours, old, records), ...accountOf(name, ours, around), ...keysOf(name, ours, around)];
}

function describe(user: PasswdRecord | User | undefined): string {
  return user === undefined ? "" : `uid ${user.uid}, gid ${user.gid}, home ${user.home}`;
}

/** Any other program may have kept somebody out, whom the default shell would let in. */
const LOGIN_SHELL = /\/(?:ba|z|k|c|tc|da|a|fi|mk)?sh(?:\d[\d.]*)?$/;

function fieldsOf(ours: User, old: PasswdRecord, records: Records): Said[] {
  const shut = records.whyShut(ours);
  const reasons: Readonly<Record<keyof PasswdRecord, Reason | undefined>> = {
    name: "renamed",
    uid: ifProblem("id-held"),
    gid: undefined,
    gecos: ifProblem("gecos-cleaned") ?? (ours.gecos === "" ? "gecos-fallback" : undefined),
    home: ifProblem("home-replaced"),
    shell: shut ?? (LOGIN_SHELL.test(old.shell) ? ifProblem("shell-replaced") : undefined),
  };
  const fields = ["name", "uid", "gid", "gecos", "home", "shell"] as const;
  return fields
    .filter((field) => String(old[field]) !== String(ours[field]))
    .map((field) => ({
      field,
      there: String(old[field]),
      here: String(ours[field]),
      reason: reasons[field],
    }));

  function ifProblem<Code extends Parameters<Records["hasProblem"]>[1]>(code: Code): Code | undefined {
    return records.hasProblem(ours, code) ? code : undefined;
  }
}

/** An account that is locked or expires there and is open here must be looked at; the other way round it is meant. */
function accountOf(name: string, ours: User, { old, records }: Around): Said[] {
  const shut = records.whyShut(ours);
  const here = shut === undefined ? "open" : "expired";
  if (old.shadow === undefined) {
    return [];
  }
  const there = old.shadow.get(name);
  if (there === undefined) {
    return [{ field: "shadow", there: undefined, here, reason: undefined }];
  }
  const isClosed = there.isLocked || there.expire !== "";
  const state = isClosed ? `locked or expiring (${there.expire || "!"})` : "open";
  return [
    ...(isClosed === (shut !== undefined) ? [] : [{ field: "shadow", there: state, here, reason: shut }]),
    ...(there.ageing === ""
      ? []
      : [{ field: "shadow", there: there.ageing, here: "", reason: "password-ageing" as const }]),
  ];
}

/** Two lines are the same key whatever their comments say. */
function keysOf(name: string, ours: User, { old, here, records }: Around): Said[] {
  if (old.keys === undefined) {
    return [];
  }
  const lines = old.keys.get(name) ?? [];
  const theirs = new Set(lines.map(grantOf));
  const own = new Set(ours.keys.map(grantOf));
  const reasonFor = (line: string): Reason | undefined =>
    records.whyShut(ours) ??
    here.keyFault(line) ??
    (records.hasProblem(ours, "keys-too-many") ? "keys-too-many" : undefined);
  const seen = new Set<string>();
  const gone = lines.flatMap((line): Said[] => {
    const grant = grantOf(line);
    const isRepeated = seen.has(grant);
    seen.add(grant);
    return own.has(grant) && !isRepeated
      ? []
      : [
          {
            field: "key",
            there: here.describeKey(line),
            here: undefined,
            reason: isRepeated ? "key-duplicate" : reasonFor(line),
          },
        ];
  });
  const come = ours.keys
    .filter((line) => !theirs.has(grantOf(line)))
    .map((line) => ({ field: "key", there: undefined, here: here.describeKey(line), reason: undefined }));
  return [...gone, ...come];
}
