/**
 * The drop-in of sudoers(5): a line for each group whose members may use sudo.
 *
 * A group name can hold nothing that sudoers would read as more than a name. Commands are the admin's own words, and
 * visudo(8) has to like them.
 */

import type { GroupName } from "../model/ids.ts";

/** What the members of a group may do as anybody. */
export interface SudoRule {
  readonly group: GroupName;
  readonly passwordless: boolean;
  /** Commands as sudoers(5) has them; `ALL` for every one. */
  readonly commands: readonly string[];
}

const HEADER = "# Written by Rollcall from rollcall.yaml. The next sync undoes what is edited here.";

/** The line of one rule, without the line feed. */
export function renderSudoRule({ group, passwordless, commands }: SudoRule): string {
  return `%${group} ALL=(ALL:ALL) ${passwordless ? "NOPASSWD: " : ""}${commands.join(", ")}`;
}

/** The whole file. */
export function renderSudoers(lines: readonly string[]): string {
  return [HEADER, ...lines, ""].join("\n");
}

/** Whether Rollcall wrote this file. */
export function isOurSudoers(text: string): boolean {
  return text.startsWith(`${HEADER}\n`);
}

/** The rules of a file, as lines. */
export function parseSudoers(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
