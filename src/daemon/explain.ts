/**
 * One person out of everybody: their record, what the rules make of it, and what lies on the node under their name.
 */

import { parseSudoers, renderSudoRule } from "../formats/sudoers.ts";
import type { Group, User } from "../model/directory.ts";
import type { UserDraft } from "../model/draft.ts";
import { type Holding, latestBy } from "../model/ledger.ts";
import { nearest } from "../model/nearest.ts";
import type { AccessRules, Person, Search, SudoRules } from "../report/person.ts";
import { withoutDomain } from "../validate/names.ts";
import { isAbsent } from "../validate/verdict.ts";
import { groupsOf, lookOnNode, textOf } from "./on-node.ts";
import { lookAtEverybody, type Scene } from "./scene.ts";

/** Everything that is known of one person. Throws what a plan throws, but for an IAM that cannot be asked. */
export async function lookForPerson(
  asked: string,
  from: Pick<Scene, "settings" | "around">,
  signal: AbortSignal,
): Promise<Person> {
  return personIn(asked, await lookAtEverybody(from, signal));
}

async function personIn(asked: string, scene: Scene): Promise<Person> {
  const { settings, observed, everybody, directory, drafts, problems } = scene;
  const records = recordsOf(localPartOf(asked, scene), scene);
  const [record] = records;
  const known = everybody.users.find(({ id }) => id === record?.id);
  const served = directory.users.find(({ id }) => id === record?.id);
  const name = known?.name ?? localPartOf(asked, scene);
  const groups = served === undefined ? everybody.groups : directory.groups;
  return {
    name,
    isLocal: observed.local.userNames.has(name),
    iam: { failure: scene.failure, source: scene.source, ageMs: scene.ageMs, records: drafts.users.length },
    search: searchFor(name, records, scene),
    record: record && recordFor(record, scene),
    problems: problems.filter(({ subject }) => subject.kind === "user" && subject.id === record?.id),
    known,
    served,
    groups: known === undefined ? [] : groupsOf(known, groups),
    access: accessFor(name, scene),
    holders: {
      name: holderBy(({ name }) => name, scene).get(name),
      uid: holderBy(({ number }) => number, scene).get(known?.uid ?? Number(record?.uid ?? Number.NaN)),
    },
    sudo: sudoFor(known, scene),
    slurm: slurmFor(name, scene),
    node: await lookOnNode(name, served, scene),
    sync: scene.sync,
    places: {
      iam: settings.iam.source === "scim" ? settings.iam.url : settings.iam.usersFile,
      attributes: settings.attributes.user,
      defaultShell: settings.shells.default,
      caches: settings.caches.directory,
      ...(settings.keys.files
        ? { keyFile: `${settings.keys.directory}/${name}`, keysIn: "the key file" }
        : { keyFile: `${settings.caches.directory}/sshkey.cache`, keysIn: "the sshkey map" }),
      sudoFile: settings.sudo.file,
      makesHomes: settings.homes.create,
    },
  };
}

function slurmFor(name: string, { slurm, settings, around }: Scene): Person["slurm"] {
  if (settings.slurm.enabled && around.root !== "/") {
    return "other-root";
  }
  return (
    slurm && {
      failure: slurm.failure,
      user: slurm.users.get(name),
      changes: slurm.changes.filter((change) => "user" in change && change.user === name),
      problems: slurm.problems.filter(
        ({ subject }) =>
          (subject.kind === "user" && subject.name === name) ||
          // Somebody without an account may lack it for a reason that is not about them.
          (subject.kind !== "user" && slurm.users.get(name) === undefined),
      ),
    }
  );
}

function localPartOf(name: string, { settings }: Pick<Scene, "settings">): string {
  return withoutDomain(name, settings.names.localPart);
}

/** The user whom the ledger names, by whatever tells holdings apart. */
function holderBy<Key>(keyOf: (holding: Holding) => Key, { observed }: Scene): ReadonlyMap<Key, Holding> {
  return latestBy(
    observed.ledger.holdings.filter(({ kind }) => kind === "user"),
    keyOf,
  );
}

/** Every record with the name, and the one that is served under it; the one that this node serves comes first. */
function recordsOf(name: string, scene: Scene): UserDraft[] {
  const { users } = scene.everybody;
  const known = new Set<string>(users.map(({ id }) => id));
  const holder = users.find((user) => user.name === name);
  const rankOf = ({ id }: UserDraft) => (id === holder?.id ? 0 : known.has(id) ? 1 : 2);
  return scene.drafts.users
    .filter((draft) => draft.id === holder?.id || nameOf(draft, scene) === name)
    .sort((left, right) => rankOf(left) - rankOf(right));
}

/** What a record is called; undefined where it has no text for a name. */
function nameOf({ name }: UserDraft, scene: Scene): string | undefined {
  return typeof name === "string" && name !== "" ? localPartOf(name, scene) : undefined;
}

function recordFor(draft: UserDraft, scene: Scene): Person["record"] {
  const name = nameOf(draft, scene) ?? "";
  return {
    id: draft.id,
    name,
    active: draft.active,
    hasShell: !isAbsent(draft.shell),
    isAcceptable: scene.acceptable.includes(`user:${name}`),
  };
}

function searchFor(name: string, records: readonly UserDraft[], scene: Scene): Search {
  const { settings, drafts } = scene;
  const ids = records.map(({ id }) => id);
  const names = drafts.users.flatMap((draft) => nameOf(draft, scene) ?? []);
  const unreadable = drafts.problems.filter(({ subject }) => subject.kind === "user").length;
  const common = {
    ids,
    nameless: drafts.users.length - names.length + unreadable,
    query: settings.iam.source === "scim" ? settings.iam.users.query : "",
  };
  if (records.length > 0) {
    return { ...common, nearest: undefined, renamedTo: undefined };
  }
  const holder = holderBy((one) => one.name, scene).get(name);
  const renamed = drafts.users.find(({ id }) => id === holder?.id);
  return { ...common, nearest: nearest(name, names), renamedTo: renamed && nameOf(renamed, scene) };
}

function accessFor(name: string, { settings, around, everybody, problems }: Scene): AccessRules {
  const { visible, login } = settings.access;
  const isMember = ({ id, members }: Group) => id !== undefined && members.some((member) => member === name);
  return {
    visible,
    loginGroups: login.groups,
    loginUsers: login.users,
    environmentUsers: around.loginUsers,
    memberOf: everybody.groups.filter(isMember).map((group) => group.name),
    unknown: problems
      .filter(({ code }) => code === "access-unknown")
      .map(({ field, reason }) => `${field}: ${reason}`),
  };
}

function sudoFor(known: User | undefined, { settings, directory, observed, steps }: Scene): SudoRules {
  const shared = directory.groups.filter(({ id }) => id !== undefined);
  const theirs = new Set(known === undefined ? [] : groupsOf(known, shared));
  const lines = settings.sudo.groups
    .filter(({ group }) => theirs.has(group))
    .flatMap((rule) => {
      const group = shared.find(({ name }) => name === rule.group);
      return group === undefined ? [] : [renderSudoRule({ ...rule, group: group.name })];
    });
  const there = parseSudoers(textOf(observed.sudoers));
  return {
    lines,
    missing: lines.filter((line) => !there.includes(line)),
    isPending: steps.some(({ kind }) => kind === "write-sudo"),
  };
}
