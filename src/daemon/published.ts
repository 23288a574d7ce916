/**
 * Keeps a list of what this node was left with, and says later what is not so any more.
 */

import type { Settings } from "../config/settings.ts";
import { isOurs } from "../formats/authorized-keys.ts";
import { PUBLISHED_FILE, renderPublished } from "../formats/published.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import type { Observed } from "../model/observed.ts";
import type { Step } from "../model/plan.ts";
import type { Difference, PublishedFile } from "../model/published.ts";
import type { Outcome } from "../model/report.ts";
import { observeCaches } from "../observe/caches.ts";
import { observeKeyFiles } from "../observe/keys.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import { differencesFrom, filesByPath, loadPublished, publishedFileOf } from "../observe/published.ts";
import { observeSudo } from "../observe/sudo.ts";
import { observeFile, underRoot } from "../platform/files.ts";
import { isDenied, writePrivate } from "../platform/private-files.ts";

type Places = Pick<Settings, "caches" | "keys" | "state" | "sudo">;

/**
 * Writes the list anew where a run has written files, or found them touched and yet as they should be. Only those are
 * read again; what could not be put back stays on the list as it was left.
 */
export async function notePublished(
  { outcomes, observed }: { readonly outcomes: readonly Outcome[]; readonly observed: Observed },
  places: Places,
  root: string,
): Promise<void> {
  const planned = new Set(outcomes.flatMap(({ step }) => pathsOf(step, places)));
  const done = outcomes.filter(({ result }) => result === "done");
  const touched = new Set([
    ...done.flatMap(({ step }) => pathsOf(step, places)),
    ...observed.differences.map(({ path }) => path).filter((path) => !planned.has(path)),
  ]);
  if (touched.size === 0 && observed.published !== undefined) {
    return;
  }
  const before = observed.published ?? ownFiles(observed, places);
  const files = new Map(before.map((file) => [file.path, file]));
  for (const path of touched) {
    const file = await observeFile(underRoot(root, path));
    files.delete(path);
    if (file !== undefined && (isNamedByUs(path, places) || isOurs(Buffer.from(file.bytes).toString()))) {
      files.set(path, publishedFileOf(path, file));
    }
  }
  const sorted = [...files.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  await writePrivate(underRoot(root, places.state.directory), PUBLISHED_FILE, renderPublished(sorted));
}

function ownFiles(observed: Observed, places: Places): PublishedFile[] {
  return [...filesByPath(observed, places)]
    .filter(([path, { bytes }]) => isNamedByUs(path, places) || isOurs(Buffer.from(bytes).toString()))
    .map(([path, file]) => publishedFileOf(path, file));
}

/** Among key files, only the first line tells whose a file is. */
function isNamedByUs(path: string, { keys }: Places): boolean {
  return !path.startsWith(`${keys.directory}/`);
}

/** The files a step writes or removes. */
function pathsOf(step: Step, { caches, keys, sudo }: Places): string[] {
  if (step.kind === "publish-map") {
    const names = [step.data, ...step.indexes].map(({ name }) => name);
    return [...names, ...step.retired].map((name) => `${caches.directory}/${name}`);
  }
  if (step.kind === "write-sudo") {
    return [sudo.file];
  }
  return step.kind === "revoke-keys" || step.kind === "grant-keys" ? [`${keys.directory}/${step.user}`] : [];
}

/** What a look at this node came to. */
export interface Verified {
  /** How many files were left here; undefined when nothing was ever published. */
  readonly files: number | undefined;
  readonly differences: readonly Difference[];
  /** Key files of local accounts, which are the admin's own. */
  readonly own: readonly string[];
}

/** Compares every file with the list by its hash; asks no IAM and changes nothing. */
export async function verifyNode(places: Places, root: string): Promise<Verified> {
  const stateDirectory = underRoot(root, places.state.directory);
  try {
    if (await isDenied(stateDirectory)) {
      throw new Error(`${stateDirectory} can be read by root alone; run this as root`);
    }
    const published = await loadPublished(stateDirectory);
    if (published === undefined) {
      return { files: undefined, differences: [], own: [] };
    }
    const maps = await observeCaches(underRoot(root, places.caches.directory));
    const keyFiles = await observeKeyFiles(underRoot(root, places.keys.directory));
    const sudoers = await observeSudo(underRoot(root, places.sudo.file));
    const { userNames } = await observeLocalAccounts(root);
    const files = filesByPath({ maps, keyFiles, sudoers }, places);
    const own = [...userNames]
      .map((name) => `${places.keys.directory}/${name}`)
      .filter((path) => files.delete(path));
    return {
      files: published.length,
      differences: differencesFrom(published, files, { ...places, trustsTimes: false }),
      own,
    };
  } catch (error) {
    const message = `Comparing this node with what was published failed: ${messageOf(error)}${hintFor(messageOf(error))}.`;
    throw new Failure("node-unreadable", message, { cause: error });
  }
}
