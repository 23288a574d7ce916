/**
 * Which SSH keys of a user this node accepts.
 *
 * In: whatever stands at the keys attribute: text (several keys, one a line), a list of such text, or a list
 * of `{value: text}`. Out: key lines without anything that could start another line, and what was refused.
 * A bad key costs only itself.
 */

import type { AuthorizedKey } from "../model/ids.ts";
import { type KeyLineParts, splitKeyLine } from "../model/key-line.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { cleanText, cutToBytes } from "./text.ts";
import { isAbsent, type Refusal } from "./verdict.ts";
import { ED25519_BLOB, wireKeyFault } from "./wire-key.ts";

const LINE_LENGTH = 8192;
const COMMENT_BYTES = 256;
/** Of one user; far above keys.maxPerUser, so that only a flood of broken lines meets it. */
const LINES = 2000;

/** The accepted keys, in the order of the IAM, and why the others are not. */
export interface KeysVerdict {
  readonly keys: readonly AuthorizedKey[];
  readonly refusals: readonly Refusal[];
}

/** Checks everything at the keys attribute of one user. */
export function toKeys(raw: unknown, rules: Rules["keys"]): KeysVerdict {
  const plain = plainKeysOf(raw, rules.maxPerUser);
  if (plain !== undefined) {
    return { keys: plain, refusals: NONE };
  }
  const texts = textsOf(raw);
  if (texts === undefined) {
    return {
      keys: [],
      refusals: [{ code: "keys-unreadable", reason: `${quoted(raw)} is no text and no list` }],
    };
  }
  const keys: AuthorizedKey[] = [];
  const grants = new Set<string>();
  const refusals: Refusal[] = [];
  const lines = texts.flatMap(linesOf);
  if (lines.length > LINES) {
    refusals.push({
      code: "keys-too-many",
      reason: `only the first ${LINES} of ${lines.length} lines were read`,
    });
  }
  for (const line of lines.slice(0, LINES)) {
    const verdict = toKey(line, rules);
    if ("code" in verdict) {
      refusals.push(verdict);
    } else if (grants.has(verdict.grant)) {
      refusals.push({ code: "key-duplicate", reason: `${quoted(line)} is there twice` });
    } else if (keys.length >= rules.maxPerUser) {
      refusals.push({
        code: "keys-too-many",
        reason: `more than ${rules.maxPerUser} keys; left out ${quoted(line)}`,
      });
    } else {
      grants.add(verdict.grant);
      keys.push(verdict.key);
    }
  }
  // A list that grew keeps room for more; this one has room for what is in it.
  return { keys: keys.slice(), refusals };
}

const NONE: readonly Refusal[] = [];

/** An ed25519 key with a comment of plain words, or with none: it comes out as it goes in. */
const PLAIN_KEY = new RegExp(`^ssh-ed25519 ${ED25519_BLOB}(?: [!-~]+)*$`);
/** Type and blob of such a key. */
const PLAIN_GRANT = "ssh-ed25519 ".length + 68;
/** Few enough to be compared with each other. */
const FEW = 8;

/** The keys of nearly everybody, found without taking anything apart, in the list that holds them already; undefined for any others. */
function plainKeysOf(raw: unknown, maxPerUser: number): readonly AuthorizedKey[] | undefined {
  if (!Array.isArray(raw) || raw.length > Math.min(FEW, maxPerUser)) {
    return undefined;
  }
  const lines: readonly unknown[] = typeof raw[0] === "object" ? raw.map(valueOf) : raw;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    if (!isPlainKey(line) || (index > 0 && isAmong(lines, index, line.slice(0, PLAIN_GRANT)))) {
      return undefined;
    }
  }
  return lines as readonly AuthorizedKey[];
}

function isPlainKey(line: unknown): line is string {
  return typeof line === "string" && line.length <= PLAIN_GRANT + COMMENT_BYTES && PLAIN_KEY.test(line);
}

/** Whether one of the first lines is for the same key. */
function isAmong(lines: readonly unknown[], count: number, grant: string): boolean {
  for (let index = 0; index < count; index += 1) {
    const line = lines[index];
    if (typeof line === "string" && line.startsWith(grant)) {
      return true;
    }
  }
  return false;
}

/** A sound key, and what it is but for its comment. */
interface SoundKey {
  readonly key: AuthorizedKey;
  readonly grant: string;
}

function toKey(line: unknown, rules: Rules["keys"]): SoundKey | Refusal {
  if (typeof line !== "string") {
    return broken(`${quoted(line)} is not text`);
  }
  if (line.length > LINE_LENGTH || /[^\t\P{Cc}]/u.test(line)) {
    return broken(`${quoted(line)} is too long or holds control characters`);
  }
  const parts = splitKeyLine(line);
  if (parts === undefined) {
    return broken(`${quoted(line)} is not "type base64 comment"`);
  }
  const fault =
    optionsFault(parts.options, rules.allowedOptions) ??
    wireKeyFault(parts.type, parts.blob, rules.minRsaBits);
  return fault ?? soundKey(line, parts);
}

/** With a clean comment. A line in which nothing had to change is the same text, so that it is in memory once. */
function soundKey(line: string, { options, type, blob, comment }: KeyLineParts): SoundKey {
  const words = [options, type, blob, cutToBytes(cleanText(comment), COMMENT_BYTES)];
  const text = words.filter((word) => word !== "").join(" ");
  return { key: (text === line ? line : text) as AuthorizedKey, grant: `${options} ${type} ${blob}` };
}

function broken(reason: string): Refusal {
  return { code: "key-invalid", reason };
}

function optionsFault(options: string, allowed: readonly string[]): Refusal | undefined {
  if (options === "") {
    return undefined;
  }
  const names = OPTION_TEXT.test(options) ? optionNames(options) : undefined;
  const refused = names?.filter((name) => !allowed.includes(name));
  if (refused === undefined || refused.length > 0) {
    const reason = `the options ${quoted(options)} are not all in keys.allowedOptions`;
    return { code: "key-options-refused", reason };
  }
  return undefined;
}

/** Printable ASCII without a backslash: sshd(8) and others do not agree on what a backslash escapes. */
const OPTION_TEXT = /^[ !-[\]-~]+$/;
const OPTION = /^([a-zA-Z0-9-]+)(?:="[^"]*")?(?:,|$)/;

/** The names in a list of options, in lower case; undefined when the list does not parse to its end. */
function optionNames(options: string): string[] | undefined {
  const names: string[] = [];
  let rest = options;
  while (rest !== "") {
    const match = OPTION.exec(rest);
    if (match === null) {
      return undefined;
    }
    names.push((match[1] ?? "").toLowerCase());
    rest = rest.slice(match[0].length);
  }
  return names;
}

/** The pieces of text, where an entry may be of any shape; undefined when the whole is no text and no list. */
function textsOf(raw: unknown): readonly unknown[] | undefined {
  if (isAbsent(raw)) {
    return [];
  }
  if (typeof raw === "string") {
    return [raw];
  }
  return Array.isArray(raw) ? raw.map(valueOf) : undefined;
}

function valueOf(entry: unknown): unknown {
  return typeof entry === "object" && entry !== null && "value" in entry ? entry.value : entry;
}

/** One entry per line; people paste a whole authorized_keys file into one field. */
function linesOf(text: unknown): readonly unknown[] {
  if (isAbsent(text)) {
    return [];
  }
  if (typeof text !== "string") {
    return [text];
  }
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
}
