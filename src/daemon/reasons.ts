/**
 * Why a change comes, as far as this node can know: what the IAM said before held against what it says now.
 *
 * In: a plan with everything that led to it. Out: a reason for each change, and the version of the record it came with. Looks at nothing else.
 */

import type { User } from "../model/directory.ts";
import {
  type Drafts,
  draftsAmong,
  type GroupDraft,
  type PreviousDrafts,
  type RecordIds,
  textOfDraft,
  type UserDraft,
} from "../model/draft.ts";
import type { HistoryChange, Reason } from "../model/history.ts";
import { lazily } from "../model/lazily.ts";
import { recordKey } from "../model/ledger.ts";
import type { Change } from "../model/plan.ts";
import type { Source } from "../model/report.ts";
import type { Grounds } from "./stages.ts";

/** Where what came is from, and what the IAM had said before. */
export interface Sources {
  readonly source: Source;
  readonly previous: PreviousDrafts;
}

/** Tells the story of each of these changes. Reads and compares a record only when a change is about it. */
export async function reasonsFor(
  changes: readonly Change[],
  grounds: Grounds,
  { source, previous }: Sources,
): Promise<readonly HistoryChange[]> {
  if (changes.length === 0) {
    return [];
  }
  const asked = namesIn(changes);
  const { idsOf, ids } = recordsNamed(asked, grounds);
  const { versions } = grounds.pulled;
  const now = await grounds.pulled.drafts();
  const before = await previous(ids);
  // Where nothing is remembered nothing can be compared.
  const isNews = before === undefined ? () => false : newsBetween(before, draftsAmong(now, ids));
  const reasonOf = reasonsIn(grounds, { source, isRemembered: before !== undefined, asked, idsOf, isNews });
  const isAnythingNews = lazily(async () => differ(await previous(), now));
  const told: HistoryChange[] = [];
  for (const change of changes) {
    const [id] = idsOf(subjectOf(change));
    const reason = reasonOf(change) ?? ((await isAnythingNews()) ? "iam" : "node");
    told.push({ change, reason, version: id === undefined ? undefined : versions.get(id) });
  }
  return told;
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

interface Known {
  readonly source: Source;
  readonly isRemembered: boolean;
  readonly asked: Names;
  readonly idsOf: IdsOf;
  readonly isNews: (key: string) => boolean;
}

/** Undefined for a change that nothing bears on which is known of its own record. */
function reasonsIn(
  grounds: Grounds,
  { source, isRemembered, asked, idsOf, isNews }: Known,
): (change: Change) => Reason | undefined {
  const { observed, accepted } = grounds;
  const isEdited = editsIn(grounds);
  // A first sync of a hundred thousand is explained without them.
  const isByAccess = lazily(() => accessIn(grounds, asked.user));
  const isNewsOf = (subject: Subject) => idsOf(subject).some(isNews);
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
    if (!isRemembered) {
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
    return isOfOneRecord(change) ? "node" : undefined;
  };
}

/** Whom and what changes are about: mostly a few of a hundred thousand. */
type Names = Readonly<Record<"user" | "group", ReadonlySet<string>>>;

function namesIn(changes: readonly Change[]): Names {
  return {
    user: new Set(changes.flatMap((change) => ("user" in change ? [change.user] : []))),
    group: new Set(changes.flatMap((change) => ("group" in change ? [change.group] : []))),
  };
}

/** Only those that are asked for are looked for. */
function recordsNamed(
  asked: Names,
  { everybody, observed }: Grounds,
): { readonly idsOf: IdsOf; readonly ids: RecordIds } {
  const keys = { user: new Map<string, string[]>(), group: new Map<string, string[]>() };
  const ids = { user: new Set<string>(), group: new Set<string>() };
  const add = (kind: "user" | "group", name: string, id: string | undefined) => {
    if (id === undefined || !asked[kind].has(name)) {
      return;
    }
    const key = recordKey(kind, id);
    const known = keys[kind].get(name);
    if (known === undefined) {
      keys[kind].set(name, [key]);
    } else if (!known.includes(key)) {
      known.push(key);
    }
    ids[kind].add(id);
  };
  everybody.users.forEach(({ name, id }) => add("user", name, id));
  everybody.groups.forEach(({ name, id }) => add("group", name, id));
  for (const { kind, name, id, lastSeen } of observed.ledger.holdings) {
    if (lastSeen === undefined) {
      add(kind === "group" ? "group" : "user", name, id);
    }
  }
  return {
    idsOf: ({ kind, name }) => (kind === "node" ? undefined : keys[kind].get(name)) ?? [],
    ids: { users: ids.user, groups: ids.group },
  };
}

/** Whether a record is not what it was. */
function newsBetween(previous: Drafts, now: Drafts): (key: string) => boolean {
  const before = byKey(previous);
  const after = byKey(now);
  return (key) => textAt(before, key) !== textAt(after, key);
}

/** Whether any record at all is not what it was. */
function differ(previous: Drafts | undefined, now: Drafts): boolean {
  const [before, after] = [byKey(previous), byKey(now)];
  return (
    before.size !== after.size || [...after.keys()].some((key) => textAt(before, key) !== textAt(after, key))
  );
}

type ByKey = ReadonlyMap<string, UserDraft | GroupDraft>;

function textAt(drafts: ByKey, key: string): string | undefined {
  const draft = drafts.get(key);
  return draft && textOfDraft(draft);
}

function byKey(drafts: Drafts | undefined): ByKey {
  const { users = [], groups = [] } = drafts ?? {};
  return new Map<string, UserDraft | GroupDraft>([
    ...users.map((draft) => [recordKey("user", draft.id), draft] as const),
    ...groups.map((draft) => [recordKey("group", draft.id), draft] as const),
  ]);
}

/** Fields that no other record bears on. */
function isOfOneRecord(change: Change): boolean {
  return change.event === "user-changed" && /^(?:gecos|home|shell)$/.test(change.field);
}

/** Whether somebody loses something because the IAM lets them in, and the rules of this node do not. */
function accessIn(
  { everybody, directory }: Grounds,
  asked: ReadonlySet<string>,
): (change: Change) => boolean {
  const among = ({ name }: User) => asked.has(name);
  const shown = new Map<string, boolean>(
    directory.users.filter(among).map(({ name, active }) => [name, active]),
  );
  const allowed = new Set<string>(
    everybody.users.filter(({ name, active }) => active && asked.has(name)).map(({ name }) => name),
  );
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
