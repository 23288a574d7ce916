/**
 * Looks at what Rollcall writes and where homes go; opens nothing for writing.
 */

import { dirname } from "node:path";
import type { Settings } from "../config/settings.ts";
import type { FileFacts } from "../doctor/files.ts";
import { silent, unknown } from "../doctor/finding.ts";
import type { HomeFacts, ShellFacts, SkeletonFacts } from "../doctor/homes.ts";
import { quoted } from "../model/quoted.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import { readDiskSpace } from "../platform/disk-space.ts";
import { underRoot } from "../platform/files.ts";
import { doesAnswer, homePlaceFault, skeletonAt, wayTo, writeFault } from "../platform/node-look.ts";
import { isDenied as isClosed } from "../platform/private-files.ts";
import { shellFault } from "../platform/shells.ts";
import { describeDisk, isNearlyFull } from "../report/judge.ts";
import { factOf, LOOK_MS, NEEDS_ROOT } from "./doctor-look.ts";
import { verifyNode } from "./published.ts";

/** A hundred thousand key files are read in a few seconds. */
const VERIFY_MS = 15_000;

/** Places of homes that give no answer, and which nobody should ask anything more. */
export async function silentPlaces(settings: Settings, root: string): Promise<readonly string[]> {
  const places = homePlacesOf(settings);
  const answers = await Promise.all(
    places.map((path) =>
      factOf({
        what: path,
        limitMs: LOOK_MS + 1000,
        look: () => doesAnswer(underRoot(root, path), LOOK_MS),
      }),
    ),
  );
  // Where there is no stat(1), nobody can tell in advance.
  return places.filter((_place, nth) => {
    const answer = answers[nth];
    return answer?.known === true ? !answer.value : answer?.how === "hangs";
  });
}

/** What was found out before anything else, so that nothing waits for it. */
interface Aside {
  readonly root: string;
  readonly silentPlaces: readonly string[];
}

/** The maps, the key files, and room for more. */
export async function lookAtFiles(settings: Settings, { root, silentPlaces }: Aside): Promise<FileFacts> {
  const { caches, keys, state } = settings;
  const places = [caches, keys, state].map(({ directory }) => directory);
  return {
    published: await lookAtPublished(settings, root),
    keysDirectory: keys.directory,
    keyFiles: keys.files,
    keysWay: await factOf({
      what: `looking at ${keys.directory}`,
      limitMs: LOOK_MS,
      look: () => wayTo(root, keys.directory),
    }),
    writable: await factOf({
      what: `looking at ${places.join(", ")}`,
      limitMs: LOOK_MS,
      look: () => faultsOf(places, (path) => writeFault(underRoot(root, path))),
    }),
    disks: await factOf({
      what: "asking how full the disks are",
      limitMs: LOOK_MS,
      look: () => {
        const homes = homePlacesOf(settings).filter((path) => !silentPlaces.includes(path));
        return readDisks([...places, ...homes], root);
      },
    }),
  };
}

/** One after the other: a file server that hangs takes a thread for each question, and there are four. */
async function readDisks(
  paths: readonly string[],
  root: string,
): Promise<{ readonly text: string; readonly isNearlyFull: boolean }[]> {
  const found: { readonly text: string; readonly isNearlyFull: boolean }[] = [];
  for (const path of new Set(paths)) {
    const disk = await readDiskSpace(path, underRoot(root, path));
    if (disk !== undefined) {
      found.push({ text: describeDisk(disk), isNearlyFull: isNearlyFull(disk) });
    }
  }
  return found;
}

async function lookAtPublished(settings: Settings, root: string): Promise<FileFacts["published"]> {
  if (await isClosed(underRoot(root, settings.state.directory)).catch(() => false)) {
    return unknown(NEEDS_ROOT);
  }
  return factOf({
    what: "comparing this node with what was published",
    limitMs: VERIFY_MS,
    look: async () => {
      const { files, differences } = await verifyNode(settings, root);
      return { files, differences: differences.map(({ path, how }) => `${quoted(path)} (${how})`) };
    },
  });
}

async function faultsOf(
  paths: readonly string[],
  faultOf: (path: string) => Promise<string | undefined>,
): Promise<{ readonly path: string; readonly fault: string | undefined }[]> {
  const found: { readonly path: string; readonly fault: string | undefined }[] = [];
  for (const path of new Set(paths)) {
    found.push({ path, fault: await faultOf(path) });
  }
  return found;
}

/** Where most homes go, and wherever else they may. */
function homePlacesOf({ homes }: Settings): string[] {
  const usual = dirname(homes.path);
  return [...new Set([...(usual.includes("%") ? [] : [usual]), ...homes.under])];
}

/** Where homes go, what they start with, and the shell. */
export async function lookAtHomePlaces(
  settings: Settings,
  { root, silentPlaces }: Aside,
): Promise<HomeFacts> {
  const { homes, shells } = settings;
  const places = homePlacesOf(settings);
  return {
    isMade: homes.create,
    places:
      silentPlaces.length > 0
        ? silent(silentPlaces.join(", "), LOOK_MS)
        : await factOf({
            what: `looking at ${places.join(", ")}`,
            limitMs: LOOK_MS,
            look: () => faultsOf(places, (path) => homeFault(root, path)),
          }),
    skeleton: await factOf({
      what: `looking at ${homes.skeleton}`,
      limitMs: LOOK_MS,
      look: async (): Promise<SkeletonFacts> => ({
        path: homes.skeleton,
        found: await skeletonAt(underRoot(root, homes.skeleton)),
      }),
    }),
    shell: await factOf({
      what: `looking for ${shells.default}`,
      limitMs: LOOK_MS,
      look: async (): Promise<ShellFacts> => ({
        path: shells.default,
        fault: await shellFault(root, shells.default),
        isListed:
          shells.allowed.includes(shells.default) ||
          (await observeLocalAccounts(root)).shells.has(shells.default),
      }),
    }),
  };
}

async function homeFault(root: string, path: string): Promise<string | undefined> {
  return (await homePlaceFault(root, path)) ?? (await writeFault(underRoot(root, path)));
}
