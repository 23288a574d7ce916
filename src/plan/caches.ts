/**
 * What must change in the cache maps.
 *
 * In: the directory and the maps on disk. Out: one step for each map that differs, whole, with its indexes.
 * A map is also published again when its mode, its owner or the age of an index would make readers stumble.
 */

import { renderGroup } from "../formats/group.ts";
import { renderIndex } from "../formats/index-file.ts";
import { type FramedLines, type Lines, renderLines } from "../formats/lines.ts";
import { renderPasswd } from "../formats/passwd.ts";
import { endsWithSentinel, SENTINELS } from "../formats/sentinel.ts";
import { renderShadow } from "../formats/shadow.ts";
import { type Placed, placeInSlots, wasteIn } from "../formats/slots.ts";
import { renderSshkey } from "../formats/sshkey.ts";
import type { Directory } from "../model/directory.ts";
import type { IndexName, MapName, Observed, ObservedFile, ObservedMap } from "../model/observed.ts";
import { MAP_NAMES } from "../model/observed.ts";
import { type FileImage, indexFileName, type PublishMap } from "../model/plan.ts";
import type { PlanSettings } from "./settings.ts";

/** Below this many records a linear scan takes less than a tenth of a millisecond. */
const AUTO_INDEX_RECORDS = 1000;

/** A step, and why the bytes alone do not explain it; undefined when they do. */
export interface PlannedMap {
  readonly step: PublishMap;
  readonly repair: string | undefined;
  /** As they were before they were placed; kept of the sshkey map alone, where they stand as they are. */
  readonly lines: Lines | undefined;
}

/** The maps to publish, in the order of `MAP_NAMES`: a group exists before the user who needs it. */
export function planCaches(
  directory: Directory,
  observed: Observed,
  settings: PlanSettings["caches"],
): PlannedMap[] {
  return MAP_NAMES.flatMap((map) => {
    const lines = linesOf(map, directory);
    const step = publishStep(map, lines, { observed, settings });
    const reason = reasonToPublish(step, observed.maps[map], observed);
    const repair = reason === "content" ? undefined : reason;
    return reason === undefined ? [] : [{ step, repair, lines: map === "sshkey" ? lines : undefined }];
  });
}

/** The sshkey map with these lines, whether it differs or not. */
export function sshkeyStep(lines: Lines, observed: Observed, settings: PlanSettings["caches"]): PublishMap {
  // This map alone has no sentinel: nothing stands around its lines.
  return publishStep("sshkey", { ...lines, file: lines.bytes }, { observed, settings });
}

/** For each index of a map, the field of a line that is its key. */
const INDEX_FIELDS: Readonly<Record<MapName, Readonly<Partial<Record<IndexName, number>>>>> = {
  group: { ixname: 0, ixgid: 2 },
  passwd: { ixname: 0, ixuid: 2 },
  shadow: { ixname: 0 },
  sshkey: { ixname: 0 },
};

/** One map at a time: what is on disk already is forgotten before the next one is made. */
function linesOf(map: MapName, { users, groups }: Directory): FramedLines {
  switch (map) {
    case "group":
      return renderLines(groups, renderGroup, { tail: SENTINELS.group.line });
    case "passwd":
      return renderLines(users, renderPasswd, { tail: SENTINELS.passwd.line });
    case "shadow":
      return renderLines(users, renderShadow, { tail: SENTINELS.shadow.line });
    case "sshkey":
      return renderLines(users, renderSshkey);
  }
}

function publishStep(
  map: MapName,
  lines: FramedLines,
  { observed, settings }: { readonly observed: Observed; readonly settings: PlanSettings["caches"] },
): PublishMap {
  const onDisk = observed.maps[map];
  const indexed =
    settings.index === "always" || (settings.index === "auto" && lines.starts.length > AUTO_INDEX_RECORDS);
  const { placed, isRelayout } = placeMap(map, lines, { onDisk, indexed });
  const indexes = indexed ? indexImages(map, lines, placed.offsets) : [];
  const names = new Set(indexes.map((index) => index.name));
  const there = [...onDisk.indexes.keys()].map((index) => indexFileName(map, index));
  return {
    kind: "publish-map",
    map,
    data: { name: `${map}.cache`, bytes: placed.bytes },
    indexes,
    retired: there.filter((name) => isRelayout || !names.has(name)),
    isRelayout,
    ...(map === "shadow" ? { mode: 0o640, gid: observed.local.shadowGid } : { mode: 0o644, gid: 0 }),
  };
}

/** A file of which more than half, and more than this, is room is laid out anew. */
const MIN_WASTE_BYTES = 64 * 1024;

/**
 * In slots where an index is there, was there, or will be; nobody reads sshkey.cache through glibc. A new layout moves
 * people about, so it is made without indexes: nobody may hold an old one.
 */
function placeMap(
  map: MapName,
  lines: FramedLines,
  { onDisk, indexed }: { readonly onDisk: ObservedMap; readonly indexed: boolean },
): { readonly placed: Placed; readonly isRelayout: boolean } {
  const before = onDisk.data?.bytes ?? NOTHING;
  const hasIndexes = onDisk.indexes.size > 0;
  if (map === "sshkey" || !(indexed || hasIndexes || endsWithSentinel(before, SENTINELS[map]))) {
    return { placed: { bytes: lines.bytes, offsets: lines.starts.subarray(0, -1) }, isRelayout: false };
  }
  const placed = placeInSlots(lines, before);
  const waste = wasteIn(placed.bytes, lines);
  if (waste < MIN_WASTE_BYTES || waste * 2 < placed.bytes.length) {
    return { placed, isRelayout: false };
  }
  return { placed: placeInSlots(lines, NOTHING), isRelayout: hasIndexes };
}

const NOTHING = new Uint8Array();

function indexImages(map: MapName, lines: Lines, offsets: Uint32Array): FileImage[] {
  return Object.entries(INDEX_FIELDS[map]).map(([index, field]) => ({
    name: `${map}.cache.${index}`,
    bytes: renderIndex(lines, field, offsets),
  }));
}

/** Undefined when the map on disk is as it should be. */
function reasonToPublish(step: PublishMap, onDisk: ObservedMap, observed: Observed): string | undefined {
  if (onDisk.data === undefined || !sameBytes(onDisk.data, step.data.bytes)) {
    return "content";
  }
  if (step.retired.length > 0) {
    return "an index is not wanted any more";
  }
  const indexes = new Map([...onDisk.indexes].map(([index, file]) => [indexFileName(step.map, index), file]));
  for (const image of step.indexes) {
    const file = indexes.get(image.name);
    if (file === undefined || !sameBytes(file, image.bytes)) {
      return `the index ${image.name} is missing or differs`;
    }
    if (wholeSeconds(file) < wholeSeconds(onDisk.data)) {
      return `the index ${image.name} is older than its data, so libnss-cache ignores it`;
    }
  }
  return [onDisk.data, ...onDisk.indexes.values()].every((file) => hasAttributes(file, step, observed))
    ? undefined
    : "mode or owner differ";
}

/** The precision in which libnss-cache compares. */
function wholeSeconds({ mtimeMs }: ObservedFile): number {
  return Math.floor(mtimeMs / 1000);
}

function hasAttributes(file: ObservedFile, step: PublishMap, observed: Observed): boolean {
  return file.mode === step.mode && (!observed.ownsFiles || (file.uid === 0 && file.gid === step.gid));
}

function sameBytes(file: ObservedFile, bytes: Uint8Array): boolean {
  return Buffer.compare(file.bytes, bytes) === 0;
}
