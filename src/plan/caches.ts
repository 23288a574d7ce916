/**
 * What must change in the cache maps.
 *
 * In: the directory and the maps on disk. Out: one step for each map that differs, whole, with its indexes.
 * A map is also published again when its mode, its owner or the age of an index would make readers stumble.
 */

import { renderGroup } from "../formats/group.ts";
import { renderIndex } from "../formats/index-file.ts";
import { placeInOrder } from "../formats/lines.ts";
import { renderPasswd } from "../formats/passwd.ts";
import { renderShadow } from "../formats/shadow.ts";
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

/** The lines of one map, and the key of each line in each index. */
interface MapContent {
  readonly lines: readonly string[];
  readonly keys: Readonly<Partial<Record<IndexName, readonly string[]>>>;
}

function renderMaps({ users, groups }: Directory): Record<MapName, MapContent> {
  const userNames = users.map((user) => user.name);
  return {
    group: {
      lines: groups.map(renderGroup),
      keys: { ixname: groups.map((group) => group.name), ixgid: groups.map((group) => String(group.gid)) },
    },
    passwd: {
      lines: users.map(renderPasswd),
      keys: { ixname: userNames, ixuid: users.map((user) => String(user.uid)) },
    },
    shadow: { lines: users.map(renderShadow), keys: { ixname: userNames } },
    sshkey: { lines: users.map(renderSshkey), keys: { ixname: userNames } },
  };
}

function publishStep(
  map: MapName,
  content: MapContent,
  { observed, settings }: { readonly observed: Observed; readonly settings: PlanSettings["caches"] },
): PublishMap {
  const { bytes, offsets } = placeInOrder(content.lines);
  const indexed =
    settings.index === "always" || (settings.index === "auto" && content.lines.length >= AUTO_INDEX_RECORDS);
  const indexes = indexed ? indexImages(map, content, offsets) : [];
  const names = new Set(indexes.map((index) => index.name));
  const onDisk = [...observed.maps[map].indexes.keys()].map((index) => indexFileName(map, index));
  return {
    kind: "publish-map",
    map,
    data: { name: `${map}.cache`, bytes },
    indexes,
    retired: onDisk.filter((name) => !names.has(name)),
    ...(map === "shadow" ? { mode: 0o640, gid: observed.local.shadowGid } : { mode: 0o644, gid: 0 }),
  };
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
    if (file.mtimeSeconds < onDisk.data.mtimeSeconds) {
      return `the index ${image.name} is older than its data, so libnss-cache ignores it`;
    }
  }
  return [onDisk.data, ...onDisk.indexes.values()].every((file) => hasAttributes(file, step, observed))
    ? undefined
    : "mode or owner differ";
}

function hasAttributes(file: ObservedFile, step: PublishMap, observed: Observed): boolean {
  return file.mode === step.mode && (!observed.ownsFiles || (file.uid === 0 && file.gid === step.gid));
}

function sameBytes(file: ObservedFile, bytes: Uint8Array): boolean {
  return Buffer.compare(file.bytes, bytes) === 0;
}
