/**
 * Which conditions hold, since when, and which of them are shown by now.
 *
 * Nothing flaps: a condition is told when it has held for as long as the table says, and cleared once.
 */

import { CONDITIONS, type ConditionCode, type Severity } from "./conditions.ts";

/** A condition that has held for long enough. */
export interface ShownCondition {
  readonly code: ConditionCode;
  readonly severity: Severity;
  readonly title: string;
  readonly remedy: string;
  /** Milliseconds since it began. */
  readonly forMs: number;
  /** May name people and places: not for everybody. */
  readonly detail: string;
}

/** What is new since the last look. */
export interface Turn {
  readonly raised: readonly ShownCondition[];
  readonly cleared: readonly ConditionCode[];
}

/** Remembers from look to look. */
export interface Tracker {
  /** `nowMs` comes from a clock that never jumps. */
  look(held: ReadonlyMap<ConditionCode, string>, nowMs: number): Turn;
  /** As of the last look, the worst first. */
  shown(): readonly ShownCondition[];
}

const ORDER: readonly Severity[] = ["critical", "degraded", "notice"];

/** Makes one that has seen nothing yet; without patience it shows everything at once. */
export function createTracker(isPatient: boolean): Tracker {
  const since = new Map<ConditionCode, number>();
  let shown: readonly ShownCondition[] = [];
  return {
    look(held, nowMs) {
      [...since.keys()].filter((code) => !held.has(code)).forEach((code) => since.delete(code));
      [...held.keys()].filter((code) => !since.has(code)).forEach((code) => since.set(code, nowMs));
      const before = new Set(shown.map(({ code }) => code));
      shown = [...held]
        .map(([code, detail]) => ({
          ...CONDITIONS[code],
          code,
          detail,
          forMs: nowMs - (since.get(code) ?? nowMs),
        }))
        .filter(({ forMs, shownAfterMs }) => !isPatient || forMs >= shownAfterMs)
        .map(({ code, severity, title, remedy, forMs, detail }) => ({
          code,
          severity,
          title,
          remedy,
          forMs,
          detail,
        }))
        .sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
      const now = new Set(shown.map(({ code }) => code));
      return {
        raised: shown.filter(({ code }) => !before.has(code)),
        cleared: [...before].filter((code) => !now.has(code)),
      };
    },
    shown: () => shown,
  };
}

/** Healthy: users are in place, and nothing is shown that needs anybody. */
export function isHealthy(of: {
  readonly isReady: boolean;
  readonly conditions: readonly ShownCondition[];
}): boolean {
  return of.isReady && of.conditions.every(({ severity }) => severity === "notice");
}
