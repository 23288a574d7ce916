/**
 * Holds what a sync would make of this node against the maps that nsscache wrote. Asks the IAM as a plan does; writes nothing.
 */

import type { Settings } from "../config/settings.ts";
import { OLD_MAPS, type OldMap } from "../migrate/conf.ts";
import { compareMaps } from "../migrate/deviations.ts";
import { type FileNames, parseOldMaps } from "../migrate/old-maps.ts";
import type { Comparison } from "../model/comparison.ts";
import { errorCodeOf, Failure, hintFor, messageOf } from "../model/failure.ts";
import { readText } from "../platform/files.ts";
import { describeKey } from "../report/fingerprint.ts";
import { toKeys } from "../validate/ssh-keys.ts";
import { planSurely } from "./run-once.ts";
import type { Surroundings } from "./surroundings.ts";
import { wireStages } from "./wire.ts";

/** Where the old maps are, and what to hold against them. */
export interface CompareSettings {
  readonly settings: Settings;
  readonly around: Surroundings;
  readonly directory: string;
  readonly fileNames: FileNames;
}

/** Compares everything. Throws what a plan throws, and when there is no passwd map. */
export async function compareWithNsscache(
  { settings, around, directory, fileNames }: CompareSettings,
  signal: AbortSignal,
): Promise<Comparison> {
  const old = parseOldMaps(await readMaps(directory, fileNames), fileNames);
  const planned = await planSurely(wireStages(settings, around), signal);
  return compareMaps(old, {
    directory: planned.directory,
    everybody: planned.everybody,
    drafts: await planned.pulled.drafts(),
    problems: planned.problems,
    keyFault: (line) => toKeys(line, settings.keys).refusals[0]?.code,
    describeKey,
  });
}

async function readMaps(
  directory: string,
  fileNames: FileNames,
): Promise<Readonly<Record<OldMap, string | undefined>>> {
  const texts: Record<OldMap, string | undefined> = {
    passwd: undefined,
    group: undefined,
    shadow: undefined,
    sshkey: undefined,
  };
  for (const map of OLD_MAPS) {
    texts[map] = await readMap(`${directory}/${fileNames[map]}`);
  }
  if (texts.passwd === undefined) {
    throw new Failure(
      "import-unreadable",
      `There is no ${fileNames.passwd} in ${directory}, so there is nothing to compare with. Name the files_dir of nsscache, or the place where its maps are mounted.`,
    );
  }
  return texts;
}

const MAX_BYTES = 128 * 1024 ** 2;

/** A map may be a link, as Kubernetes mounts them. */
async function readMap(path: string): Promise<string | undefined> {
  try {
    return (await readText(path, MAX_BYTES)).text;
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") {
      return undefined;
    }
    const message = `Reading ${path} failed: ${messageOf(error)}${hintFor(messageOf(error))}. Nothing was compared.`;
    throw new Failure("import-unreadable", message, { cause: error });
  }
}
