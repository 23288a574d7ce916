/**
 * What keeps this node in step, as systemd, the daemon, the last report and the crontabs say.
 */

import type { Settings } from "../config/settings.ts";
import { type Fact, known, unknown } from "../doctor/finding.ts";
import type { HostFacts, LockFacts, SyncFacts } from "../doctor/host.ts";
import { underRoot } from "../platform/files.ts";
import { lockHolder } from "../platform/lock.ts";
import { ageOfProcess, isThere, readBounded } from "../platform/node-look.ts";
import { isDenied as isClosed } from "../platform/private-files.ts";
import { listNames } from "../platform/system-files.ts";
import { unitState } from "../platform/systemd.ts";
import type { FullStatus, PublicStatus } from "../report/status.ts";
import { askDaemonForStatus } from "./ask-status.ts";
import { factOf, LOOK_MS, NEEDS_ROOT, OTHER_ROOT } from "./doctor-look.ts";
import { lastStatus } from "./last-status.ts";
import { RUN_DIRECTORY } from "./places.ts";

/** Who asks, and about which node. */
export interface HostQuestion {
  readonly root: string;
  readonly version: string;
  readonly configPath: string;
}

/** Everything about what runs. */
export async function lookAtHost(
  settings: Settings,
  question: HostQuestion,
  signal: AbortSignal,
): Promise<HostFacts> {
  const { root, version } = question;
  const here = <Value>(what: string, look: () => Promise<Value>): Promise<Fact<Value>> =>
    root === "/" ? factOf({ what, limitMs: LOOK_MS, look }) : Promise.resolve(unknown(OTHER_ROOT));
  const live = await factOf({
    what: "the daemon",
    limitMs: LOOK_MS,
    look: () => askDaemonForStatus(root, AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])),
  });
  const last = live.known && live.value === undefined ? await lookAtReport(settings, question) : undefined;
  return {
    unit: await here("systemctl", async () =>
      (await isThere("/run/systemd/system")) ? unitState("rollcall.service", LOOK_MS) : undefined,
    ),
    version,
    daemonVersion: root === "/" ? versionOf(live) : unknown(OTHER_ROOT),
    lastSync: last ?? syncOf(live),
    locks: await here("reading /proc/locks", findLocks),
    writers: await factOf({
      what: "reading the crontabs and timers",
      limitMs: LOOK_MS,
      look: () => findWriters(root),
    }),
  };
}

type Status = FullStatus | PublicStatus;

function versionOf(live: Fact<Status | undefined>): HostFacts["daemonVersion"] {
  return live.known ? known(live.value?.version) : live;
}

async function lookAtReport(settings: Settings, question: HostQuestion): Promise<HostFacts["lastSync"]> {
  if (await isClosed(underRoot(question.root, settings.state.directory)).catch(() => false)) {
    return unknown(NEEDS_ROOT);
  }
  return factOf({
    what: "reading the last report",
    limitMs: LOOK_MS,
    look: async () => factsOf(await lastStatus(settings, question)),
  });
}

function syncOf(live: Fact<Status | undefined>): HostFacts["lastSync"] {
  if (!live.known) {
    return live;
  }
  return live.value === undefined ? unknown("nobody says how it went") : known(factsOf(live.value));
}

function factsOf({ lastRun, ageSeconds, conditions }: Status): SyncFacts {
  return { lastRun: lastRun ?? undefined, ageSeconds: ageSeconds ?? undefined, conditions };
}

async function findLocks(): Promise<LockFacts[]> {
  const held: LockFacts[] = [];
  for (const name of ["sync", "daemon"] as const) {
    const pid = await lockHolder(`${RUN_DIRECTORY}/${name}.lock`);
    if (pid !== undefined) {
      held.push({ name, pid, ageSeconds: pid === 0 ? undefined : await ageOfProcess(pid) });
    }
  }
  return held;
}

const CRON_DIRECTORIES = ["cron.d", "cron.hourly", "cron.daily", "cron.weekly"].map((name) => `/etc/${name}`);
const CRONTABS = ["/var/spool/cron/crontabs", "/var/spool/cron"];
/** Where a timer is that was enabled; one that only lies in /usr/lib is not. */
const TIMERS = "/etc/systemd/system/timers.target.wants";

/** Paths of jobs that start nsscache. What only root may read is left out for others. */
async function findWriters(root: string): Promise<string[]> {
  const at = (path: string) => underRoot(root, path);
  const found: string[] = [];
  const places = ["/etc/crontab"];
  for (const directory of [...CRON_DIRECTORIES, ...CRONTABS]) {
    const names = await listNames(at(directory)).catch(() => []);
    places.push(...names.map((name) => `${directory}/${name}`));
  }
  for (const path of places) {
    const text = (await readBounded(at(path)).catch(() => undefined)) ?? "";
    if (text.split("\n").some((line) => /^\s*[^#\s].*\bnsscache\b/.test(line))) {
      found.push(path);
    }
  }
  const timers = await listNames(at(TIMERS)).catch(() => []);
  return [...found, ...timers.filter((name) => /nsscache/.test(name)).map((name) => `${TIMERS}/${name}`)];
}
