/**
 * How this node was when it was last synced, for when no daemon can say how it is.
 */

import type { Settings } from "../config/settings.ts";
import { Failure } from "../model/failure.ts";
import { servesSomebody } from "../observe/caches.ts";
import { systemClock } from "../platform/clock.ts";
import { underRoot } from "../platform/files.ts";
import { isDenied } from "../platform/private-files.ts";
import { loadBelief, loadPace, loadReport } from "../report/saved.ts";
import { type FullStatus, fullStatusOf } from "../report/status.ts";
import { createHealth } from "./health.ts";
import { RUN_DIRECTORY, readDisks } from "./places.ts";

/** Judged by the last report on disk and by what lies on this node now. */
export async function lastStatus(
  settings: Settings,
  of: { readonly root: string; readonly version: string; readonly configPath: string },
): Promise<FullStatus> {
  const directory = underRoot(of.root, settings.state.directory);
  if (await isDenied(directory)) {
    const message = `No daemon answers here, and the last report in ${directory} can be read by root alone. Run this as root.`;
    throw new Failure("node-unreadable", message);
  }
  const health = createHealth({ ...of, clock: systemClock, isPatient: false }, settings);
  const belief = await loadBelief(underRoot(of.root, RUN_DIRECTORY));
  health.recall(await loadReport(directory), belief, await loadPace(directory));
  health.knows.usersAreInPlace = await servesSomebody(underRoot(of.root, settings.caches.directory));
  health.knows.disks = await readDisks(settings, of.root);
  health.look();
  return fullStatusOf(health.view());
}
