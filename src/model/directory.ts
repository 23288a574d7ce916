/**
 * What this node should serve: users and groups that passed every check.
 *
 * Only `validate/` builds a Directory; everything after it trusts the types.
 */

import type {
  AuthorizedKey,
  Gecos,
  Gid,
  GroupName,
  HomePath,
  ScimId,
  ShellPath,
  Uid,
  UserName,
} from "./ids.ts";

/** A person who exists on this node. */
export interface User {
  readonly id: ScimId;
  readonly name: UserName;
  readonly uid: Uid;
  readonly gid: Gid;
  readonly gecos: Gecos;
  readonly home: HomePath;
  readonly shell: ShellPath;
  /** Empty for an inactive user. */
  readonly keys: readonly AuthorizedKey[];
  /** Whether they may log in here: active in the IAM, and let in by the rules of this node. Else the name stays, so that files show an owner. */
  readonly active: boolean;
  /** Active in the IAM, and kept out by the rules of this node. */
  readonly byRule?: true;
}

/** A group of such people. */
export interface Group {
  /** Undefined for the private group of a user. */
  readonly id: ScimId | undefined;
  readonly name: GroupName;
  readonly gid: Gid;
  /** Names of active users, sorted, each once. */
  readonly members: readonly UserName[];
}

/** Everything this node should serve, each list sorted by name. */
export interface Directory {
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  /** Records that the IAM has and this node refuses: `user ID` or `group ID`. */
  readonly withheld: ReadonlySet<string>;
}
