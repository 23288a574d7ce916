/**
 * Which version of a record the IAM gave (RFC 7643 §3.1), and when it changed last.
 *
 * In: a resource. Out: a short text, a time, or undefined. Kept out of the drafts: many servers count a login as a change, and
 * a sync without changes must not have to write anything.
 */

import { attributeReader } from "./attributes.ts";

const MAX_LENGTH = 128;
const readMeta = attributeReader("meta");
const readVersion = attributeReader("version");
const readLastModified = attributeReader("lastModified");

/** `meta.version`, else `meta.lastModified`. */
export function versionOf(resource: unknown): string | undefined {
  const meta = readMeta(resource);
  const version = readVersion(meta);
  return isShortText(version) ? version : shortText(readLastModified(meta));
}

/** `meta.lastModified` as it came. */
export function lastModifiedTextOf(resource: unknown): string | undefined {
  return shortText(readLastModified(readMeta(resource)));
}

/** `meta.lastModified` in milliseconds since 1970. */
export function lastModifiedOf(resource: unknown): number | undefined {
  const text = lastModifiedTextOf(resource);
  const timeMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function shortText(value: unknown): string | undefined {
  return isShortText(value) ? value : undefined;
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_LENGTH;
}
