/**
 * What becomes of each key of an nsscache.conf: one row each.
 *
 * In: the value that a map sees. Out: settings, and what is to be said about it.
 */

import type { OldMap } from "./conf.ts";
import {
  baseUrl,
  cache,
  filesDirectory,
  homeAttribute,
  overrideHome,
  parameters,
  retryDelay,
  retryMax,
  shadowDefault,
  shellAttribute,
  suffix,
  timeout,
  verifySsl,
} from "./parts.ts";
import type { Part } from "./translation.ts";

/** What becomes of a key. The first map is the one whose value counts; the others should have the same. */
export interface Rule {
  readonly key: string;
  readonly maps: readonly OldMap[];
  readonly part: (value: string) => Part;
}

const ALL: readonly OldMap[] = ["passwd", "group", "shadow", "sshkey"];
const OF_USERS: readonly OldMap[] = ["passwd", "shadow", "sshkey"];

const setting = (path: string) => (value: string) => ({ settings: [{ path, value }] });
const attribute = (path: string, text: string) => (value: string) => ({ settings: [{ path, value }], text });
const saying = (text: string) => () => ({ text });

/** By key and map. `maps` and the token are looked at elsewhere. */
export const RULES: readonly Rule[] = [
  { key: "scim_base_url", maps: ALL, part: baseUrl },
  { key: "scim_users_endpoint", maps: OF_USERS, part: setting("iam.users.path") },
  { key: "scim_groups_endpoint", maps: ["group"], part: setting("iam.groups.path") },
  { key: "scim_users_parameters", maps: OF_USERS, part: parameters("users") },
  { key: "scim_groups_parameters", maps: ["group"], part: parameters("groups") },
  {
    key: "scim_max_cursor_pages",
    maps: ALL,
    part: saying(
      "Not needed: a list ends when it is complete, and one of more than 20,000 pages is refused whole.",
    ),
  },
  { key: "scim_timeout", maps: ALL, part: timeout },
  { key: "scim_verify_ssl", maps: ALL, part: verifySsl },
  { key: "scim_retry_delay", maps: ALL, part: retryDelay },
  { key: "scim_retry_max", maps: ALL, part: retryMax },
  {
    key: "scim_path_username",
    maps: OF_USERS,
    part: attribute(
      "attributes.user.name",
      "nsscache fell back to userName where it is empty; Rollcall refuses the record.",
    ),
  },
  {
    key: "scim_path_username",
    maps: ["group"],
    part: saying(
      "Not needed: members are joined by members.value, the SCIM id of the user, and never by what they are called.",
    ),
  },
  {
    key: "scim_path_uid",
    maps: ["passwd"],
    part: attribute(
      "attributes.user.uid",
      "nsscache fell back to id, externalId and employeeNumber; Rollcall refuses a record without a uid here.",
    ),
  },
  {
    key: "scim_path_gid",
    maps: ["passwd"],
    part: attribute(
      "attributes.user.gid",
      "nsscache fell back to the uid; Rollcall refuses a record without a gid here.",
    ),
  },
  { key: "scim_path_gid", maps: ["group"], part: setting("attributes.group.gid") },
  { key: "scim_path_home_directory", maps: ["passwd"], part: homeAttribute },
  { key: "scim_path_login_shell", maps: ["passwd"], part: shellAttribute },
  { key: "scim_path_groupname", maps: ["group"], part: setting("attributes.group.name") },
  { key: "scim_path_ssh_keys", maps: ["sshkey"], part: setting("attributes.user.keys") },
  { key: "scim_default_shell", maps: ["passwd"], part: setting("shells.default") },
  { key: "scim_override_home_directory", maps: ["passwd"], part: overrideHome },
  ...["lstchg", "min", "max", "warn", "inact", "expire", "flag"].map((field) => ({
    key: `scim_shadow_default_${field}`,
    maps: ["shadow"] as const,
    part: shadowDefault,
  })),
  { key: "source", maps: ALL, part: saying("It is iam.source now, and scim is its default.") },
  { key: "files_dir", maps: ALL, part: filesDirectory },
  { key: "files_cache_filename_suffix", maps: ALL, part: suffix },
  { key: "cache", maps: ALL, part: cache },
  { key: "lockfile", maps: ALL, part: saying("Not needed: the lock is a file in /run/rollcall.") },
  {
    key: "timestamp_dir",
    maps: ALL,
    part: saying("Not needed: every list is compared whole; what is remembered is in state.directory."),
  },
];
