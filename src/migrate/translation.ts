/**
 * What an nsscache.conf comes to: settings of Rollcall, and remarks about them.
 */

import type { Option } from "./ini.ts";

/** One key of rollcall.yaml. */
export interface Setting {
  readonly path: string;
  readonly value: string | number | boolean | readonly string[];
}

/** Something an admin should know. Never holds a token, nor the value of a key that is not known. */
export interface Remark {
  /** The old key; undefined for what is about no single one. */
  readonly key: string | undefined;
  readonly section: string | undefined;
  readonly line: number | undefined;
  /** The setting that it is about. */
  readonly path: string | undefined;
  readonly text: string;
  /** False for what is only good to know. */
  readonly needsLook: boolean;
}

/** A whole configuration. */
export interface Translation {
  readonly settings: readonly Setting[];
  readonly remarks: readonly Remark[];
}

/** What one key comes to. */
export interface Part {
  readonly settings?: readonly Setting[];
  readonly text?: string;
  readonly needsLook?: boolean;
}

/** `[passwd] scim_path_uid, line 12`. */
export function placeOf({ key, section, line }: Pick<Remark, "key" | "section" | "line">): string {
  const name = key === undefined ? "" : `[${printable(section ?? "")}] ${printable(key)}`;
  return line === undefined ? name : `${name}, line ${line}`;
}

const NAME_LENGTH = 80;

/** A name out of a file, which may be anything. */
function printable(name: string): string {
  return name.slice(0, NAME_LENGTH).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

/** A remark about an option. */
export function remarkOn(
  key: string | undefined,
  option: Option | undefined,
  rest: Pick<Remark, "path" | "text" | "needsLook">,
): Remark {
  return { key, section: option?.section, line: option?.line, ...rest };
}
