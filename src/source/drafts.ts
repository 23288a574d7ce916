/**
 * Takes SCIM resources apart into drafts.
 *
 * In: the resources of both lists, and the attribute paths. Out: drafts, and a problem for each record that
 * has no id to call it by. Judges nothing else.
 */

import type { Drafts, GroupDraft, MemberDraft, UserDraft } from "../model/draft.ts";
import type { Problem } from "../model/problem.ts";
import { quoted } from "../model/quoted.ts";
import { isRecord, valueAt } from "./attributes.ts";
import type { AttributePaths } from "./settings.ts";

/** Both lists of one pull, as they came. */
export interface Resources {
  readonly users: readonly unknown[];
  readonly groups: readonly unknown[];
}

/** Makes the drafts of one pull. */
export function draftsOf(resources: Resources, paths: AttributePaths): Drafts {
  const problems: Problem[] = [];
  const identified = (kind: "user" | "group", list: readonly unknown[]) =>
    list.flatMap((resource, position) => {
      const id = isTooDeep(resource) ? undefined : idOf(resource);
      if (id === undefined) {
        const reason = `entry ${position + 1} of the list has no id, or is nested too deeply: ${quoted(resource)}`;
        problems.push({
          code: "record-unreadable",
          subject: { kind, id: `#${position + 1}` },
          field: "id",
          reason,
        });
        return [];
      }
      return [{ id, resource }];
    });
  const users = identified("user", resources.users).map(({ id, resource }) =>
    userDraft(id, resource, paths.user),
  );
  const groups = identified("group", resources.groups).map(({ id, resource }) =>
    groupDraft(id, resource, paths.group),
  );
  return { users, groups, problems };
}

/** The id of a resource (RFC 7643 §3.1): text that is not empty. */
export function idOf(resource: unknown): string | undefined {
  const id = isRecord(resource) ? valueAt(resource, "id") : undefined;
  return typeof id === "string" && id !== "" && id.length <= ID_LENGTH ? id : undefined;
}

const ID_LENGTH = 256;
const MAX_DEPTH = 32;

/** Whether a value is nested so deeply that walking through it could exhaust the stack. Never recurses itself. */
function isTooDeep(resource: unknown): boolean {
  let level: unknown[] = [resource];
  for (let depth = 0; level.length > 0 && depth <= MAX_DEPTH; depth += 1) {
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  }
  return level.length > 0;
}

function userDraft(id: string, resource: unknown, paths: AttributePaths["user"]): UserDraft {
  const at = (path: string | undefined) => (path === undefined ? undefined : valueAt(resource, path));
  return {
    id,
    name: at(paths.name),
    uid: at(paths.uid),
    gid: at(paths.gid),
    gecos: at(paths.gecos),
    home: at(paths.home),
    shell: at(paths.shell),
    keys: at(paths.keys),
    active: at("active"),
    groups: entriesOf(resource, "groups").map(({ id: group }) => group),
  };
}

function groupDraft(id: string, resource: unknown, paths: AttributePaths["group"]): GroupDraft {
  return {
    id,
    name: valueAt(resource, paths.name),
    gid: valueAt(resource, paths.gid),
    members: entriesOf(resource, "members"),
  };
}

/** The entries of `members` or `groups` that name somebody by `value`; others name nobody. */
function entriesOf(resource: unknown, attribute: string): MemberDraft[] {
  const entries = valueAt(resource, attribute);
  return (Array.isArray(entries) ? entries : []).flatMap((entry: unknown) => {
    const id = valueAt(entry, "value");
    return typeof id === "string" ? [{ id, kind: kindOf(entry) }] : [];
  });
}

/** RFC 7643 §4.2: `type` is "User" or "Group"; `$ref` ends in `Users/…` or `Groups/…`. */
function kindOf(entry: unknown): "user" | "group" | undefined {
  const type = valueAt(entry, "type");
  const reference = valueAt(entry, "$ref");
  const text = typeof type === "string" ? type : typeof reference === "string" ? reference : "";
  const match = /^(user|group)$|\/(user|group)s\/[^/]*$/i.exec(text);
  const kind = (match?.[1] ?? match?.[2])?.toLowerCase();
  return kind === "user" || kind === "group" ? kind : undefined;
}
