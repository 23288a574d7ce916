/**
 * Keeps a list of what this node was left with, and says later what is not so any more.
 */

import type { Settings } from "../config/settings.ts";
import { isOurs } from "../formats/authorized-keys.ts";
import { PUBLISHED_FILE, renderNews, renderPublished } from "../formats/published.ts";
import { Failure, hintFor, messageOf } from "../model/failure.ts";
import type { Observed, ObservedFile } from "../model/observed.ts";
import type { Step } from "../model/plan.ts";
import type { Difference, PublishedFile } from "../model/published.ts";
import type { Outcome } from "../model/report.ts";
import { observeCaches } from "../observe/caches.ts";
import { observeKeyFiles } from "../observe/keys.ts";
import { observeLocalAccounts } from "../observe/local-accounts.ts";
import {
  differencesFrom,
  keyOwnerOf,
  loadPublished,
  otherFiles,
  publishedFileOf,
} from "../observe/published.ts";
import { observeSudo } from "../observe/sudo.ts";
import { appendLine } from "../platform/append.ts";
import { fileSize, observeFile, underRoot } from "../platform/files.ts";
import { giveBack, tidyUp } from "../platform/host.ts";
import { observeFiles } from "../platform/many-files.ts";
import { isDenied, writePrivate } from "../platform/private-files.ts";

type Places = Pick<Settings, "caches" | "keys" | "state" | "sudo">;

/**
 * Adds to the list what a run has written, or found touched and yet as it should be. Only that is read again; what could
 * not be put back stays on the list as it was left. Without a list, or when it has grown, it is written whole.
 */
export async function notePublished(
  { outcomes, observed }: { readonly outcomes: readonly Outcome[]; readonly observed: Observed },
  places: Places,
  root: string,
): Promise<void> {
  const done = outcomes.filter(({ result }) => result === "done");
  const touched = new Set([
    ...done.flatMap(({ step }) => pathsOf(step, places)),
    ...harmlessDifferences(observed, outcomes, places),
  ]);
  if (touched.size === 0 && observed.published !== undefined) {
    return;
  }
  const news = await newsOf(touched, places, root);
  const list = { directory: underRoot(root, places.state.directory), name: PUBLISHED_FILE };
  if (observed.published !== undefined && (await mayGrow(list, observed.published.length, news.size))) {
    await appendLine({ ...list, maxBytes: Number.POSITIVE_INFINITY, spareBytes: 0 }, renderNews(news));
    return;
  }
  const others = (observed.published ?? ownFiles(observed, places)).filter(({ path }) => !news.has(path));
  const files = [...others, ...[...news.values()].filter((file) => file !== undefined)];
  const sorted = files.sort((left, right) => (left.path < right.path ? -1 : 1));
  await writePrivate(list.directory, list.name, renderPublished(sorted));
}

/** What differs from the list, and is yet as it should be. */
function harmlessDifferences(
  { differences }: Observed,
  outcomes: readonly Outcome[],
  places: Places,
): readonly string[] {
  const planned = new Set(
    differences.length === 0 ? [] : outcomes.flatMap(({ step }) => pathsOf(step, places)),
  );
  return differences.map(({ path }) => path).filter((path) => !planned.has(path));
}

/** Of a line, and of a whole list for which it is not worth while to be brief. */
const LINE_BYTES = 200;
const SMALL_BYTES = 64 * 1024;

/** A list is written whole again before it is twice as long as it must be. */
async function mayGrow(
  { directory, name }: { readonly directory: string; readonly name: string },
  files: number,
  news: number,
): Promise<boolean> {
  const size = (await fileSize(`${directory}/${name}`)) ?? Number.POSITIVE_INFINITY;
  return size + news * LINE_BYTES < SMALL_BYTES + 2 * files * LINE_BYTES;
}

/** How these files are now; undefined for what has no place on the list. */
async function newsOf(
  paths: ReadonlySet<string>,
  places: Places,
  root: string,
): Promise<ReadonlyMap<string, PublishedFile | undefined>> {
  const news = new Map<string, PublishedFile | undefined>();
  const keyFiles: { readonly path: string; readonly user: string }[] = [];
  for (const path of paths) {
    const user = keyOwnerOf(path, places);
    if (user === undefined) {
      const file = await observeFile(underRoot(root, path));
      news.set(path, file && publishedFileOf(path, file));
      giveBack(file?.bytes ?? new Uint8Array());
    } else {
      keyFiles.push({ path, user });
    }
  }
  for (let start = 0; start < keyFiles.length; start += AT_ONCE) {
    const batch = keyFiles.slice(start, start + AT_ONCE);
    const names = batch.map(({ user }) => user);
    const files = await observeFiles(underRoot(root, places.keys.directory), names);
    for (const { path, user } of batch) {
      const file = files.get(user);
      news.set(path, file && isOurs(headOf(file)) ? publishedFileOf(path, file) : undefined);
    }
  }
  if (keyFiles.length > AT_ONCE) {
    tidyUp();
  }
  return news;
}

/** So many files are in memory while their digests are made. */
const AT_ONCE = 500;

/** What is there of Rollcall's: among key files, only the first line tells whose a file is. */
function ownFiles(observed: Observed, places: Places): PublishedFile[] {
  return [
    ...[...otherFiles(observed, places)].map(([path, file]) => publishedFileOf(path, file)),
    ...[...observed.keyFiles]
      .filter(([, file]) => isOurs(headOf(file)))
      .map(([user, file]) => publishedFileOf(`${places.keys.directory}/${user}`, file)),
  ];
}

function headOf({ bytes }: ObservedFile): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8", 0, HEAD_BYTES);
}

/** More than a first line. */
const HEAD_BYTES = 200;

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
    const isOwn = (user: string) => userNames.has(user);
    const others = new Map([...keyFiles].filter(([user]) => !isOwn(user)));
    return {
      files: published.length,
      differences: differencesFrom(
        published,
        { maps, keyFiles: others, sudoers },
        { ...places, trustsTimes: false },
      ),
      own: [...userNames]
        .filter((user) => keyFiles.has(user))
        .map((user) => `${places.keys.directory}/${user}`),
    };
  } catch (error) {
    const message = `Comparing this node with what was published failed: ${messageOf(error)}${hintFor(messageOf(error))}.`;
    throw new Failure("node-unreadable", message, { cause: error });
  }
}
