/**
 * What a daemon knows of itself before its first run.
 */

import type { View } from "../../src/report/status.ts";

export const A_VIEW: View = {
  version: "x",
  nowMs: 0,
  isReady: true,
  conditions: [],
  failure: undefined,
  record: undefined,
  lastRunAtMs: undefined,
  ageMs: undefined,
  nextRunInMs: undefined,
  isRunning: false,
  configPath: "",
  configMistakes: undefined,
  host: undefined,
  disks: [],
  pace: { recent: [], lastChange: undefined },
  iamAddress: "",
};
