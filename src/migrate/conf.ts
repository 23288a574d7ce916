/**
 * An nsscache.conf as nsscache understands it: which maps it makes, and which value each of them sees.
 */

import { readHelmValues } from "./helm.ts";
import { DEFAULT_SECTION, type Ini, type IniMistake, type Option, readIni } from "./ini.ts";

/** The maps that a configuration may be about, with a section for each. */
export const OLD_MAPS = ["passwd", "group", "shadow", "sshkey"] as const;
export type OldMap = (typeof OLD_MAPS)[number];

/** A configuration. */
export interface Conf {
  /** As `maps` lists them; undefined where it does not. */
  readonly maps: readonly string[] | undefined;
  /** Every option where it is written, in the order of the file. */
  readonly written: readonly (Option & { readonly key: string })[];
  /** What a map sees: its own section, else DEFAULT. Without the quotes around it. */
  valueFor(map: OldMap, key: string): Option | undefined;
}

/** A configuration, or why the text is none. */
export type ReadConf =
  | { readonly ok: true; readonly conf: Conf }
  | { readonly ok: false; readonly mistakes: readonly IniMistake[] };

/** Reads an nsscache.conf, or the one in Helm values. */
export function readConf(text: string): ReadConf {
  const ini = BEGINS_WITH_SECTION.test(text) ? readIni(text) : (readHelmValues(text) ?? readIni(text));
  return ini.mistakes.length === 0 ? { ok: true, conf: confOf(ini) } : { ok: false, mistakes: ini.mistakes };
}

/** After comments and empty lines. */
const BEGINS_WITH_SECTION = /^(?:[ \t]*(?:[#;][^\n\r]*)?(?:\r\n|\n|\r))*[ \t]*\[/;

function confOf({ sections, defaults }: Ini): Conf {
  const written = [[DEFAULT_SECTION, defaults] as const, ...sections]
    .flatMap(([name, options]) =>
      [...options]
        .filter(([, { section }]) => section === name)
        .map(([key, option]) => ({ ...unquoted(option), key })),
    )
    .sort((left, right) => left.line - right.line);
  const maps = defaults.get("maps");
  return {
    maps:
      maps &&
      unquoted(maps)
        .value.split(/[\s,]+/)
        .filter((map) => map !== ""),
    written,
    valueFor: (map, key) => {
      const option = sections.get(map)?.get(key) ?? defaults.get(key);
      return option && unquoted(option);
    },
  };
}

/** nsscache takes one pair of quotes away. */
function unquoted(option: Option): Option {
  const [, , inside] = /^(["'])([^]*)\1$/.exec(option.value) ?? [];
  return inside === undefined ? option : { ...option, value: inside };
}
