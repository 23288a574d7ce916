/**
 * How this node was when it was last synced, for when no daemon can say how it is.
 */

import type { Settings } from "../config/settings.ts";
import { servesSomebody } from "../observe/caches.ts";
import { systemClock } from "../platform/clock.ts";
import { underRoot } from "../platform/files.ts";
import { loadReport } from "../report/saved.ts";
import { type FullStatus, fullStatusOf } from "../report/status.ts";
import { createHealth } from "./health.ts";
import { readDisks } from "./wire.ts";

/** Judged by the last report on disk and by what lies on this node now. */
export async function lastStatus(
  settings: Settings,
  of: { readonly root: string; readonly version: string; readonly configPath: string },
): Promise<FullStatus> {
  const health = createHealth({ ...of, clock: systemClock, isPatient: false }, settings);
  health.recall(await loadReport(underRoot(of.root, settings.state.directory)));
  health.knows.usersAreInPlace = await servesSomebody(underRoot(of.root, settings.caches.directory));
  health.knows.disks = await readDisks(settings, of.root);
  health.look();
  return fullStatusOf(health.view());
}
