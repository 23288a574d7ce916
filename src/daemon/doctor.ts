/**
 * Gathers everything between the IAM and a login, and has it judged by the checks in `doctor/`. Changes nothing: no lock is taken, no file
 * opened for writing, and the IAM is only asked GETs. Each look has its own limit of time.
 */

import { checkConfig, parseConfig, renderMistake } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { type Diagnosis, diagnose, type Facts } from "../doctor/checks.ts";
import type { ConfigFacts } from "../doctor/configuration.ts";
import { unknown } from "../doctor/finding.ts";
import { messageOf } from "../model/failure.ts";
import { isThere } from "../platform/node-look.ts";
import { lookAtDirectory } from "./doctor-directory.ts";
import { lookAtFiles, lookAtHomePlaces, silentPlaces } from "./doctor-files.ts";
import { type HostQuestion, lookAtHost } from "./doctor-host.ts";
import { lookAtIam, noIam } from "./doctor-iam.ts";
import { isDenied, withRemedy } from "./doctor-look.ts";
import { lookAtMaps } from "./doctor-maps.ts";
import { lookAtNames } from "./doctor-nss.ts";
import { lookAtSshd } from "./doctor-sshd.ts";
import type { Surroundings } from "./surroundings.ts";

/** Looks at everything and judges it; rejects only when the signal aborts. */
export async function examine(
  question: Omit<HostQuestion, "root">,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Diagnosis> {
  return diagnose(await factsOf(question, around, signal));
}

async function factsOf(
  question: Omit<HostQuestion, "root">,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Facts> {
  const { root } = around;
  const { config, settings: own } = await lookAtConfig(question.configPath);
  const settings = own ?? defaults();
  const why = config.isThere ? "the configuration cannot be used" : "there is no configuration";
  const iam = own === undefined ? noIam(why) : await lookAtIam(own, around, signal);
  const maps = await lookAtMaps(settings, root);
  const aside = { root, silentPlaces: await silentPlaces(settings, root) };
  const [directory, nss, sshd, files, homes, host] = await Promise.all([
    own === undefined
      ? unknown(why)
      : aside.silentPlaces.length > 0
        ? unknown("homes cannot be looked at, and a plan would wait for them")
        : lookAtDirectory(own, { iam, around }, signal),
    lookAtNames(settings, { root, maps }),
    lookAtSshd(settings, { root, maps, configPath: question.configPath }),
    lookAtFiles(settings, aside),
    lookAtHomePlaces(settings, aside),
    lookAtHost(settings, { ...question, root }, signal),
  ]);
  signal.throwIfAborted();
  return { config, iam, directory, nss, sshd, files, homes, host };
}

interface ConfigLook {
  readonly config: ConfigFacts;
  /** Undefined where it cannot be used. */
  readonly settings: Settings | undefined;
}

async function lookAtConfig(path: string): Promise<ConfigLook> {
  const facts: ConfigFacts = {
    path,
    isThere: true,
    fault: undefined,
    remedy: undefined,
    mistakes: undefined,
    hasKeys: true,
    needsRoot: false,
  };
  try {
    if (!(await isThere(path))) {
      return { config: { ...facts, isThere: false }, settings: undefined };
    }
    const loaded = await checkConfig(path);
    if (!loaded.ok) {
      const mistakes = loaded.mistakes.map((mistake) => renderMistake(path, mistake));
      return { config: { ...facts, mistakes }, settings: undefined };
    }
    const hasKeys = loaded.settings.attributes.user.keys !== undefined;
    return { config: { ...facts, mistakes: [], hasKeys }, settings: loaded.settings };
  } catch (error) {
    if (isDenied(error)) {
      return { config: { ...facts, needsRoot: true }, settings: undefined };
    }
    const { found, remedy } = withRemedy(messageOf(error));
    return { config: { ...facts, fault: found, remedy }, settings: undefined };
  }
}

/** What holds where nobody has said anything else. */
function defaults(): Settings {
  const loaded = parseConfig(NO_IAM);
  if (!loaded.ok) {
    throw new Error(
      `the defaults are no configuration: ${loaded.mistakes.map(({ message }) => message).join("; ")}`,
    );
  }
  return loaded.settings;
}

const NO_IAM = `iam: { source: file, usersFile: /nonexistent, groupsFile: /nonexistent }
attributes: { user: { uid: uid, gid: gid, keys: keys }, group: { gid: gid } }
`;
