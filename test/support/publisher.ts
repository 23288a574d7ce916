/**
 * Publishes maps as fast as it can, growing and shrinking and reordering, for readers that must not notice.
 *
 * Runs inside a namespace: `publisher.ts LAYOUT SECONDS`. `slots` is what Rollcall does; `naive` renames data and then
 * indexes, everybody in order; `no-sentinel` is slots without the last record. Prints how often it published.
 */

import { applyPublishMap } from "../../src/apply/caches.ts";
import { endsWithSentinel, SENTINELS } from "../../src/formats/sentinel.ts";
import type { Directory } from "../../src/model/directory.ts";
import type { PublishMap } from "../../src/model/plan.ts";
import { observeCaches } from "../../src/observe/caches.ts";
import { planCaches } from "../../src/plan/caches.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { anEmptyNode, aUserDraft, BEFORE, RULES } from "./drafts.ts";
import { simpleIndex, simpleLines } from "./simple-maps.ts";

const [layout = "slots", seconds = "10"] = process.argv.slice(2);
const SETTINGS = { root: "/", caches: { directory: "/etc", index: "always" } } as const;
const KEPT = 100;

/** Without its last record a file is dangerous where it has shrunk: more of that where it must show. */
const SIZES = layout === "no-sentinel" ? [1400, 150, 1400, 150] : [1100, 1050, 1000, 1080];

/** Users 1 to 100 are in every version; their gecos and everybody else changes. */
function directoryOf(version: number): Directory {
  const others = version < 0 ? 0 : (SIZES[version % 4] ?? 0);
  const users = [
    ...Array.from({ length: KEPT }, (_, nth) =>
      aUserDraft(nth + 1, {
        gecos: "x".repeat((Math.trunc(Math.abs(version) / 4) * 7 + nth) % 23),
        keys: [],
      }),
    ),
    ...Array.from({ length: others }, (_, nth) =>
      aUserDraft(1000 + ((nth * 7919) % 1151) + (version % 3) * 5, { keys: [] }),
    ),
  ];
  return validateDirectory({ users, groups: [], problems: [] }, RULES, BEFORE).directory;
}

/** The same records in order, as a tool does that knows nothing of slots. */
function naive(step: PublishMap): PublishMap {
  const lines = Buffer.from(step.data.bytes)
    .toString()
    .split("\n")
    .filter((line) => /^[a-z]/.test(line) && !/^no(?:body|group):/.test(line))
    .sort();
  const { bytes, offsets } = simpleLines(lines);
  const keyOf = (line: string, index: string) => line.split(":")[index.endsWith("name") ? 0 : 2] ?? "";
  const indexes = step.indexes.map(({ name }) => ({
    name,
    bytes: simpleIndex(lines.map((line, nth) => ({ key: keyOf(line, name), offset: offsets[nth] ?? 0 }))),
  }));
  return { ...step, data: { ...step.data, bytes }, indexes, retired: [], isRelayout: false };
}

function withoutSentinel(step: PublishMap): PublishMap {
  const sentinel = step.map === "sshkey" ? undefined : SENTINELS[step.map];
  const isThere = sentinel !== undefined && endsWithSentinel(step.data.bytes, sentinel);
  const end = step.data.bytes.length - (isThere ? sentinel.line.length + 1 : 0);
  return { ...step, data: { ...step.data, bytes: step.data.bytes.subarray(0, end) }, isRelayout: false };
}

const LAYOUTS: Readonly<Record<string, (step: PublishMap) => PublishMap>> = {
  slots: (step) => step,
  naive,
  "no-sentinel": withoutSentinel,
};
const change = LAYOUTS[layout];
if (change === undefined) {
  throw new Error(`no such layout: ${layout}`);
}

const almostNobody = directoryOf(-1);
const versions = Array.from({ length: 12 }, (_, version) => directoryOf(version));
let publishes = 0;
let layouts = 0;
console.log("publishing");
const end = performance.now() + Number(seconds) * 1000;
for (let version = 0; performance.now() < end; version += 1) {
  const directory = version % 800 === 300 ? almostNobody : versions[version % versions.length];
  const observed = anEmptyNode({ maps: await observeCaches("/etc") });
  const steps = directory === undefined ? [] : planCaches(directory, observed, { index: "always" });
  for (const { step } of steps.filter((one) => one.step.map !== "sshkey")) {
    await applyPublishMap(change(step), SETTINGS);
    publishes += 1;
    layouts += step.isRelayout ? 1 : 0;
  }
}
console.log(JSON.stringify({ publishes, layouts }));
