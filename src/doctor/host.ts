/**
 * Whether this node is kept in step: the unit, the daemon, the last sync, and who else writes.
 */

import { about, broken, type Fact, type Finding, notChecked, ok, someOf, warning } from "./finding.ts";

/** What runs here, and what it says. */
export interface HostFacts {
  /** Undefined where systemd does not run. */
  readonly unit: Fact<UnitFacts | undefined>;
  /** Of this program. */
  readonly version: string;
  /** Undefined where no daemon answers. */
  readonly daemonVersion: Fact<string | undefined>;
  readonly lastSync: Fact<SyncFacts>;
  readonly locks: Fact<readonly LockFacts[]>;
  /** Cron jobs and timers of other tools that write the same maps. */
  readonly writers: Fact<readonly string[]>;
}

/** What systemctl(1) says. */
export interface UnitFacts {
  readonly loadState: string;
  readonly fileState: string;
  readonly activeState: string;
}

/** How the last sync ended, by the daemon or the last report. */
export interface SyncFacts {
  readonly lastRun: string | undefined;
  readonly ageSeconds: number | undefined;
  readonly conditions: readonly {
    readonly code: string;
    readonly severity: "critical" | "degraded" | "notice";
    readonly title: string;
    readonly remedy: string;
  }[];
}

/** A lock that is held. */
export interface LockFacts {
  readonly name: "sync" | "daemon";
  /** 0 for a process that cannot be seen from here. */
  readonly pid: number;
  readonly ageSeconds: number | undefined;
}

const UNIT = "rollcall.service";

/** Whether it starts by itself. */
export function unit({ unit: fact }: HostFacts): Finding {
  return about(fact, (found) => {
    if (found === undefined) {
      return notChecked("systemd does not run here");
    }
    const { loadState, fileState, activeState } = found;
    if (loadState !== "loaded") {
      const remedy =
        loadState === "masked"
          ? "Run: systemctl unmask rollcall; systemctl enable --now rollcall"
          : "Run: rollcall setup; systemctl enable --now rollcall";
      return broken(`${UNIT} is ${loadState}`, remedy);
    }
    if (activeState !== "active" && activeState !== "reloading") {
      return broken(
        `${UNIT} is ${activeState}`,
        `Run: systemctl start rollcall; journalctl -u rollcall says why it ended`,
      );
    }
    return fileState === "enabled" || fileState === "enabled-runtime" || fileState === "static"
      ? ok(`${UNIT} is ${fileState} and ${activeState}`)
      : warning(
          `${UNIT} is ${fileState}: it does not start with this node`,
          "Run: systemctl enable rollcall",
        );
  });
}

/** Whether a daemon runs, and is this program. */
export function daemon({ daemonVersion, version }: HostFacts): Finding {
  return about(daemonVersion, (running) => {
    if (running === undefined) {
      return warning(
        "no daemon answers: nothing changes here until somebody runs a sync",
        "Run: systemctl enable --now rollcall (in a pod: rollcall run -- COMMAND)",
      );
    }
    return running === version
      ? ok(`version ${running} answers, as this program is`)
      : warning(`version ${running} runs, and this program is ${version}`, "Run: systemctl restart rollcall");
  });
}

/** Whether the last sync left the node in step. */
export function lastSync({ lastSync: fact }: HostFacts): Finding {
  return about(fact, ({ lastRun, ageSeconds, conditions }) => {
    const when = lastRun === undefined ? "there was none yet" : `ended at ${lastRun}`;
    const age = ageSeconds === undefined ? "" : `, the IAM was believed ${ageSeconds} s ago`;
    const shown = conditions.filter(({ severity }) => severity !== "notice");
    const [worst] = [...shown].sort(
      (left, right) => Number(right.severity === "critical") - Number(left.severity === "critical"),
    );
    if (worst === undefined) {
      return ok(`${when}${age}`);
    }
    const found = `${when}${age}; ${someOf(shown.map(({ code, title }) => `${title} [${code}]`))}`;
    return worst.severity === "critical" ? broken(found, worst.remedy) : warning(found, worst.remedy);
  });
}

/** A sync of a hundred thousand users with all its retries is shorter. */
const STUCK_SECONDS = 600;

/** Whether somebody holds the locks for too long. */
export function locks({ locks: fact }: HostFacts): Finding {
  return about(fact, (held) => {
    const stuck = held.find(({ name, ageSeconds }) => name === "sync" && (ageSeconds ?? 0) > STUCK_SECONDS);
    if (stuck !== undefined) {
      return broken(
        `pid ${stuck.pid} has been syncing for ${Math.round((stuck.ageSeconds ?? 0) / 60)} min, and every other sync is refused`,
        `See what it waits for (cat /proc/${stuck.pid}/stack; a file server under the homes?), then: kill ${stuck.pid}`,
      );
    }
    const words = held.map(
      ({ name, pid }) => `${pid === 0 ? "a process elsewhere" : `pid ${pid}`} holds the ${name} lock`,
    );
    return ok(words.length === 0 ? "nobody holds one" : someOf(words));
  });
}

/** Whether another tool writes the same maps. */
export function writers({ writers: fact }: HostFacts): Finding {
  return about(fact, (found) =>
    found.length === 0
      ? ok("no cron job or timer of nsscache")
      : warning(
          `nsscache may write the same maps: ${someOf(found)}`,
          "Remove that job or disable the timer (systemctl disable --now nsscache.timer): two writers undo each other.",
        ),
  );
}
