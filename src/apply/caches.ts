/**
 * Publishes one cache map: everything written and synced aside, then data, then indexes.
 *
 * The indexes are written after the data, so their mtime is never older: libnss-cache ignores an older one.
 */

import type { FileImage, PublishMap } from "../model/plan.ts";
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
  for (const file of files) {
    await file.publish();
  }
  await syncDirectory(directory);
}

function specOf(image: FileImage, step: PublishMap, directory: string) {
  return {
    path: `${directory}/${image.name}`,
    bytes: image.bytes,
    mode: step.mode,
    owner: { uid: 0, gid: step.gid },
  };
}
