/**
 * group.cache: `name:x:gid:member,member`, the format of group(5).
 */

import type { Group } from "../model/directory.ts";
import { parseDecimal, readOnce, recordLines } from "./lines.ts";
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
export const parseGroup = readOnce((bytes): GroupRecord[] => {
  const records: GroupRecord[] = [];
  for (const line of recordLines(bytes, SENTINELS.group.line)) {
    const fields = line.split(":");
    const [name = "", , gidText = "", members = ""] = fields;
    const gid = parseDecimal(gidText);
    if (fields.length === 4 && name !== "" && gid !== undefined) {
      records.push({ name, gid, members: members.split(",").filter((member) => member !== "") });
    }
  }
  return records;
});
