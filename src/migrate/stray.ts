/**
 * What is left of an nsscache.conf when every key that is known has been translated: never dropped silently.
 */

import { quoted } from "../model/quoted.ts";
import { type Conf, OLD_MAPS, type OldMap } from "./conf.ts";
import { DEFAULT_SECTION } from "./ini.ts";
import { RULES } from "./rules.ts";
import { type Remark, remarkOn } from "./translation.ts";

/** What is to be said of `maps`. */
export function mapRemarks({ maps, written }: Conf): Remark[] {
  const option = written.find(({ key, section }) => key === "maps" && section === DEFAULT_SECTION);
  const strange = (maps ?? []).filter((map) => !OLD_MAPS.some((known) => known === map));
  const text =
    strange.length === 0
      ? "Not needed: Rollcall always writes passwd, group, shadow and sshkey."
      : `Rollcall always writes passwd, group, shadow and sshkey, and no others: ${strange.map(quoted).join(", ")} must come from elsewhere.`;
  return option === undefined
    ? []
    : [remarkOn("maps", option, { path: undefined, text, needsLook: strange.length > 0 })];
}

/** Keys that no rule has looked at, or not there. Their values may be secrets. */
export function strayRemarks({ written }: Conf, maps: readonly OldMap[]): Remark[] {
  return written.flatMap((option) => {
    const { key, section } = option;
    const readers = readersOf(key);
    if (readers === undefined) {
      const text = "Not known, and not translated. Look what it was for.";
      return [remarkOn(key, option, { path: undefined, text, needsLook: true })];
    }
    const isRead = readers.some(
      (map) => maps.includes(map) && (section === map || section === DEFAULT_SECTION),
    );
    return isRead
      ? []
      : [remarkOn(key, option, { path: undefined, text: unreadText(section, maps), needsLook: false })];
  });
}

function unreadText(section: string, maps: readonly OldMap[]): string {
  return section === DEFAULT_SECTION || maps.some((map) => map === section)
    ? "Not translated: no map that is made has a use for it there."
    : `Not translated: maps does not name ${quoted(section)}, so nsscache did not read this section.`;
}

/** The maps that have a use for a key; undefined for one that nobody knows. */
function readersOf(key: string): readonly OldMap[] | undefined {
  if (key === "maps" || key === "scim_auth_token") {
    return OLD_MAPS;
  }
  const rules = RULES.filter((rule) => rule.key === key);
  return rules.length === 0 ? undefined : rules.flatMap((rule) => rule.maps);
}
