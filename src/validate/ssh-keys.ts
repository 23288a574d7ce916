/**
 * Which SSH keys of a user this node accepts.
 *
 * In: whatever stands at the keys attribute: text (several keys, one a line), a list of such text, or a list
 * of `{value: text}`. Out: key lines without anything that could start another line, and what was refused.
 * A bad key costs only itself.
 */

import type { AuthorizedKey } from "../model/ids.ts";
import { grantOf, splitKeyLine } from "../model/key-line.ts";
import { quoted } from "../model/quoted.ts";
import type { Rules } from "./rules.ts";
import { cleanText, cutToBytes } from "./text.ts";
import { accept, isAbsent, type Refusal, refuse, type Verdict } from "./verdict.ts";
import { wireKeyFault } from "./wire-key.ts";

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
  const texts = textsOf(raw);
  if (texts === undefined) {
    return {
      keys: [],
      refusals: [{ code: "keys-unreadable", reason: `${quoted(raw)} is no text and no list` }],
    };
  }
  const keys = new Map<string, AuthorizedKey>();
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
    if (!verdict.ok) {
      refusals.push(verdict.refusal);
    } else if (keys.has(grantOf(verdict.value))) {
      refusals.push({ code: "key-duplicate", reason: `${quoted(line)} is there twice` });
    } else if (keys.size >= rules.maxPerUser) {
      refusals.push({
        code: "keys-too-many",
        reason: `more than ${rules.maxPerUser} keys; left out ${quoted(line)}`,
      });
    } else {
      keys.set(grantOf(verdict.value), verdict.value);
    }
  }
  return { keys: [...keys.values()], refusals };
}

function toKey(line: unknown, rules: Rules["keys"]): Verdict<AuthorizedKey> {
  if (typeof line !== "string") {
    return refuse("key-invalid", `${quoted(line)} is not text`);
  }
  if (line.length > LINE_LENGTH || /[^\t\P{Cc}]/u.test(line)) {
    return refuse("key-invalid", `${quoted(line)} is too long or holds control characters`);
  }
  const parts = splitKeyLine(line);
  if (parts === undefined) {
    return refuse("key-invalid", `${quoted(line)} is not "type base64 comment"`);
  }
  const fault =
    optionsFault(parts.options, rules.allowedOptions) ??
    wireKeyFault(parts.type, parts.blob, rules.minRsaBits);
  if (fault !== undefined) {
    return { ok: false, refusal: fault };
  }
  const comment = cutToBytes(cleanText(parts.comment), COMMENT_BYTES);
  const words = [parts.options, parts.type, parts.blob, comment].filter((word) => word !== "");
  return accept(words.join(" ") as AuthorizedKey);
}

function optionsFault(options: string, allowed: readonly string[]): Refusal | undefined {
  if (options === "") {
    return undefined;
  }
  const names = OPTION_TEXT.test(options) ? optionNames(options) : undefined;
  const refused = names?.filter((name) => !allowed.includes(name));
  if (refused === undefined || refused.length > 0) {
    return refuse("key-options-refused", `the options ${quoted(options)} are not all in keys.allowedOptions`)
      .refusal;
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
