/**
 * Publishes one cache map: everything written and synced aside, then data, then indexes.
 *
 * The indexes are written after the data, so their mtime is never older: libnss-cache ignores an older one.
 */

import type { FileImage, PublishMap } from "../model/plan.ts";
import { systemClock } from "../platform/clock.ts";
import { removeFile, type StagedFile, stageFile, syncDirectory, underRoot } from "../platform/files.ts";
import type { ApplySettings } from "./handlers.ts";

/** Carries out a `publish-map` step. */
export async function applyPublishMap(
  step: PublishMap,
  settings: Pick<ApplySettings, "root" | "caches">,
): Promise<void> {
  const directory = underRoot(settings.root, settings.caches.directory);
  await using staged = new AsyncDisposableStack();
  const files: StagedFile[] = [];
  for (const image of [step.data, ...step.indexes]) {
    files.push(staged.use(await stageFile(specOf(image, step, directory))));
  }
  for (const name of step.retired) {
    await removeFile(`${directory}/${name}`);
  }
  if (step.isRelayout) {
    await syncDirectory(directory);
    await systemClock.sleep(READERS_DONE_MS, new AbortController().signal);
  }
  for (const file of files) {
    await file.publish();
  }
  await syncDirectory(directory);
}

/** A lookup takes microseconds; this is for a reader that was not scheduled for long. */
const READERS_DONE_MS = 2000;

function specOf(image: FileImage, step: PublishMap, directory: string) {
  return {
    path: `${directory}/${image.name}`,
    bytes: image.bytes,
    mode: step.mode,
    owner: { uid: 0, gid: step.gid },
  };
}
