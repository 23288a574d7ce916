/**
 * What must change where sshd asks for the keys in the sshkey map, and no key files are written.
 *
 * In: the directory, the map as it should be and as it is, and files from before it was asked. Out: the map, and those files, without the
 * keys that are taken away, before anything is given; the whole map after everything else is in place. A file without Rollcall's
 * first line is an admin's, and is only reported.
 */

import { isOurs, parseAuthorizedKeys, renderAuthorizedKeys } from "../formats/authorized-keys.ts";
import { differingLines } from "../formats/lines.ts";
import { keysInText, renderSshkey, sshkeyTexts } from "../formats/sshkey.ts";
import type { User } from "../model/directory.ts";
import { grantOf } from "../model/key-line.ts";
import { type ChangeList, createChangeList, type Listed } from "../model/listed.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, PublishMap, RevokeKeys } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import { changesOf, foreignFile, isAttributed, type KeysPlan } from "./keys.ts";
import { type KeysHeld, textOf } from "./keys-held.ts";

/** What the keys are planned from. */
export interface AroundMap {
  /** What sshd is told now. */
  readonly held: KeysHeld;
  /** Users who keep their uid, gid and home, and may already log in. */
  readonly unmoved: ReadonlySet<string>;
  /** Publishes the whole map; undefined when it is as it should be. */
  readonly whole: PublishMap | undefined;
  /** Publishes the map with other keys than the directory has. */
  readonly stepWith: (users: readonly User[]) => PublishMap;
}

/** Plans the map in the place of everybody's file. */
export function planKeysInMap(users: readonly User[], observed: Observed, around: AroundMap): KeysPlan {
  const files = planFiles(users, observed, around.unmoved);
  const news = newsIn(observed, around.whole);
  const maps = planMaps(users, news, around);
  const changes = createChangeList();
  if (news.names.size + observed.keyFiles.size > 0) {
    changes.addAll(keyChanges(users, news, { ...around, observed }));
  }
  changes.add(...files.changes);
  return {
    revoke: [...maps.revoke, ...files.revoke],
    grant: maps.grant,
    ...changes.listed(),
    problems: files.problems,
  };
}

/** What is new in the map: mostly a few lines of a hundred thousand, so that only these are read. */
interface News {
  /** Of those whose line differs, or goes, what stands on disk for their keys. */
  readonly before: ReadonlyMap<string, string>;
  /** These, and those whose line comes. */
  readonly names: ReadonlySet<string>;
}

function newsIn({ maps }: Observed, whole: PublishMap | undefined): News {
  if (whole === undefined) {
    return { before: new Map(), names: new Set() };
  }
  const [gone, come] = differingLines(maps.sshkey.data?.bytes ?? new Uint8Array(), whole.data.bytes);
  const before = sshkeyTexts(gone);
  return { before, names: new Set([...before.keys(), ...sshkeyTexts(come).keys()]) };
}

type MapSteps = Readonly<Record<"revoke" | "grant", readonly PublishMap[]>>;

/** Two steps where keys go and keys come, so that those who lose one wait for nobody. */
function planMaps(
  users: readonly User[],
  { before, names }: News,
  { unmoved, whole, stepWith }: AroundMap,
): MapSteps {
  if (whole === undefined) {
    return { revoke: [], grant: [] };
  }
  const isChanged = (user: User) => names.has(user.name) && before.get(user.name) !== keysText(user);
  const keptOf = (user: User) => keptBy(user, keysInText(before.get(user.name) ?? ""), unmoved);
  const losesKeys = (user: User) => before.has(user.name) && isChanged(user) && keptOf(user).losesKeys;
  if (!users.some(losesKeys) && !isSomebodyGone(users, before)) {
    return { revoke: [], grant: [{ ...whole, keys: "granted" }] };
  }
  const first = stepWith(users.map((user) => (isChanged(user) ? keptOf(user).user : user)));
  return Buffer.compare(first.data.bytes, whole.data.bytes) === 0
    ? { revoke: [{ ...whole, keys: "revoked" }], grant: [] }
    : { revoke: [{ ...first, keys: "revoked" }], grant: [{ ...whole, keys: "granted" }] };
}

function isSomebodyGone(users: readonly User[], before: ReadonlyMap<string, string>): boolean {
  const served = before.size === 0 ? new Set() : new Set<string>(users.map(({ name }) => name));
  return [...before].some(([name, text]) => !served.has(name) && keysInText(text).length > 0);
}

/** What stands for a user's keys in the map; most are there already, and equal texts need no reading. */
function keysText(user: User): string {
  return renderSshkey(user).slice(user.name.length + 1);
}

/**
 * A user with those of their keys that were there before; with none where one is taken from somebody whose account
 * changes, so that what stays opens nothing that is not theirs yet.
 */
function keptBy(user: User, before: readonly string[], unmoved: ReadonlySet<string>) {
  const held = new Set(before.map(grantOf));
  const wanted = new Set(user.keys.map(grantOf));
  const losesKeys = !held.isSubsetOf(wanted);
  const keys = losesKeys && !unmoved.has(user.name) ? [] : user.keys.filter((key) => held.has(grantOf(key)));
  return { user: { ...user, keys }, losesKeys };
}

/** What it means for people; those who are gone come first. */
function keyChanges(
  users: readonly User[],
  { before, names }: News,
  { observed: { keyFiles }, held }: AroundMap & { readonly observed: Observed },
): Listed {
  const served = new Set<string>(users.map(({ name }) => name));
  const heldBy = (name: string) => (keyFiles.has(name) ? held(name) : keysInText(before.get(name) ?? ""));
  const changes = createChangeList();
  const gone = [...new Set([...before.keys(), ...keyFiles.keys()])].filter((name) => !served.has(name));
  for (const name of gone.sort()) {
    changes.add(...changesOf(name, heldBy(name), []));
  }
  for (const user of users) {
    if (before.has(user.name) || keyFiles.has(user.name)) {
      changes.add(...changesOf(user.name, heldBy(user.name), user.keys));
    } else if (names.has(user.name)) {
      grantAll(changes, user);
    }
  }
  return changes.listed();
}

/** Of somebody who had none: most of a first sync, of which little is listed. */
function grantAll(changes: ChangeList, { name: user, keys }: User): void {
  keys.forEach((key) => changes.addLater("key-granted", () => ({ event: "key-granted", user, key })));
}

/**
 * The files that sshd may still read. They only ever lose what nobody should have: until `rollcall setup` has told sshd to ask, they
 * are what people log in by.
 */
function planFiles(users: readonly User[], observed: Observed, unmoved: ReadonlySet<string>) {
  const revoke: RevokeKeys[] = [];
  const changes: Change[] = [];
  const problems: Problem[] = [];
  const byName = new Map<string, User>(
    observed.keyFiles.size === 0 ? [] : users.map((user) => [user.name, user]),
  );
  for (const [name, file] of observed.keyFiles) {
    const text = textOf(file);
    if (!isOurs(text)) {
      problems.push(...(observed.local.userNames.has(name) ? [] : [foreignFile(name)]));
      continue;
    }
    const user = byName.get(name);
    const kept = user && keptBy(user, parseAuthorizedKeys(text), unmoved);
    const stays = kept?.user.keys ?? [];
    if (stays.length > 0 && kept?.losesKeys === false && isAttributed(file, observed)) {
      continue;
    }
    const content = stays.length > 0 ? renderAuthorizedKeys(stays) : undefined;
    revoke.push({ kind: "revoke-keys", user: name, content });
    changes.push({ event: "file-repaired", file: name, reason: "it held what it should not" });
  }
  return { revoke, changes, problems };
}
