/**
 * The keys of rollcall.yaml that `rollcall keys` goes by, read without the whole schema, because sshd waits for it.
 *
 * In: a path. Out: the slice, or undefined for a file that is for the whole schema to judge: whatever is not plainly right
 * in what this slice depends on. A mistake in another section takes nobody's keys away.
 */

import { ABSOLUTE_PATH, KEYS_DIRECTORY } from "./defaults.ts";
import { parseYaml, readConfig, valueOf } from "./read.ts";
import type { RawConfig } from "./schema.ts";

/** What `rollcall keys` goes by. */
export type KeysSlice = Pick<RawConfig["keys"], "directory">;

/** Every section; one that is not here could be `keys`, mistyped. */
const SECTIONS = {
  iam: true,
  attributes: true,
  names: true,
  ids: true,
  shells: true,
  homes: true,
  keys: true,
  caches: true,
  guard: true,
  schedule: true,
  stale: true,
  state: true,
  ledger: true,
  access: true,
  sudo: true,
  slurm: true,
} as const satisfies Record<keyof RawConfig, true>;

/** Every key of the section `keys`. */
const KEYS = {
  directory: true,
  minRsaBits: true,
  maxPerUser: true,
  allowedOptions: true,
} as const satisfies Record<keyof RawConfig["keys"], true>;

/** Reads a file; throws when it cannot be read at all. */
export async function loadKeysSlice(path: string): Promise<KeysSlice | undefined> {
  return keysSliceOf(await readConfig(path));
}

/** The slice of a text. */
export function keysSliceOf(text: string): KeysSlice | undefined {
  const document = parseYaml(text, { uniqueKeys: true });
  const config = document.errors.length > 0 ? undefined : blockOf(valueOf(document), SECTIONS);
  const keys = config === undefined ? undefined : blockOf(config["keys"] ?? {}, KEYS);
  if (keys === undefined) {
    return undefined;
  }
  const { directory = KEYS_DIRECTORY } = keys;
  const isPath =
    typeof directory === "string" && ABSOLUTE_PATH.every(({ pattern }) => pattern.test(directory));
  return isPath ? { directory } : undefined;
}

/** A block without a key that nobody knows. */
function blockOf(value: unknown, known: object): Record<string, unknown> | undefined {
  const isBlock = typeof value === "object" && value !== null && !Array.isArray(value);
  return isBlock && Object.keys(value).every((name) => Object.hasOwn(known, name)) ? { ...value } : undefined;
}
