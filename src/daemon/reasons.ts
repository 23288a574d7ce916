/**
 * Why a change comes, as far as this node can know: what the IAM said before held against what it says now.
 *
 * In: a plan with everything that led to it. Out: a reason for each change, and the version of the record it came with. Looks at nothing else.
 */

import type { Drafts } from "../model/draft.ts";
import type { HistoryChange, Reason } from "../model/history.ts";
import { lazily } from "../model/lazily.ts";
import { recordKey } from "../model/ledger.ts";
import type { Change } from "../model/plan.ts";
import type { Source } from "../model/report.ts";
import type { Planned } from "./run-once.ts";

/** What changes are explained by. */
export type Grounds = Pick<Planned, "pulled" | "directory" | "everybody" | "observed" | "plan" | "accepted">;

/** Where what came is from, and what the IAM had said before; undefined when nothing is remembered. */
export interface Sources {
  readonly source: Source;
  readonly previous: Drafts | undefined;
}

/** Tells the story of each of these changes. Compares a record only when a change is about it. */
export function reasonsFor(
  changes: readonly Change[],
  grounds: Grounds,
  sources: Sources,
): readonly HistoryChange[] {
  return changes.length === 0 ? [] : changes.map(explainerOf(changes, grounds, sources));
}

function explainerOf(
  changes: readonly Change[],
  grounds: Grounds,
  sources: Sources,
): (change: Change) => HistoryChange {
  const idsOf = recordIdsIn(grounds, changes);
  const reasonOf = reasonsIn(grounds, { ...sources, idsOf });
  const { versions } = grounds.pulled;
  return (change) => {
    const [id] = idsOf(subjectOf(change));
    return { change, reason: reasonOf(change), version: id === undefined ? undefined : versions.get(id) };
  };
}

/** Whom or what a change is about. */
interface Subject {
  readonly kind: "user" | "group" | "node";
  readonly name: string;
}

function subjectOf(change: Change): Subject {
  if ("user" in change) {
    return { kind: "user", name: change.user };
  }
  return "group" in change ? { kind: "group", name: change.group } : { kind: "node", name: "" };
}

/** The records that are served under a name, or were. */
type IdsOf = (subject: Subject) => readonly string[];

function reasonsIn(
  grounds: Grounds,
  { source, previous, idsOf }: Sources & { readonly idsOf: IdsOf },
): (change: Change) => Reason {
  const { pulled, observed, accepted } = grounds;
  const isEdited = editsIn(grounds);
  // A first sync of a hundred thousand is explained without them.
  const isByAccess = lazily(() => accessIn(grounds));
  const news = lazily(() => newsBetween(previous, pulled.drafts));
  const isNewsOf = (subject: Subject) => idsOf(subject).some((key) => news().isNews(key));
  return (change) => {
    const subject = subjectOf(change);
    if (change.event === "file-repaired" || change.event === "leftover-removed") {
      return change.event === "file-repaired" ? "edited" : "killed";
    }
    if (source === "locked" && change.event === "key-revoked") {
      return "locked";
    }
    if (accepted.includes(`${subject.kind}:${subject.name}`)) {
      return "accepted";
    }
    if (previous === undefined) {
      return observed.published === undefined ? "iam" : "unknown";
    }
    if (isByAccess()(change)) {
      return "access";
    }
    if (isNewsOf(subject) || ("group" in change && isNewsOf({ kind: "group", name: change.group }))) {
      return "iam";
    }
    if (isEdited(change, subject)) {
      return "edited";
    }
    return !isOfOneRecord(change) && news().isAnythingNews() ? "iam" : "node";
  };
}

/** Only those whom a change is about are looked for: mostly a few of a hundred thousand. */
function recordIdsIn({ everybody, observed }: Grounds, changes: readonly Change[]): IdsOf {
  const asked = {
    user: new Set(changes.flatMap((change) => ("user" in change ? [change.user] : []))),
    group: new Set(changes.flatMap((change) => ("group" in change ? [change.group] : []))),
  };
  const ids = new Map<string, Set<string>>();
  const add = (kind: "user" | "group", name: string, id: string | undefined) => {
    if (id !== undefined && asked[kind].has(name)) {
      const key = `${kind} ${name}`;
      ids.set(key, (ids.get(key) ?? new Set()).add(recordKey(kind, id)));
    }
  };
  everybody.users.forEach(({ name, id }) => add("user", name, id));
  everybody.groups.forEach(({ name, id }) => add("group", name, id));
  for (const { kind, name, id, lastSeen } of observed.ledger.holdings) {
    if (lastSeen === undefined) {
      add(kind === "group" ? "group" : "user", name, id);
    }
  }
  return ({ kind, name }) => [...(ids.get(`${kind} ${name}`) ?? [])];
}

/** Whether a record, or any at all, is not what it was. */
function newsBetween(previous: Drafts | undefined, now: Drafts) {
  const before = byKey(previous);
  const after = byKey(now);
  const isNews = (key: string) => textOf(before.get(key)) !== textOf(after.get(key));
  return {
    isNews,
    isAnythingNews: lazily(() => before.size !== after.size || [...after.keys()].some(isNews)),
  };
}

function byKey(drafts: Drafts | undefined): ReadonlyMap<string, unknown> {
  const { users = [], groups = [] } = drafts ?? {};
  return new Map<string, unknown>([
    ...users.map((draft) => [recordKey("user", draft.id), draft] as const),
    ...groups.map((draft) => [recordKey("group", draft.id), draft] as const),
  ]);
}

/** What is remembered has null where nothing came. */
function textOf(draft: unknown): string | undefined {
  return JSON.stringify(draft, (_key, value: unknown) => (value === undefined ? null : value));
}

/** Fields that no other record bears on. */
function isOfOneRecord(change: Change): boolean {
  return change.event === "user-changed" && /^(?:gecos|home|shell)$/.test(change.field);
}

/** Whether somebody loses something because the IAM lets them in, and the rules of this node do not. */
function accessIn({ everybody, directory }: Grounds): (change: Change) => boolean {
  const shown = new Map<string, boolean>(directory.users.map(({ name, active }) => [name, active]));
  const allowed = new Set<string>(everybody.users.filter(({ active }) => active).map(({ name }) => name));
  return (change) => {
    if (!("user" in change) || !allowed.has(change.user) || shown.get(change.user) === true) {
      return false;
    }
    // Whoever is shown keeps the groups of the IAM.
    const isHidden = !shown.has(change.user);
    return change.event === "member-removed"
      ? isHidden
      : /^(?:user-removed|user-deactivated|key-revoked|sessions-ended)$/.test(change.event);
  };
}

/** Whether the file that says otherwise was touched by somebody else. */
function editsIn({ observed, plan }: Grounds): (change: Change, subject: Subject) => boolean {
  const repaired = plan.changes.flatMap((change) => (change.event === "file-repaired" ? [change.file] : []));
  const files = new Set(
    [...observed.differences.map(({ path }) => path), ...repaired].map((path) =>
      path.slice(path.lastIndexOf("/") + 1),
    ),
  );
  const asksMap = plan.steps.some((step) => step.kind === "publish-map" && step.keys !== undefined);
  return ({ event }, { name }) => {
    if (event.startsWith("key-")) {
      return files.has(name) || (asksMap && files.has("sshkey.cache"));
    }
    const maps = /^(?:group|member)-/.test(event) ? ["group.cache"] : ["passwd.cache", "shadow.cache"];
    return maps.some((map) => files.has(map));
  };
}
