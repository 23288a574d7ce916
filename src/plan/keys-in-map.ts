/**
 * What must change where sshd asks for the keys in the sshkey map, and no key files are written.
 *
 * In: the directory, the map as it should be and as it is, and files from before it was asked. Out: the map, and those files, without the
 * keys that are taken away, before anything is given; the whole map after everything else is in place. A file without Rollcall's
 * first line is an admin's, and is only reported.
 */

import { isOurs, parseAuthorizedKeys, renderAuthorizedKeys } from "../formats/authorized-keys.ts";
import { differingLines, type Lines, lineAt, renderLines, replaceLines } from "../formats/lines.ts";
import { keysInText, renderSshkey, sshkeyTexts } from "../formats/sshkey.ts";
import type { User } from "../model/directory.ts";
import { grantOf } from "../model/key-line.ts";
import { lazily } from "../model/lazily.ts";
import { createChangeList, type Listed } from "../model/listed.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, PublishMap, RevokeKeys } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import { changesOf, foreignFile, type IsUnmoved, isAttributed, type KeysPlan } from "./keys.ts";
import { heldBeside, type KeysHeld, textOf } from "./keys-held.ts";

/** What the keys are planned from. */
export interface AroundMap {
  readonly isUnmoved: IsUnmoved;
  /** The lines of the map, and the step that publishes it; undefined when it is as it should be. */
  readonly whole: WholeMap | undefined;
  /** Publishes the map with other lines. */
  readonly stepWith: (lines: Lines) => PublishMap;
}

/** The sshkey map as it should be: one line for each user, in their order. */
export interface WholeMap {
  readonly lines: Lines;
  readonly step: PublishMap;
}

/** What the keys come to, and who has which now. */
export interface MapPlan extends KeysPlan {
  /** Of whoever has none in the directory: what they have in the map stands in a line that differs or goes. */
  readonly held: KeysHeld;
}

/** Plans the map in the place of everybody's file. */
export function planKeysInMap(users: readonly User[], observed: Observed, around: AroundMap): MapPlan {
  const files = planFiles(users, observed, around.isUnmoved);
  const news = newsIn(observed, around.whole);
  const maps = planMaps(users, news, around);
  const changes = createChangeList();
  if (around.whole !== undefined || observed.keyFiles.size > 0) {
    changes.addAll(keyChanges(users, news, observed));
  }
  changes.add(...files.changes);
  return {
    revoke: [...maps.revoke, ...files.revoke],
    grant: maps.grant,
    ...changes.listed(),
    problems: files.problems,
    held: heldBeside(firstKeys(users, news), observed),
  };
}

/** Of several lines of one name the first counts, and what stands before the news is as in the directory. */
function firstKeys(users: readonly User[], { before, from }: News): KeysHeld {
  const above = lazily(() => new Set<string>(users.slice(0, from).map(({ name }) => name)));
  return (name) => {
    const text = before.get(name);
    return text === undefined || above().has(name) ? [] : keysInText(text);
  };
}

/** What is new in the map: mostly a few lines of a hundred thousand, so that only these are read. */
interface News {
  /** Of those whose line differs, or goes, what stands on disk for their keys. */
  readonly before: ReadonlyMap<string, string>;
  /** The places of those whose line differs, or comes: from the first on, and up to the one behind the last. */
  readonly from: number;
  readonly to: number;
}

function newsIn({ maps }: Observed, whole: WholeMap | undefined): News {
  if (whole === undefined) {
    return { before: new Map(), from: 0, to: 0 };
  }
  const { lines } = whole;
  const [gone, come] = differingLines(maps.sshkey.data?.bytes ?? new Uint8Array(), lines.bytes);
  const start = come.byteOffset - lines.bytes.byteOffset;
  return {
    before: sshkeyTexts(gone),
    from: lineAt(lines, start),
    to: lineAt(lines, start + come.length),
  };
}

function isAmong(nth: number, { from, to }: News): boolean {
  return nth >= from && nth < to;
}

type MapSteps = Readonly<Record<"revoke" | "grant", readonly PublishMap[]>>;

