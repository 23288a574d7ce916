/**
 * What must change in the cache maps.
 *
 * In: the directory and the maps on disk. Out: one step for each map that differs, whole, with its indexes.
 * A map is also published again when its mode, its owner or the age of an index would make readers stumble.
 */

import { renderGroup } from "../formats/group.ts";
import { renderIndex } from "../formats/index-file.ts";
import { type Placed, placeInOrder } from "../formats/lines.ts";
import { renderPasswd } from "../formats/passwd.ts";
import { endsWithSentinel, SENTINELS } from "../formats/sentinel.ts";
import { renderShadow } from "../formats/shadow.ts";
import { placeInSlots, type SlotRecord, wasteIn } from "../formats/slots.ts";
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
}

/** The maps to publish, in the order of `MAP_NAMES`: a group exists before the user who needs it. */
export function planCaches(
  directory: Directory,
  observed: Observed,
  settings: PlanSettings["caches"],
): PlannedMap[] {
  const wanted = renderMaps(directory);
  return MAP_NAMES.flatMap((map) => {
    const step = publishStep(map, wanted[map], { observed, settings });
    const reason = reasonToPublish(step, observed.maps[map], observed);
    return reason === undefined ? [] : [{ step, repair: reason === "content" ? undefined : reason }];
  });
}

/** The sshkey map with these users, whether it differs or not. */
export function sshkeyStep(
  users: Directory["users"],
  observed: Observed,
  settings: PlanSettings["caches"],
): PublishMap {
  const content = {
    records: recordsOf(users, renderSshkey),
    keys: { ixname: users.map(({ name }) => name) },
  };
  return publishStep("sshkey", content, { observed, settings });
}

/** The lines of one map, and the key of each line in each index. */
interface MapContent {
  /** Sorted by name. */
  readonly records: readonly SlotRecord[];
  readonly keys: Readonly<Partial<Record<IndexName, readonly string[]>>>;
}

function renderMaps({ users, groups }: Directory): Record<MapName, MapContent> {
  const userNames = users.map((user) => user.name);
  return {
    group: {
      records: recordsOf(groups, renderGroup),
      keys: { ixname: groups.map((group) => group.name), ixgid: groups.map((group) => String(group.gid)) },
    },
    passwd: {
      records: recordsOf(users, renderPasswd),
      keys: { ixname: userNames, ixuid: users.map((user) => String(user.uid)) },
    },
    shadow: {
      records: recordsOf(users, renderShadow),
      keys: { ixname: userNames },
    },
    sshkey: {
      records: recordsOf(users, renderSshkey),
      keys: { ixname: userNames },
    },
  };
}

function recordsOf<Item extends { readonly name: string }>(
  items: readonly Item[],
  render: (item: Item) => string,
): SlotRecord[] {
  return items.map((item) => ({ name: item.name, line: render(item) }));
}

function publishStep(
  map: MapName,
  content: MapContent,
  { observed, settings }: { readonly observed: Observed; readonly settings: PlanSettings["caches"] },
): PublishMap {
  const onDisk = observed.maps[map];
  const indexed =
    settings.index === "always" ||
    (settings.index === "auto" && content.records.length >= AUTO_INDEX_RECORDS);
  const { placed, isRelayout } = placeMap(map, content.records, { onDisk, indexed });
  const indexes = indexed ? indexImages(map, content, placed.offsets) : [];
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
  records: readonly SlotRecord[],
  { onDisk, indexed }: { readonly onDisk: ObservedMap; readonly indexed: boolean },
): { readonly placed: Placed; readonly isRelayout: boolean } {
  const before = onDisk.data?.bytes ?? new Uint8Array();
  const hasIndexes = onDisk.indexes.size > 0;
  if (map === "sshkey" || !(indexed || hasIndexes || endsWithSentinel(before, SENTINELS[map]))) {
    return { placed: placeInOrder(records.map(({ line }) => line)), isRelayout: false };
  }
  const placed = placeInSlots(records, before, SENTINELS[map]);
  const waste = wasteIn(placed.bytes, records, SENTINELS[map]);
  if (waste < MIN_WASTE_BYTES || waste * 2 < placed.bytes.length) {
    return { placed, isRelayout: false };
  }
  return { placed: placeInSlots(records, new Uint8Array(), SENTINELS[map]), isRelayout: hasIndexes };
}

function indexImages(map: MapName, content: MapContent, offsets: readonly number[]): FileImage[] {
  return Object.entries(content.keys).map(([index, keys]) => ({
    name: `${map}.cache.${index}`,
    bytes: renderIndex(keys.map((key, position) => ({ key, offset: offsets[position] ?? 0 }))),
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
