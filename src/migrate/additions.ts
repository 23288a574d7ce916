/**
 * What a configuration of Rollcall needs beside the keys of an nsscache.conf: the token, the ids, the display name.
 *
 * In: a configuration, and what its keys came to. Out: settings and remarks. Never repeats a token.
 */

import { quoted } from "../model/quoted.ts";
import type { Conf, OldMap } from "./conf.ts";
import { remarkOn, type Translation } from "./translation.ts";

/** Where the token goes that was in the configuration. */
const TOKEN_FILE = "/etc/rollcall/token";

/** Where the token is, which is never copied. */
export function token(conf: Conf, maps: readonly OldMap[], file: string): Translation {
  const found = maps.flatMap((map) => conf.valueFor(map, "scim_auth_token") ?? [])[0];
  if (found === undefined) {
    const text =
      "There was no token in nsscache.conf, so it came from $NSSCACHE_SCIM_AUTH_TOKEN. Rollcall reads the same variable; a file is better (iam.tokenFile), because it can be changed without a restart.";
    return {
      settings: [],
      remarks: [remarkOn(undefined, undefined, { path: "iam", text, needsLook: false })],
    };
  }
  const text = `The token is not copied here. Put it into its file with: ${tokenCommand(file)}`;
  return {
    settings: [{ path: "iam.tokenFile", value: TOKEN_FILE }],
    remarks: [remarkOn("scim_auth_token", found, { path: "iam.tokenFile", text, needsLook: true })],
  };
}

/** For a shell: takes the first token of the file, without its quotes, into a file that only root can read. */
function tokenCommand(file: string): string {
  const word = `'${file.replaceAll("'", String.raw`'\''`)}'`;
  const pick = String.raw`sed -nE "s/^[[:space:]]*scim_auth_token[[:space:]]*[=:][[:space:]]*[\"']?([^\"'[:space:]]+).*/\\1/Ip" ${word}`;
  return `install -D -m 0600 /dev/null ${TOKEN_FILE} && ${pick} | head -n 1 > ${TOKEN_FILE}`;
}

/** Where the display name is, for which nsscache has no key. */
export function gecos(): Translation {
  const text =
    "nsscache took name.formatted, else givenName and familyName, else displayName. Rollcall reads one attribute.";
  return {
    settings: [{ path: "attributes.user.gecos", value: "name/formatted" }],
    remarks: [remarkOn(undefined, undefined, { path: "attributes.user.gecos", text, needsLook: false })],
  };
}

/** Nobody had a key, so nobody gets one. */
export function withoutKeys({ settings }: Translation, conf: Conf, maps: readonly OldMap[]): Translation {
  if (settings.some(({ path }) => path === "attributes.user.keys")) {
    return { settings: [], remarks: [] };
  }
  const why = maps.includes("sshkey") ? "There was no scim_path_ssh_keys" : "maps had no sshkey";
  const unused = conf.valueFor("sshkey", "scim_path_ssh_keys")?.value;
  const mend = `Set attributes.user.keys${unused === undefined ? "" : `: ${quoted(unused)}`} to change that.`;
  const text = `${why}, so nobody gets a key from the IAM. ${mend}`;
  return {
    settings: [],
    remarks: [remarkOn(undefined, undefined, { path: "attributes.user", text, needsLook: true })],
  };
}

/** Ids come from named attributes alone; nsscache tried others. */
export function missingIds({ settings }: Translation): Translation {
  const valueOf = (path: string) => settings.find((one) => one.path === path)?.value;
  const uid = valueOf("attributes.user.uid");
  const rows = [
    {
      path: "attributes.user.uid",
      value: "id",
      text: "There was no scim_path_uid; nsscache took the SCIM id, which is right only where that is the uid.",
    },
    {
      path: "attributes.user.gid",
      value: uid ?? "id",
      text: "There was no scim_path_gid for passwd; nsscache took the uid. Everybody gets a private group of that number.",
    },
    {
      path: "attributes.group.gid",
      value: "id",
      text: "There was no scim_path_gid for group; the SCIM id is right only where it is the gid. Name the attribute that has it.",
    },
  ].filter(({ path }) => valueOf(path) === undefined);
  return {
    settings: rows.map(({ path, value }) => ({ path, value })),
    remarks: rows.map(({ path, text }) => remarkOn(undefined, undefined, { path, text, needsLook: true })),
  };
}
