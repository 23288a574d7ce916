/**
 * Turns an nsscache.conf into settings of Rollcall.
 *
 * In: a configuration, and the name of its file for commands. Out: settings and remarks, or why there can be none. Every
 * key is translated or remarked on. Never repeats a token, nor the value of a key that it does not know.
 */

import { quoted } from "../model/quoted.ts";
import { gecos, missingIds, token, withoutKeys } from "./additions.ts";
import { type Conf, OLD_MAPS, type OldMap } from "./conf.ts";
import { DEFAULT_SECTION } from "./ini.ts";
import { RULES, type Rule } from "./rules.ts";
import { mapRemarks, strayRemarks } from "./stray.ts";
import { placeOf, remarkOn, type Setting, type Translation } from "./translation.ts";

/** What a configuration came to. */
export type Translated =
  | { readonly ok: true; readonly translation: Translation }
  | { readonly ok: false; readonly reasons: readonly string[] };

/** Translates the whole of it. */
export function translate(conf: Conf, file: string): Translated {
  const maps = servedMaps(conf);
  const reasons = [
    ...sourceReasons(conf, maps),
    ...differing(conf, maps, "scim_base_url"),
    ...differing(conf, maps, "scim_auth_token"),
    ...othersWithKeys(conf, maps),
    ...tokenReasons(conf, maps),
  ];
  if (reasons.length > 0) {
    return { ok: false, reasons };
  }
  const parts = RULES.map((rule) => applyRule(rule, conf, maps));
  const translated = withoutOverridden({
    settings: withoutRepeats(parts.flatMap(({ settings }) => settings)),
    remarks: parts.flatMap(({ remarks }) => remarks),
  });
  const additions = [
    token(conf, maps, file),
    gecos(),
    withoutKeys(translated, conf, maps),
    missingIds(translated),
  ];
  return {
    ok: true,
    translation: {
      settings: [...translated.settings, ...additions.flatMap(({ settings }) => settings)],
      remarks: [
        ...translated.remarks,
        ...additions.flatMap(({ remarks }) => remarks),
        ...mapRemarks(conf),
        ...strayRemarks(conf, maps),
      ],
    },
  };
}

function servedMaps({ maps }: Conf): readonly OldMap[] {
  return maps === undefined ? OLD_MAPS : OLD_MAPS.filter((map) => maps.includes(map));
}

/** Without a SCIM source there is nothing to ask. */
function sourceReasons(conf: Conf, maps: readonly OldMap[]): string[] {
  const sources = conf.written.filter(
    ({ key, section, value }) =>
      key === "source" &&
      value !== "scim" &&
      (section === DEFAULT_SECTION
        ? maps.length === 0 || maps.some((map) => conf.valueFor(map, key)?.section === section)
        : maps.some((map) => map === section)),
  );
  const others = sources.map(
    (option) => `${placeOf(option)}: the source is ${quoted(option.value)}${WAYS[option.value] ?? ANY_WAY}`,
  );
  if (others.length > 0) {
    return others;
  }
  if (maps.length === 0) {
    return ["maps names neither passwd, group, shadow nor sshkey, and Rollcall serves no others."];
  }
  return conf.valueFor(maps[0] ?? "passwd", "scim_base_url") === undefined
    ? ["There is no scim_base_url, so there is no SCIM service to ask."]
    : [];
}

const ANY_WAY =
  ", and Rollcall asks SCIM 2.0 services alone. Keep nsscache for it; or give Rollcall the same people as SCIM ListResponses on disk, with iam.source: file.";
const WAYS: Readonly<Record<string, string>> = {
  ldap: ", and Rollcall asks SCIM 2.0 services alone. Most directories have one beside LDAP, or an identity provider before them that has one (Entra ID, Okta, Keycloak, authentik): write an nsscache.conf for that, or rollcall.yaml by hand. Until then keep nsscache, or SSSD.",
};

