/**
 * Free text that ends up in a line of a file: display names and key comments.
 */

import type { Gecos } from "../model/ids.ts";
import { quoted } from "../model/quoted.ts";
import { isAbsent, type Mended } from "./verdict.ts";

const GECOS_BYTES = 256;

/** What most display names look like: words of Latin letters, of which the longest takes two bytes for each. */
const PLAIN_GECOS = /^[!-9;-~\u00a1-\u024f]+(?: [!-9;-~\u00a1-\u024f]+)*$/;

/**
 * Control characters, line and paragraph separators, lone surrogates, and the marks that turn the direction
 * of text around: all of them can make a line, or a terminal, show something else than what it says.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text on one line: unsafe characters become spaces, runs of spaces one, none at the ends. */
export function cleanText(text: string): string {
  return text.replace(UNSAFE, " ").replace(/ {2,}/g, " ").trim();
}

/** The comment field of passwd(5): also without colons, at most 256 bytes. Always usable. */
export function toGecos(raw: unknown): Mended<Gecos> {
  if (isAbsent(raw)) {
    return "" as Gecos;
  }
  if (typeof raw === "string" && raw.length <= GECOS_BYTES / 2 && PLAIN_GECOS.test(raw)) {
    return raw as Gecos;
  }
  if (typeof raw !== "string") {
    return { value: "" as Gecos, refusal: { code: "gecos-cleaned", reason: `${quoted(raw)} is not text` } };
  }
  const clean = cutToBytes(cleanText(raw.replaceAll(":", " ")), GECOS_BYTES) as Gecos;
  if (clean === raw) {
    return clean;
  }
  const reason = `${quoted(raw)} is written as ${quoted(clean)}`;
  return { value: clean, refusal: { code: "gecos-cleaned", reason } };
}

/** Cuts text to so many bytes of UTF-8, never inside a character. */
export function cutToBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) {
    return text;
  }
  let cut = "";
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > limit) {
      break;
    }
    cut += character;
  }
  return cut.trim();
}
