/**
 * From a checked file to frozen settings: presets filled in, keys checked against each other.
 */

import { type AttributePreset, PRESETS } from "./presets.ts";
import type { RawConfig } from "./schema.ts";
import { slurmMistakes } from "./slurm.ts";

/** What every room gets its slice from. */
export type Settings = ReturnType<typeof settingsFrom>;

/** Something wrong between keys: the key to look at, and what is wrong. */
export interface CrossMistake {
  readonly path: readonly string[];
  readonly message: string;
}

/** The mistakes that no single key shows. */
export function crossMistakes(config: RawConfig): CrossMistake[] {
  const { iam, ids, homes, stale } = config;
  const mistakes = [
    ...(iam.source === "scim" ? urlMistakes(iam) : fileMistakes(iam)),
    ...attributeMistakes(config),
    ...slurmMistakes(config.slurm).map(([key, message]) => at(key, message)),
  ];
  if ((iam.clientCertFile === undefined) !== (iam.clientKeyFile === undefined)) {
    mistakes.push(at("iam.clientCertFile", "needs iam.clientKeyFile beside it, and the other way round"));
  }
  if (stale.lockAfter !== undefined && stale.lockAfter < stale.warnAfter) {
    mistakes.push(at("stale.lockAfter", "must not be below stale.warnAfter: somebody must be warned first"));
  }
  if (ids.min > ids.max) {
    mistakes.push(at("ids.min", "must not be above ids.max"));
  }
  if (!homes.under.some((prefix) => homes.path.startsWith(`${prefix}/`))) {
    mistakes.push(at("homes.path", "must lie below one of homes.under"));
  }
  return mistakes;
}

function urlMistakes({ url, allowHttp }: RawConfig["iam"]): CrossMistake[] {
  if (url === undefined) {
    return [at("iam.url", "is missing: the base address of the SCIM service")];
  }
  const { protocol, hostname, username, password, search, hash } = new URL(url);
  const isPrivate = protocol === "https:" || allowHttp || isLoopback(hostname);
  return [
    ...(isPrivate
      ? []
      : [
          at(
            "iam.url",
            "must be https, or the token crosses the network in the clear (or set iam.allowHttp)",
          ),
        ]),
    ...(`${username}${password}${search}${hash}` === ""
      ? []
      : [at("iam.url", "must have no user, password, query or fragment")]),
  ];
}

/** Whether a host of a URL is this machine, as far as the name says; plain http is for that alone. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function fileMistakes({ usersFile, groupsFile }: RawConfig["iam"]): CrossMistake[] {
  return [
    ...(usersFile === undefined
      ? [at("iam.usersFile", "is missing: the ListResponse of Users on disk")]
      : []),
    ...(groupsFile === undefined
      ? [at("iam.groupsFile", "is missing: the ListResponse of Groups on disk")]
      : []),
  ];
}

/** Ids come from the attribute the admin names and from nowhere else, so they must be named. */
function attributeMistakes({ iam, attributes }: RawConfig): CrossMistake[] {
  const preset: AttributePreset = PRESETS[iam.preset];
  const { uid, gid } = { ...preset.user, ...attributes.user };
  const groupGid = attributes.group.gid ?? preset.group.gid;
  return [
    ...(uid === undefined ? [at("attributes.user.uid", "is missing: the attribute with the POSIX uid")] : []),
    ...(gid === undefined
      ? [at("attributes.user.gid", "is missing: the attribute with the gid of the primary group")]
      : []),
    ...(groupGid === undefined
      ? [at("attributes.group.gid", "is missing: the attribute with the POSIX gid of a group")]
      : []),
  ];
}

function at(key: string, message: string): CrossMistake {
  return { path: key.split("."), message };
}

/** The settings behind a file without mistakes; deeply frozen. */
export function settingsFrom({ iam, attributes, ...rest }: RawConfig) {
  const preset: AttributePreset = PRESETS[iam.preset];
  const { timeout, retryDelay, url = "", usersFile = "", groupsFile = "", ...scim } = iam;
  const { name = "", uid = "", gid = "" } = { ...preset.user, ...attributes.user };
  const { gecos, home, shell, keys } = { ...preset.user, ...attributes.user };
  const group = { ...preset.group, ...attributes.group };
  return deepFreeze({
    ...rest,
    iam:
      iam.source === "file"
        ? { source: "file" as const, usersFile, groupsFile }
        : {
            source: "scim" as const,
            url,
            tokenFile: scim.tokenFile,
            users: scim.users,
            groups: scim.groups,
            probe: scim.probe,
            paging: scim.paging,
            pageSize: scim.pageSize,
            parallel: scim.parallel,
            timeoutMs: timeout,
            retries: scim.retries,
            retryDelayMs: retryDelay,
            maxPageBytes: scim.maxPageBytes,
            caFile: scim.caFile,
            clientCertFile: scim.clientCertFile,
            clientKeyFile: scim.clientKeyFile,
          },
    attributes: {
      user: { name, uid, gid, gecos, home, shell, keys },
      group: { name: group.name ?? "", gid: group.gid ?? "" },
    },
  });
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
