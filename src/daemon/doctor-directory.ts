/**
 * Pulls both lists as a plan does, and counts what becomes of them. Without retries: whoever asks, waits.
 */

import type { Settings } from "../config/settings.ts";
import type { DirectoryFacts, PathFacts, Refused } from "../doctor/directory.ts";
import { type Fact, failed, unknown } from "../doctor/finding.ts";
import type { IamFacts } from "../doctor/iam.ts";
import { PROBLEMS, type Problem, refusesRecord } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { pathsIn } from "../source/paths.ts";
import { isAbsent } from "../validate/verdict.ts";
import { factOf } from "./doctor-look.ts";
import { countServed } from "./run-once.ts";
import { lookAtEverybody, type Scene } from "./scene.ts";
import type { Surroundings } from "./surroundings.ts";

const PULL_MS = 30_000;
const PAGE_MS = 10_000;

/** Undefined facts where the way to the IAM ended before. Takes no lock and leaves Slurm alone. */
export async function lookAtDirectory(
  settings: Settings,
  { iam, around }: { readonly iam: IamFacts; readonly around: Surroundings },
  signal: AbortSignal,
): Promise<Fact<DirectoryFacts>> {
  const isAsked = settings.iam.source === "scim";
  const pages = [iam.users, iam.groups];
  if (isAsked && !pages.every((page) => page.known && page.value.fault === undefined)) {
    return unknown("the IAM gives no lists");
  }
  const scene = await factOf({
    what: "pulling both lists and looking at this node",
    limitMs: PULL_MS,
    look: () => lookAtEverybody({ settings: impatient(settings), around }, signal),
  });
  if (!scene.known) {
    return scene;
  }
  return scene.value.failure === undefined
    ? { known: true, value: directoryIn(scene.value, iam) }
    : failed(scene.value.failure.message);
}

function impatient(settings: Settings): Settings {
  const { iam, slurm } = settings;
  return {
    ...settings,
    iam: iam.source === "scim" ? { ...iam, retries: 0, timeoutMs: Math.min(iam.timeoutMs, PAGE_MS) } : iam,
    slurm: { ...slurm, enabled: false },
  };
}

function directoryIn(scene: Scene, iam: IamFacts): DirectoryFacts {
  const { drafts, everybody, directory, problems, settings } = scene;
  const { users, active, keyless, groups } = countServed(directory);
  return {
    users: drafts.users.length,
    groups: drafts.groups.length,
    served: { users, active, keyless, groups },
    refused: refusedIn(problems),
    paths: pathsOf(scene, iam),
    named: namedIn(settings, scene.around),
    userNames: everybody.users.map(({ name }) => name),
    groupNames: everybody.groups.filter(({ id }) => id !== undefined).map(({ name }) => name),
  };
}

function refusedIn(problems: readonly Problem[]): Refused[] {
  const byCode = Map.groupBy(problems.filter(refusesRecord), ({ code }) => code);
  return [...byCode]
    .map(([code, those]) => {
      const names = new Set(
        those.map(({ subject }) => `${subject.kind} ${quoted(subject.name ?? subject.id)}`),
      );
      const { title, remedy } = PROBLEMS[code];
      return { code, title, remedy, subjects: [...names] };
    })
    .sort((left, right) => right.subjects.length - left.subjects.length);
}

/** What is read of each record; with whether nobody can be served without it. */
const USER_FIELDS = [
  ["name", true],
  ["uid", true],
  ["gid", true],
  ["keys", false],
  ["gecos", false],
  ["home", false],
  ["shell", false],
] as const;
const GROUP_FIELDS = [
  ["name", true],
  ["gid", true],
] as const;

function pathsOf({ drafts, settings: { attributes } }: Scene, iam: IamFacts): PathFacts[] {
  const ofUsers = pathsIn(iam.users.known ? iam.users.value.resources : []);
  const ofGroups = pathsIn(iam.groups.known ? iam.groups.value.resources : []);
  return [
    ...USER_FIELDS.flatMap(([field, isNeeded]) => {
      const values = drafts.users.map((draft) => draft[field]);
      const path = attributes.user[field];
      return pathFacts({ key: `attributes.user.${field}`, path, isNeeded, there: ofUsers }, values);
    }),
    ...GROUP_FIELDS.flatMap(([field, isNeeded]) => {
      const values = drafts.groups.map((draft) => draft[field]);
      const path = attributes.group[field];
      return pathFacts({ key: `attributes.group.${field}`, path, isNeeded, there: ofGroups }, values);
    }),
  ];
}

function pathFacts(
  { path, ...rest }: Omit<PathFacts, "path" | "of" | "filled"> & { readonly path: string | undefined },
  values: readonly unknown[],
): PathFacts[] {
  const filled = values.filter((value) => !isAbsent(value) && !(Array.isArray(value) && value.length === 0));
  return path === undefined ? [] : [{ ...rest, path, of: values.length, filled: filled.length }];
}

function namedIn({ access, sudo, slurm }: Settings, { loginUsers }: Surroundings): DirectoryFacts["named"] {
  const { accounts, adminLevel } = slurm;
  const lists: readonly (readonly [key: string, names: readonly string[]])[] = [
    ["access.visible", access.visible === "all" ? [] : access.visible],
    ["access.login.groups", access.login.groups ?? []],
    ["access.login.users", [...(access.login.users ?? []), ...(loginUsers ?? [])]],
    ["sudo.groups", sudo.groups.map(({ group }) => group)],
    ["slurm.accounts.group", slurm.enabled ? accounts.flatMap(({ group }) => group ?? []) : []],
    ["slurm.adminLevel", slurm.enabled ? [...adminLevel.operator, ...adminLevel.administrator] : []],
  ];
  return lists.flatMap(([key, names]) => names.map((name) => ({ key, name })));
}