/** Values that maps must share. What they are is not said: one of them is a secret. */
function differing(conf: Conf, maps: readonly OldMap[], key: string): string[] {
  const found = maps.flatMap((map) => conf.valueFor(map, key) ?? []);
  const places = new Set(found.map((option) => placeOf({ key, ...option })));
  return new Set(found.map(({ value }) => value)).size > 1
    ? [
        `${[...places].join(" and ")} differ: Rollcall asks one service with one token. Make them the same, or write a configuration for each node that needs another.`,
      ]
    : [];
}

/** Whoever had a name and no key must not be given one. */
function othersWithKeys(conf: Conf, maps: readonly OldMap[]): string[] {
  const isBoth = maps.includes("passwd") && maps.includes("sshkey");
  return ["scim_users_parameters", "scim_users_endpoint"].flatMap((key) => {
    const [names, keys] = (["passwd", "sshkey"] as const).map((map) => conf.valueFor(map, key));
    const place = keys ?? names;
    return !isBoth || place === undefined || names?.value === keys?.value
      ? []
      : [
          `${placeOf({ key, ...place })}: [sshkey] asks for other users than [passwd], and Rollcall asks for names and keys together, so keys would go to people who had none. Make them the same; who may log in can be said by access.login.`,
        ];
  });
}

/** Shorter ones are in other values by chance. */
const SHORTEST_TOKEN = 8;

/** A value that is made with the token would copy it. */
function tokenReasons(conf: Conf, maps: readonly OldMap[]): string[] {
  const tokens = maps
    .flatMap((map) => conf.valueFor(map, "scim_auth_token")?.value ?? [])
    .filter(({ length }) => length >= SHORTEST_TOKEN);
  return conf.written
    .filter(({ key, value }) => key !== "scim_auth_token" && tokens.some((token) => value.includes(token)))
    .map((option) => `${placeOf(option)}: the token is in it, and is never copied. Take it out there.`);
}

function applyRule(rule: Rule, conf: Conf, maps: readonly OldMap[]): Translation {
  const { key } = rule;
  const readers = rule.maps.filter((map) => maps.includes(map));
  const [first] = readers;
  const option = first && conf.valueFor(first, key);
  const others = readers.flatMap((map) => {
    const other = conf.valueFor(map, key);
    return other === undefined || other.value === option?.value ? [] : [other];
  });
  if (option === undefined) {
    const text = `Not translated: [${first}] has none, and what holds there is used for all.`;
    return {
      settings: [],
      remarks: others.map((other) => remarkOn(key, other, { path: undefined, text, needsLook: true })),
    };
  }
  const { settings = [], text, needsLook = false } = rule.part(option.value);
  const path = settings[0]?.path;
  return {
    settings,
    remarks: [
      ...(text === undefined ? [] : [remarkOn(key, option, { path, text, needsLook })]),
      ...new Map(others.map((other) => [other.line, other])).values().map((other) =>
        remarkOn(key, other, {
          path,
          text: `This section has another value; the one of [${option.section}] is used for all.`,
          needsLook: true,
        }),
      ),
    ],
  };
}

/** Of two rules that set the same, the first counts. */
function withoutRepeats(settings: readonly Setting[]): Setting[] {
  return settings.filter(({ path }, index) => index === settings.findIndex((other) => other.path === path));
}

/** The home of the IAM counts for nobody where everybody's is given. */
function withoutOverridden({ settings, remarks }: Translation): Translation {
  const isOverridden = settings.some(({ path }) => path === "homes.path");
  const isHome = ({ path }: { readonly path: string | undefined }) => path === "attributes.user.home";
  return !isOverridden
    ? { settings, remarks }
    : {
        settings: settings.filter((setting) => !isHome(setting)),
        remarks: remarks.map((remark) =>
          isHome(remark)
            ? {
                ...remark,
                path: undefined,
                text: "Not translated: scim_override_home_directory won over it, and homes.path does now.",
                needsLook: false,
              }
            : remark,
        ),
      };
}
