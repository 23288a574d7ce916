/**
 * From the configuration of nsscache to one of Rollcall that has no mistakes.
 *
 * In: a file. Out: the text of rollcall.yaml, the settings behind it, and what is to be said about it. Writes nothing.
 */

import { parseConfig } from "../config/load.ts";
import type { Mistake } from "../config/mistakes.ts";
import type { Settings } from "../config/settings.ts";
import { type Conf, readConf } from "../migrate/conf.ts";
import { type FileNames, fileNamesOf } from "../migrate/old-maps.ts";
import { lineOf, renderConfig } from "../migrate/render.ts";
import { translate } from "../migrate/translate.ts";
import type { Remark, Translation } from "../migrate/translation.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import { readText } from "../platform/files.ts";

/** What a configuration came to. */
export interface Imported {
  readonly yaml: string;
  readonly settings: Settings;
  readonly remarks: readonly Remark[];
  /** Lines for people: what they should look at. */
  readonly looks: readonly string[];
  /** The names of the old maps: `passwd.cache`. */
  readonly fileNames: FileNames;
}

/** The names of the maps where no configuration says otherwise. */
export function usualFileNames(): FileNames {
  return fileNamesOf(() => undefined);
}

const MAX_BYTES = 1024 ** 2;
const SHOWN = 20;

/** Reads and translates a file; throws when it is none of nsscache's, or asks for what Rollcall cannot do. */
export async function importNsscache(path: string): Promise<Imported> {
  const conf = await readFile(path);
  const translated = translate(conf, path);
  if (!translated.ok) {
    throw refused(path, translated.reasons);
  }
  const { yaml, settings, remarks } = settle(path, translated.translation);
  return {
    yaml,
    settings,
    remarks,
    looks: remarks.filter(({ needsLook }) => needsLook).map(lineOf),
    fileNames: fileNamesOf((map) => conf.valueFor(map, "files_cache_filename_suffix")?.value),
  };
}

async function readFile(path: string): Promise<Conf> {
  const { text } = await readText(path, MAX_BYTES).catch((error: unknown) => {
    const message = `Reading ${path} failed: ${messageOf(error)}${hintFor(messageOf(error))}. Name the nsscache.conf, or the Helm values that have it.`;
    throw new Failure("import-unreadable", message, { cause: error });
  });
  const read = readConf(text);
  if (read.ok) {
    return read.conf;
  }
  const shown = read.mistakes.slice(0, SHOWN).map(({ line, message }) => `  ${path}:${line}: ${message}`);
  const rest = read.mistakes.length - shown.length;
  const lines = [...shown, ...(rest > 0 ? [`  … and ${rest} more`] : [])];
  throw new Failure(
    "import-unreadable",
    [
      `${path} is neither an nsscache.conf nor Helm values with an nsscacheConfig; nothing was written:`,
      ...lines,
    ].join("\n"),
  );
}

function refused(path: string, reasons: readonly string[]): Failure {
  const lines = reasons.map((reason) => `  ${reason}`);
  return new Failure(
    "import-refused",
    [`${path} asks for what Rollcall cannot do; nothing was written:`, ...lines].join("\n"),
  );
}

/** Takes out what `rollcall check` would refuse, and says so; throws where nothing is left that could do without it. */
function settle(path: string, translation: Translation): Pick<Imported, "yaml" | "settings" | "remarks"> {
  const yaml = renderConfig(translation);
  const loaded = parseConfig(yaml);
  if (loaded.ok) {
    return { yaml, settings: loaded.settings, remarks: translation.remarks };
  }
  const isWrong = (setting: string) =>
    loaded.mistakes.some(({ key }) => key === setting || key.startsWith(`${setting}.`));
  const kept = translation.settings.filter((one) => !isWrong(one.path) || NEEDED.has(one.path));
  const dropped = translation.settings.filter((one) => !kept.includes(one));
  if (dropped.length === 0) {
    throw refused(
      path,
      loaded.mistakes.map(({ key, message }) => `${key} would be wrong: it ${withoutValue(message)}`),
    );
  }
  const remarks = dropped.map((one) => droppedRemark(one.path, translation, loaded.mistakes));
  return settle(path, { settings: kept, remarks: [...translation.remarks, ...remarks] });
}

const NEEDED: ReadonlySet<string> = new Set([
  "iam.url",
  "attributes.user.uid",
  "attributes.user.gid",
  "attributes.group.gid",
]);

function droppedRemark(path: string, { remarks }: Translation, mistakes: readonly Mistake[]): Remark {
  const about = remarks.find((remark) => remark.path === path);
  const message = mistakes.find(({ key }) => key === path || key.startsWith(`${path}.`))?.message ?? "";
  return {
    key: about?.key,
    section: about?.section,
    line: about?.line,
    path: undefined,
    text: `${path} was left out, so its default is used: it ${message}.`,
    needsLook: true,
  };
}

/** An address may hold a password. */
function withoutValue(message: string): string {
  return message.replace(/, not .*$/s, "");
}
