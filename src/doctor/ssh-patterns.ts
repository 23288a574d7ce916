/**
 * Who is shut out by sshd's own lists of users and groups, as sshd_config(5) reads them.
 *
 * In: somebody with their groups, and the settings in force. Out: the setting that shuts them out. Where a pattern also
 * names a host, only the user counts: from where they come is not known here.
 */

import type { SshdSettings } from "../formats/sshd-settings.ts";

/** Somebody who may log in. */
export interface Login {
  readonly name: string;
  readonly groups: readonly string[];
}

/** In the order of sshd: DenyUsers, AllowUsers, DenyGroups, AllowGroups. Undefined when none shuts them out. */
export function whyShut({ name, groups }: Login, settings: SshdSettings): string | undefined {
  const listOf = (key: string) =>
    settings
      .get(key)
      ?.flatMap((value) => value.split(/\s+/))
      .filter(Boolean);
  const users = (list: readonly string[]) => list.some((pattern) => matchesUser(name, pattern));
  const ofGroups = (list: readonly string[]) =>
    groups.some((group) => list.some((pattern) => matches(group, pattern)));
  const denyUsers = listOf("denyusers");
  const allowUsers = listOf("allowusers");
  const denyGroups = listOf("denygroups");
  const allowGroups = listOf("allowgroups");
  if (denyUsers?.some((pattern) => !pattern.includes("@") && matchesUser(name, pattern)) === true) {
    return "DenyUsers";
  }
  if (allowUsers !== undefined && !users(allowUsers)) {
    return "AllowUsers";
  }
  if (denyGroups !== undefined && ofGroups(denyGroups)) {
    return "DenyGroups";
  }
  return allowGroups !== undefined && !ofGroups(allowGroups) ? "AllowGroups" : undefined;
}

function matchesUser(name: string, pattern: string): boolean {
  return matches(name, pattern.split("@", 1)[0] ?? "");
}

function matches(name: string, pattern: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "s").test(name);
}
