/**
 * What must change in the keys directory: one authorized_keys file per user who may log in.
 *
 * In: the directory and the files on disk. Out: files to rewrite or remove before anything is given, files
 * to write after everything else is in place. A file without Rollcall's first line is an admin's: it is
 * replaced when a served user has its name, else only reported.
 */

import { isOurs, parseAuthorizedKeys, renderAuthorizedKeys } from "../formats/authorized-keys.ts";
import type { User } from "../model/directory.ts";
import { grantOf } from "../model/key-line.ts";
import { createChangeList } from "../model/listed.ts";
import type { Observed, ObservedFile } from "../model/observed.ts";
import type { Change, GrantKeys, PublishMap, RevokeKeys } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import { textOf } from "./keys-held.ts";

/** What must be done where sshd learns keys: in the keys directory, or in the sshkey map. */
export interface KeysPlan {
  readonly revoke: readonly (RevokeKeys | PublishMap)[];
  readonly grant: readonly (GrantKeys | PublishMap)[];
  readonly changes: readonly Change[];
  readonly unlisted: Readonly<Record<string, number>>;
  readonly problems: readonly Problem[];
}

const FILE_MODE = 0o644;

/** Users who keep their uid, gid and home, and may already log in. */
export type IsUnmoved = (user: User) => boolean;

/** Plans every user's file. */
export function planKeys(users: readonly User[], observed: Observed, isUnmoved: IsUnmoved): KeysPlan {
  const revoke: RevokeKeys[] = [];
  const grant: GrantKeys[] = [];
  const withKeys = users.filter((user) => user.keys.length > 0);
  const rest = planLeftovers(
    new Set(withKeys.map((user) => user.name)),
    observed,
    new Set(users.map((user) => user.name)),
  );
  const changes = createChangeList();
  changes.add(...rest.changes);
  for (const user of withKeys) {
    const file = observed.keyFiles.get(user.name);
    if (file !== undefined && isInStep(user, file, observed)) {
      continue;
    }
    const keyChanges = changesOf(user.name, keysOf(file), user.keys);
    const takesAway = keyChanges.some((change) => change.event === "key-revoked");
    changes.add(
      ...(keyChanges.length > 0 ? keyChanges : [repairOf(user.name)]),
      ...takeOverOf(user.name, file),
    );
    if (takesAway && isUnmoved(user)) {
      revoke.push({ kind: "revoke-keys", user: user.name, content: renderAuthorizedKeys(user.keys) });
      continue;
    }
    revoke.push(
      ...(takesAway ? [{ kind: "revoke-keys", user: user.name, content: undefined } as const] : []),
    );
    grant.push({ kind: "grant-keys", user: user.name, keys: user.keys });
  }
  return {
    revoke: [...rest.revoke, ...revoke],
    grant,
    ...changes.listed(),
    problems: rest.problems,
  };
}

function isInStep(user: User, file: ObservedFile, observed: Observed): boolean {
  return textOf(file) === renderAuthorizedKeys(user.keys) && isAttributed(file, observed);
}

/** The files of everybody who should have none. */
function planLeftovers(keep: ReadonlySet<string>, observed: Observed, served: ReadonlySet<string>) {
  const revoke: RevokeKeys[] = [];
  const changes: Change[] = [];
  const problems: Problem[] = [];
  for (const [user, file] of observed.keyFiles) {
    const isForeign = !served.has(user) && !isOurs(textOf(file));
    if (keep.has(user) || (isForeign && observed.local.userNames.has(user))) {
      continue;
    }
    if (isForeign) {
      problems.push(foreignFile(user));
      continue;
    }
    revoke.push({ kind: "revoke-keys", user, content: undefined });
    const keyChanges = changesOf(user, keysOf(file), []);
    changes.push(...(keyChanges.length > 0 ? keyChanges : [repairOf(user)]));
  }
  return { revoke, changes, problems };
}

/** A file of an admin, whoever has the name. */
export function foreignFile(name: string): Problem {
  const subject = { kind: "node", id: name, name } as const;
  return { code: "key-file-foreign", subject, field: "keys", reason: "it lacks Rollcall's first line" };
}

function keysOf(file: ObservedFile | undefined): readonly string[] {
  return file === undefined ? [] : parseAuthorizedKeys(textOf(file));
}

/** What a user's keys before and after come to. */
export function changesOf(user: string, held: readonly string[], keys: readonly string[]): Change[] {
  const before = new Map(held.map((key) => [grantOf(key), key]));
  const after = new Map(keys.map((key) => [grantOf(key), key]));
  const revoked = [...before].filter(([grant]) => !after.has(grant));
  const granted = [...after].filter(([grant]) => !before.has(grant));
  const relabelled = [...after].filter(([grant, key]) => before.has(grant) && before.get(grant) !== key);
  return [
    ...revoked.map(([, key]) => ({ event: "key-revoked", user, key }) as const),
    ...granted.map(([, key]) => ({ event: "key-granted", user, key }) as const),
    ...relabelled.map(([, key]) => ({ event: "key-relabelled", user, key }) as const),
  ];
}

/** An admin who kept that file by hand must see it go. */
function takeOverOf(user: string, file: ObservedFile | undefined): Change[] {
  const isForeign = file !== undefined && !isOurs(textOf(file));
  return isForeign
    ? [{ event: "file-repaired", file: user, reason: "replaces a key file that Rollcall did not write" }]
    : [];
}

function repairOf(user: string): Change {
  return { event: "file-repaired", file: user, reason: "the key file was not as Rollcall writes it" };
}

/** Whether a file's mode and owner are as Rollcall writes them. */
export function isAttributed(file: ObservedFile, observed: Observed): boolean {
  return file.mode === FILE_MODE && (!observed.ownsFiles || (file.uid === 0 && file.gid === 0));
}
