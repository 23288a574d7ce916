/**
 * sshkey.cache: `name:['key', 'key']`, where the list is a Python literal; `name:` for a user without keys.
 *
 * Readers in the field also meet a bare `name:ssh-ed25519 AAAA…`, so that is parsed as well.
 */

import type { User } from "../model/directory.ts";
import { type Lines, linesIn, recordLines, renderLines } from "./lines.ts";

/** One record as read back, believed in nothing. */
export interface SshkeyRecord {
  readonly name: string;
  readonly keys: readonly string[];
}

/** The line of one user, without the line feed. */
export function renderSshkey(user: Pick<User, "name" | "keys">): string {
  return user.keys.length === 0 ? `${user.name}:` : `${user.name}:[${user.keys.map(pythonRepr).join(", ")}]`;
}

/** The records of a sshkey file; lines without a name and lists that are no literal are skipped. */
export function parseSshkey(bytes: Uint8Array): SshkeyRecord[] {
  return recordLines(bytes).flatMap((line) => {
    const colon = line.indexOf(":");
    const keys = colon > 0 ? parseKeys(line.slice(colon + 1)) : undefined;
    return keys === undefined ? [] : [{ name: line.slice(0, colon), keys }];
  });
}

/** By name: what stands there for the keys, unread. Of several lines of one name the first counts. */
export function sshkeyTexts(bytes: Uint8Array): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const line of recordLines(bytes)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (colon > 0 && !texts.has(name)) {
      texts.set(name, line.slice(colon + 1));
    }
  }
  return texts;
}

/** A file with other lines for some users. */
export interface ReplacedSshkeys {
  /** The lines that stood there, and those that take their place. */
  readonly before: Uint8Array;
  readonly after: Lines;
  /** The whole file, everybody else's lines as they were; put together when it is asked for. */
  readonly whole: () => Lines;
}

/** Undefined where these users, in their order, do not have a line each. */
export function replaceSshkeys(
  bytes: Uint8Array,
  users: readonly Pick<User, "name" | "keys">[],
): ReplacedSshkeys | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const after = renderLines(users, renderSshkey);
  const kept: Buffer[] = [];
  const before: Buffer[] = [];
  let end = 0;
  for (const { name } of users) {
    const start = startOfLine(file, `${name}:`);
    const next = file.indexOf("\n", Math.max(start, 0)) + 1;
    if (start < end || next === 0) {
      return undefined;
    }
    kept.push(file.subarray(end, start));
    before.push(file.subarray(start, next));
    end = next;
  }
  const lineOf = (nth: number) => after.bytes.subarray(after.starts[nth], after.starts[nth + 1]);
  const whole = () =>
    linesIn(Buffer.concat([...kept.flatMap((part, nth) => [part, lineOf(nth)]), file.subarray(end)]));
  return { before: Buffer.concat(before), after, whole };
}

/** Where the first line begins that begins so; -1 without one. */
function startOfLine(file: Buffer, begin: string): number {
  const isFirst = file.toString("utf8", 0, begin.length) === begin;
  return isFirst ? 0 : file.indexOf(`\n${begin}`) + 1 || -1;
}

/** The keys of one such text; none where it is no list of them. */
export function keysInText(text: string): readonly string[] {
  return parseKeys(text) ?? [];
}
/** Printable ASCII that needs no escape: nearly every key, and telling so costs little. */
const PLAIN = /^[ !#-&(-[\]-~]*$/;

/** A string as Python's repr() writes it. */
function pythonRepr(text: string): string {
  if (PLAIN.test(text)) {
    return `'${text}'`;
  }
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll(quote, `\\${quote}`)
    .replace(/(?! )[\p{C}\p{Z}]/gu, pythonEscape);
  return `${quote}${escaped}${quote}`;
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function pythonEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const long = code > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
  return SHORT_ESCAPES.get(character) ?? (code > 0xff ? long : `\\x${hex.padStart(2, "0")}`);
}

function parseKeys(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("[")) {
    return trimmed === "" ? [] : [trimmed];
  }
  return parsePythonList(trimmed);
}

const LIST_ITEM = /^\s*u?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)/u;

/** Reads `['a', "b"]`; undefined when anything in it is not a plain string literal. */
function parsePythonList(text: string): string[] | undefined {
  if (!text.endsWith("]")) {
    return undefined;
  }
  const items: string[] = [];
  let rest = text.slice(1, -1).trim();
  while (rest !== "") {
    const match = LIST_ITEM.exec(rest);
    if (match === null) {
      return undefined;
    }
    items.push(unescapePython(match[1] ?? match[2] ?? ""));
    rest = rest.slice(match[0].length).trim();
  }
  return items;
}

const PYTHON_ESCAPE = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gu;

function unescapePython(text: string): string {
  return text.replace(PYTHON_ESCAPE, (escape) => {
    const body = escape.slice(1);
    if (/^[xuU]./.test(body)) {
      const code = Number.parseInt(body.slice(1), 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : escape;
    }
    const short = [...SHORT_ESCAPES].find(([, written]) => written === escape);
    return short?.[0] ?? (/^['"\\]$/.test(body) ? body : escape);
  });
}
