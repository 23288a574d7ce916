/**
 * group.cache: `name:x:gid:member,member`, the format of group(5).
 */

import type { Group } from "../model/directory.ts";
import { parseDecimal, recordLines } from "./lines.ts";
import { SENTINELS } from "./sentinel.ts";

/** One record as read back, believed in nothing. */
export interface GroupRecord {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The line of one group, without the line feed. */
export function renderGroup(group: Group): string {
  return `${group.name}:x:${group.gid}:${group.members.join(",")}`;
}

/** The records of a group file; malformed lines are skipped, as glibc does. */
export function parseGroup(bytes: Uint8Array): GroupRecord[] {
  return recordLines(bytes, SENTINELS.group.line).flatMap((line) => {
    const [name = "", , gidText = "", members, ...rest] = line.split(":");
    const gid = parseDecimal(gidText);
    if (name === "" || gid === undefined || members === undefined || rest.length > 0) {
      return [];
    }
    return [{ name, gid, members: members.split(",").filter((member) => member !== "") }];
  });
}
