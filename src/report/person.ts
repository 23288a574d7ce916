/**
 * Everything that decides whether one person can log in on this node, as data: what the IAM says of them, what the rules
 * make of it, and what lies on the node.
 */

import type { User } from "../model/directory.ts";
import type { RunFailure } from "../model/failure.ts";
import type { Holding } from "../model/ledger.ts";
import type { MapName, ObservedFile, ObservedHome } from "../model/observed.ts";
import type { Change } from "../model/plan.ts";
import type { Problem } from "../model/problem.ts";
import type { Source } from "../model/report.ts";
import type { SlurmUser } from "../model/slurm.ts";

/** One person, looked for by name. */
export interface Person {
  /** On this node: as it was asked for, or as the record of that name is called here. */
  readonly name: string;
  /** A local account of the node has the name. */
  readonly isLocal: boolean;
  readonly iam: IamAnswer;
  readonly search: Search;
  /** The record that counts; undefined when there is none. */
  readonly record: PersonRecord | undefined;
  /** What is wrong with that record, and with their home. */
  readonly problems: readonly Problem[];
  /** Could be served, before the rules of access. */
  readonly known: User | undefined;
  /** Is served here, able to log in or not. */
  readonly served: User | undefined;
  /** Names of their groups as they should be, the primary one too, sorted. */
  readonly groups: readonly string[];
  readonly access: AccessRules;
  /** Whose the name and the uid are on this node, by the ledger. */
  readonly holders: { readonly name: Holding | undefined; readonly uid: Holding | undefined };
  readonly sudo: SudoRules;
  /** Undefined where this node does not keep Slurm's accounts; `other-root` where it is not looked at. */
  readonly slurm: SlurmState | "other-root" | undefined;
  readonly node: OnNode;
  readonly sync: SyncState;
  readonly places: Places;
}

/** Whether the IAM could be asked, and whose word is used. */
export interface IamAnswer {
  /** Why it could not be asked; undefined when it answered. */
  readonly failure: RunFailure | undefined;
  /** Undefined when it cannot be asked and nothing is remembered of it. */
  readonly source: Source | undefined;
  /** Milliseconds since it was last believed; undefined when nobody knows. */
  readonly ageMs: number | undefined;
  /** How many records of users it has. */
  readonly records: number;
}

/** How the search for the name went. */
export interface Search {
  /** SCIM ids of every record with that name, and of the one that is served under it; the one that counts comes first. */
  readonly ids: readonly string[];
  /** What somebody may have meant, where nobody has the name. */
  readonly nearest: string | undefined;
  /** What a record is called now that had this name on this node. */
  readonly renamedTo: string | undefined;
  /** Records that no name can be told of. */
  readonly nameless: number;
  /** `iam.users.query`; empty without one. */
  readonly query: string;
}

/** What the IAM says in one record. */
export interface PersonRecord {
  readonly id: string;
  /** After names.localPart. */
  readonly name: string;
  readonly active: unknown;
  /** It names a shell. */
  readonly hasShell: boolean;
  /** A person can take it as it is with `rollcall accept`. */
  readonly isAcceptable: boolean;
}

/** The rules of this node, and what of them speaks of this person. */
export interface AccessRules {
  readonly visible: "all" | readonly string[];
  readonly loginGroups: readonly string[] | undefined;
  readonly loginUsers: readonly string[] | undefined;
  /** Of $ROLLCALL_LOGIN_USERS. */
  readonly environmentUsers: readonly string[] | undefined;
  /** Groups that the record is a member of: only these count for a rule. */
  readonly memberOf: readonly string[];
  /** Names in the rules that nobody has, in words. */
  readonly unknown: readonly string[];
}

/** The rules of sudo for groups that they are in. */
export interface SudoRules {
  /** As sudoers(5) has them. */
  readonly lines: readonly string[];
  /** Those of them that the drop-in does not have. */
  readonly missing: readonly string[];
  /** The drop-in is not as it should be. */
  readonly isPending: boolean;
}

/** What Slurm has of them, and what a sync would change of that. */
export interface SlurmState {
  /** Why Slurm could not be asked, or may not be changed. */
  readonly failure: RunFailure | undefined;
  /** Undefined when it has no such user. */
  readonly user: SlurmUser | undefined;
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
}

/** What lies on the node under the name. */
export interface OnNode {
  /** Whether anybody is on the maps. */
  readonly servesSomebody: boolean;
  /** The line of passwd.cache. */
  readonly passwd: PasswdFields | undefined;
  /** Whether the line of shadow.cache lets them in; undefined without one. */
  readonly isOpen: boolean | undefined;
  /** Names of the groups of group.cache that have them, the primary one too, sorted. */
  readonly groups: readonly string[];
  /** The maps that a sync would write anew, for whomever. */
  readonly outdated: readonly MapName[];
  /** By path: why a shell lets nobody in. */
  readonly shellFaults: ReadonlyMap<string, string>;
  /** Undefined when it was not looked at. */
  readonly home: ObservedHome | undefined;
  readonly keyFile: KeyFile | undefined;
  /** False when this process is not root: then owners tell nothing. */
  readonly ownsFiles: boolean;
}

/** The fields of passwd(5) that people and sshd care for. */
export interface PasswdFields {
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** The file of the keys directory with their name; or what the sshkey map has of them, where sshd asks for that. */
export interface KeyFile extends Pick<ObservedFile, "mode" | "uid" | "gid"> {
  /** Its lines, without comments. */
  readonly keys: readonly string[];
  /** Rollcall wrote it. */
  readonly isOurs: boolean;
}

/** What stands between what should be and what is. */
export interface SyncState {
  /** Why a sync would be refused now, and the id that lets it through; undefined when it would not. */
  readonly refusal: { readonly reason: string; readonly planId: string } | undefined;
  /** Whether any sync has left a report here. */
  readonly hasReport: boolean;
  /** Why the last sync failed, by its report. */
  readonly failure: RunFailure | undefined;
  /** What the last sync left undone, in words. */
  readonly undone: readonly string[];
}

/** Where things come from, as people call the places. */
export interface Places {
  /** The address of the IAM, or the file with its users. */
  readonly iam: string;
  /** Attribute paths of a user; undefined for what is read nowhere. */
  readonly attributes: Readonly<Record<"name" | "uid", string>> &
    Readonly<Record<"shell" | "keys", string | undefined>>;
  readonly defaultShell: string;
  readonly caches: string;
  readonly keyFile: string;
  /** What that file is called. */
  readonly keysIn: "the key file" | "the sshkey map";
  readonly sudoFile: string;
  /** Whether homes are made here. */
  readonly makesHomes: boolean;
}
