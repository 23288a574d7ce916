/**
 * One user's authorized_keys(5) file in the keys directory.
 *
 * The first line says who wrote it. The directory is root's, so that line can be trusted to tell our
 * files from those of an admin.
 */

import type { AuthorizedKey } from "../model/ids.ts";

const HEADER = "# Written by Rollcall from the IAM. The next sync undoes what is edited here.";

/** The file of a user who has these keys. */
export function renderAuthorizedKeys(keys: readonly AuthorizedKey[]): string {
  return `${[HEADER, ...keys].join("\n")}\n`;
}

/** The key lines of a file, without comments and empty lines. */
export function parseAuthorizedKeys(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Whether there is a key line in a file. */
export function hasAuthorizedKeys(text: string): boolean {
  return /(?:^|\n)\s*[^#\s]/.test(text);
}

/** Whether Rollcall wrote this file. */
export function isOurs(text: string): boolean {
  return text.startsWith(`${HEADER}\n`);
}
