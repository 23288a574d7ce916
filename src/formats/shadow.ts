/**
 * shadow.cache: `name:password:lastchange:min:max:warn:inactive:expire:flag`, the format of shadow(5).
 *
 * Nobody has a password here. An active user has `*`, which lets a key in. An inactive one has `!` and
 * expiry day 1: with UsePAM a bare `!` does not stop a key login, an expired account does.
 */

import type { User } from "../model/directory.ts";
import { recordLines } from "./lines.ts";
import { SENTINELS } from "./sentinel.ts";

/** One record as read back. */
export interface ShadowRecord {
  readonly name: string;
  readonly active: boolean;
}

/** The line of one user, without the line feed. */
export function renderShadow(user: Pick<User, "name" | "active">): string {
  return user.active ? `${user.name}:*:::::::` : `${user.name}:!::::::1:`;
}

/** The records of a shadow file; malformed lines are skipped, as glibc does. */
export function parseShadow(bytes: Uint8Array): ShadowRecord[] {
  const records: ShadowRecord[] = [];
  for (const line of recordLines(bytes, SENTINELS.shadow.line)) {
    const fields = line.split(":");
    const [name = "", password = ""] = fields;
    if (name !== "" && fields.length === 9) {
      records.push({ name, active: !password.startsWith("!") });
    }
  }
  return records;
}
