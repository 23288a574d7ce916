/**
 * passwd.cache: `name:x:uid:gid:gecos:dir:shell`, the format of passwd(5).
 *
 * The password field is always `x`: with pam_unix a `*` there switches the shadow check off.
 */

import type { User } from "../model/directory.ts";
import { parseDecimal, readOnce, recordLines } from "./lines.ts";
import { SENTINELS } from "./sentinel.ts";

/** One record as read back, believed in nothing. */
export interface PasswdRecord {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** The line of one user, without the line feed. */
export function renderPasswd(user: Pick<User, keyof PasswdRecord>): string {
  return renderLine(user);
}

/** A record as it was read back, in the form of getent(1). */
export function renderLine({ name, uid, gid, gecos, home, shell }: PasswdRecord): string {
  return `${name}:x:${uid}:${gid}:${gecos}:${home}:${shell}`;
}

/** The records of a passwd file; malformed lines are skipped, as glibc does. */
export const parsePasswd = readOnce((bytes): PasswdRecord[] => {
  const records: PasswdRecord[] = [];
  for (const line of recordLines(bytes, SENTINELS.passwd.line)) {
    const fields = line.split(":");
    const [name = "", , uidText = "", gidText = "", gecos = "", home = "", shell = ""] = fields;
    const uid = parseDecimal(uidText);
    const gid = parseDecimal(gidText);
    if (fields.length === 7 && name !== "" && uid !== undefined && gid !== undefined) {
      records.push({ name, uid, gid, gecos, home, shell });
    }
  }
  return records;
});
