/**
 * Figures for Prometheus, in its text format.
 *
 * In: how each turn ended, and a view of the daemon when somebody asks. Out: text. Labels are codes and counts;
 * no name of a person, a group or a place is ever one.
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { PROBLEMS } from "../model/problem.ts";
import type { PullStatistics, TurnResult } from "../model/report.ts";
import { CONDITIONS } from "./conditions.ts";
import { countBy, type View } from "./status.ts";
import { isHealthy } from "./tracker.ts";

/** Counts turns, and renders what is known. */
export interface Metrics {
  /** One turn that ended, and the seconds it took. */
  note(result: TurnResult, seconds: number): void;
  /** Text exposition format 0.0.4. */
  render(view: View, residentBytes: number): Promise<string>;
  readonly contentType: string;
}

/** Makes them, all at zero. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const counters = createCounters(registry);
  const gauges = createGauges(registry);
  gauges.info.set({ version }, 1);
  return {
    contentType: registry.contentType,
    note(result, seconds) {
      counters.turns.inc({ result: result.kind });
      counters.duration.observe({ result: result.kind }, seconds);
      if (result.kind === "unchanged") {
        countTraffic(counters, result.pull);
      } else if (result.kind === "done") {
        countTraffic(counters, result.record.pull);
        result.record.steps.forEach(({ kind, result: ended = "planned", count = 1 }) =>
          counters.steps.inc({ kind, result: ended }, count),
        );
      }
    },
    async render(view, residentBytes) {
      fillGauges(gauges, view);
      gauges.resident.set(residentBytes);
      return registry.metrics();
    },
  };
}

function createCounters(registry: Registry) {
  const registers = [registry];
  return {
    turns: new Counter({
      name: "rollcall_syncs_total",
      help: "Syncs by how they ended: done, failed, or unchanged (nothing new at the IAM or on the node).",
      labelNames: ["result"],
      registers,
    }),
    duration: new Histogram({
      name: "rollcall_sync_duration_seconds",
      help: "How long syncs took, by how they ended.",
      labelNames: ["result"],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
      registers,
    }),
    requests: new Counter({
      name: "rollcall_iam_requests_total",
      help: "Requests to the IAM by HTTP status; none where no answer came, given-up where nobody wanted it any more. Requests of failed syncs are not counted.",
      labelNames: ["status"],
      registers,
    }),
    bytes: new Counter({
      name: "rollcall_iam_received_bytes_total",
      help: "Bytes of answers from the IAM as they came over the wire.",
      registers,
    }),
    steps: new Counter({
      name: "rollcall_plan_steps_total",
      help: "Steps of plans by kind and by how they ended.",
      labelNames: ["kind", "result"],
      registers,
    }),
  };
}

function createGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `rollcall_${name}`, help, labelNames: [...labelNames], registers: [registry] });
  return {
    info: gauge("info", "The version that runs.", ["version"]),
    ready: gauge("ready", "1 while users are in place and not too old to be served."),
    healthy: gauge("healthy", "1 while no critical or degraded condition is shown."),
    conditions: gauge("condition", "1 while a condition is shown.", ["code", "severity"]),
    believed: gauge("last_success_timestamp_seconds", "When the IAM was last believed, since 1970."),
    age: gauge("directory_age_seconds", "Since the IAM was last believed, by a clock that never jumps."),
    users: gauge("users", "Users served.", ["state"]),
    groups: gauge("groups", "Groups served."),
    keys: gauge("keys", "SSH keys served."),
    problems: gauge("problems", "Problems of the last run by code.", ["code"]),
    free: gauge("disk_free_bytes", "Free space where Rollcall writes.", ["disk"]),
    resident: gauge("resident_memory_bytes", "Resident memory of the daemon."),
  };
}

type Gauges = ReturnType<typeof createGauges>;

function fillGauges(gauges: Gauges, view: View): void {
  const { record, ageMs, nowMs } = view;
  gauges.ready.set(Number(view.isReady));
  gauges.healthy.set(Number(isHealthy(view)));
  const shown = new Set<string>(view.conditions.map(({ code }) => code));
  for (const [code, { severity }] of Object.entries(CONDITIONS)) {
    gauges.conditions.set({ code, severity }, Number(shown.has(code)));
  }
  if (ageMs !== undefined) {
    gauges.age.set(ageMs / 1000);
    gauges.believed.set((nowMs - ageMs) / 1000);
  }
  if (record !== undefined) {
    const { users, active, groups, keys } = record.served;
    gauges.users.set({ state: "active" }, active);
    gauges.users.set({ state: "inactive" }, users - active);
    gauges.groups.set(groups);
    gauges.keys.set(keys);
  }
  const problems = countBy((record?.problems ?? []).map(({ code }) => code));
  Object.keys(PROBLEMS).forEach((code) => gauges.problems.set({ code }, problems[code] ?? 0));
  view.disks.forEach(({ name, freeBytes }) => gauges.free.set({ disk: name }, freeBytes));
}

function countTraffic({ requests, bytes }: ReturnType<typeof createCounters>, pull: PullStatistics): void {
  Object.entries(pull.statuses).forEach(([status, count]) => requests.inc({ status }, count));
  bytes.inc(pull.bytes);
}
