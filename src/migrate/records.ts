/**
 * What is known of the records of the IAM: whom a name belongs to, and what became of them.
 */

import type { Reason } from "../model/comparison.ts";
import type { Directory, Group, User } from "../model/directory.ts";
import type { Drafts, GroupDraft, UserDraft } from "../model/draft.ts";
import { type Problem, type ProblemCode, refusesRecord } from "../model/problem.ts";

/** What a plan came to, and the rule for one key line. */
export interface Here {
  readonly directory: Directory;
  /** Who could be served before the rules of access say who is. */
  readonly everybody: Pick<Directory, "users">;
  readonly drafts: Drafts;
  readonly problems: readonly Problem[];
  /** Why a key line would be refused. */
  readonly keyFault: (line: string) => ProblemCode | undefined;
  /** A key as people may see it. */
  readonly describeKey: (line: string) => string;
}

/** Answers about records. */
export interface Records {
  /** What the IAM calls the record of a served user or group. */
  nameOf(kind: "user" | "group", id: string | undefined): string | undefined;
  groupDraft(id: string | undefined): GroupDraft | undefined;
  /** The served user with this name, here or in the IAM. */
  served(name: string): User | undefined;
  /** Why nobody is served under a name that the IAM has. */
  whyNot(kind: "user" | "group", name: string): Reason | undefined;
  /** Whether the IAM has such a user. */
  has(name: string): boolean;
  /** Why a user has no login here; undefined for one who has. */
  whyShut(user: User): Reason | undefined;
  /** Whether a record has a problem. */
  hasProblem(user: User, code: ProblemCode): boolean;
}

/** Puts everything into maps, so that a comparison stays linear. */
export function createRecords({ directory, everybody, drafts, problems }: Here): Records {
  const names = { user: namesById(drafts.users), group: namesById(drafts.groups) };
  const byName = { user: recordsByName(drafts.users), group: recordsByName(drafts.groups) };
  const groupDrafts = new Map(drafts.groups.map((draft) => [draft.id, draft]));
  const users = new Map<string, User>(directory.users.map((user) => [user.name, user]));
  const usersById = new Map<string, User>(directory.users.map((user) => [user.id, user]));
  const known = new Map<string, User>(everybody.users.map((user) => [user.id, user]));
  const faults = Map.groupBy(problems, ({ subject }) => `${subject.kind} ${subject.id}`);
  const draftsCalled = (kind: "user" | "group", name: string) => byName[kind].get(name) ?? [];
  return {
    nameOf: (kind, id) => names[kind].get(id ?? ""),
    groupDraft: (id) => groupDrafts.get(id ?? ""),
    served: (name) =>
      users.get(name) ?? draftsCalled("user", name).flatMap(({ id }) => usersById.get(id) ?? [])[0],
    whyNot: (kind, name) =>
      draftsCalled(kind, name)
        .map(({ id }) => {
          const refused = faults.get(`${kind} ${id}`)?.find(refusesRecord)?.code;
          return refused ?? (kind === "user" && known.has(id) ? ("not-visible" as const) : undefined);
        })
        .find((reason) => reason !== undefined),
    has: (name) => byName.user.has(name),
    whyShut: (user) => {
      if (user.active) {
        return undefined;
      }
      return known.get(user.id)?.active === true ? "not-let-in" : "inactive";
    },
    hasProblem: (user, code) => faults.get(`user ${user.id}`)?.some((one) => one.code === code) === true,
  };
}

type Draft = UserDraft | GroupDraft;

function namesById(drafts: readonly Draft[]): ReadonlyMap<string, string> {
  return new Map(drafts.flatMap(({ id, name }) => (typeof name === "string" ? [[id, name] as const] : [])));
}

function recordsByName(drafts: readonly Draft[]): ReadonlyMap<string, readonly Draft[]> {
  return Map.groupBy(
    drafts.filter(({ name }) => typeof name === "string"),
    ({ name }) => String(name),
  );
}

/** A served user or group, or nobody, beside what the other tool has under their name. */
export interface Pair<Ours extends User | Group, Old> {
  readonly name: string;
  readonly ours: Ours | undefined;
  readonly old: Old | undefined;
}

/** Pairs by name; whom this node calls otherwise than the IAM, by that. */
export function pairsOf<Ours extends User | Group, Old>(
  ours: readonly Ours[],
  old: ReadonlyMap<string, Old>,
  nameInIam: (one: Ours) => string | undefined,
): Pair<Ours, Old>[] {
  const used = new Set<string>();
  const found = ours.map((one) => {
    const name = [one.name, nameInIam(one) ?? one.name].find((called) => old.has(called)) ?? one.name;
    used.add(name);
    return { name, ours: one, old: old.get(name) };
  });
  const rest = [...old].filter(([name]) => !used.has(name));
  return [...found, ...rest.map(([name, record]) => ({ name, ours: undefined, old: record }))];
}