/** Two steps where keys go and keys come, so that those who lose one wait for nobody. */
function planMaps(users: readonly User[], news: News, { isUnmoved, whole, stepWith }: AroundMap): MapSteps {
  if (whole === undefined) {
    return { revoke: [], grant: [] };
  }
  const { before } = news;
  const { lines, step } = whole;
  const isChanged = (user: User) => before.get(user.name) !== keysText(user);
  const keptOf = (user: User) => keptBy(user, keysInText(before.get(user.name) ?? ""), isUnmoved);
  const losesKeys = (user: User) => before.has(user.name) && isChanged(user) && keptOf(user).losesKeys;
  if (before.size === 0 || !(users.some(losesKeys) || isSomebodyGone(users, before))) {
    return { revoke: [], grant: [{ ...step, keys: "granted" }] };
  }
  const isNews = (user: User, nth: number) => isAmong(nth, news) || before.has(user.name);
  const first = users.findIndex(isNews);
  const changed = users
    .slice(first, users.findLastIndex(isNews) + 1)
    .map((user, nth) => (isNews(user, first + nth) && isChanged(user) ? keptOf(user).user : user));
  const kept = first < 0 ? lines : replaceLines(lines, first, renderLines(changed, renderSshkey));
  return Buffer.compare(kept.bytes, lines.bytes) === 0
    ? { revoke: [{ ...step, keys: "revoked" }], grant: [] }
    : { revoke: [{ ...stepWith(kept), keys: "revoked" }], grant: [{ ...step, keys: "granted" }] };
}

function isSomebodyGone(users: readonly User[], before: ReadonlyMap<string, string>): boolean {
  return notAmong(users, before.keys()).some((name) => keysInText(before.get(name) ?? "").length > 0);
}

/** Those of a few names that no user has. */
function notAmong(users: readonly User[], names: Iterable<string>): string[] {
  const left = new Set(names);
  if (left.size > 0) {
    users.forEach(({ name }) => left.delete(name));
  }
  return [...left];
}

/** What stands for a user's keys in the map; most are there already, and equal texts need no reading. */
function keysText(user: User): string {
  return renderSshkey(user).slice(user.name.length + 1);
}

/**
 * A user with those of their keys that were there before; with none where one is taken from somebody whose account
 * changes, so that what stays opens nothing that is not theirs yet.
 */
function keptBy(user: User, before: readonly string[], isUnmoved: IsUnmoved) {
  const held = new Set(before.map(grantOf));
  const wanted = new Set(user.keys.map(grantOf));
  const losesKeys = !held.isSubsetOf(wanted);
  const keys = losesKeys && !isUnmoved(user) ? [] : user.keys.filter((key) => held.has(grantOf(key)));
  return { user: { ...user, keys }, losesKeys };
}

/** What it means for people; those who are gone come first. */
function keyChanges(users: readonly User[], news: News, observed: Observed): Listed {
  const { before } = news;
  const { keyFiles } = observed;
  const heldBy = (name: string, inMap: readonly string[]) => heldBeside(() => inMap, observed)(name);
  const textBy = (name: string) => keysInText(before.get(name) ?? "");
  const changes = createChangeList();
  for (const name of notAmong(users, [...before.keys(), ...keyFiles.keys()]).sort()) {
    changes.add(...changesOf(name, heldBy(name, textBy(name)), []));
  }
  users.forEach((user, nth) => {
    const { name, keys } = user;
    const isNews = isAmong(nth, news);
    if (before.has(name) || keyFiles.has(name)) {
      // What is not new stands in the map as in the directory.
      const inMap = before.has(name) || isNews ? textBy(name) : keys;
      changes.add(...changesOf(name, heldBy(name, inMap), keys));
    } else if (isNews) {
      changes.addEach("key-granted", keys, (key) => ({ event: "key-granted", user: name, key }));
    }
  });
  return changes.listed();
}

/**
 * The files that sshd may still read. They only ever lose what nobody should have: until `rollcall setup` has told sshd to ask, they
 * are what people log in by.
 */
function planFiles(users: readonly User[], observed: Observed, isUnmoved: IsUnmoved) {
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
    const kept = user && keptBy(user, parseAuthorizedKeys(text), isUnmoved);
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
