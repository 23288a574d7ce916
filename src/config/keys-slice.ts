/**
 * The keys of rollcall.yaml that `rollcall keys` goes by, read without the whole schema, because sshd waits for it.
 *
 * In: a path. Out: the slice, or undefined for a file that is for the whole schema to judge: whatever is not plainly right
 * in what this slice depends on. A mistake in another section takes nobody's keys away.
 */

import { ABSOLUTE_PATH, CACHES_DIRECTORY, KEYS_DIRECTORY } from "./defaults.ts";
import { parseYaml, readConfig, valueOf } from "./read.ts";
import type { RawConfig } from "./schema.ts";

/** What `rollcall keys` goes by. */
export interface KeysSlice {
  readonly keys: Pick<RawConfig["keys"], "files" | "directory">;
  readonly caches: Pick<RawConfig["caches"], "directory">;
}

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
  files: true,
  directory: true,
  minRsaBits: true,
  maxPerUser: true,
  allowedOptions: true,
} as const satisfies Record<keyof RawConfig["keys"], true>;

/** Every key of the section `caches`. */
const CACHES = { directory: true, index: true } as const satisfies Record<keyof RawConfig["caches"], true>;

/** Reads a file; throws when it cannot be read at all. */
export async function loadKeysSlice(path: string): Promise<KeysSlice | undefined> {
  return keysSliceOf(await readConfig(path));
}

/** The slice of a text. */
export function keysSliceOf(text: string): KeysSlice | undefined {
  const document = parseYaml(text, { uniqueKeys: true });
  const config = document.errors.length > 0 ? undefined : blockOf(valueOf(document), SECTIONS);
  const keys = config && blockOf(config["keys"] ?? {}, KEYS);
  const caches = config && blockOf(config["caches"] ?? {}, CACHES);
  if (keys === undefined || caches === undefined) {
    return undefined;
  }
  const { files = true, directory = KEYS_DIRECTORY } = keys;
  const { directory: maps = CACHES_DIRECTORY } = caches;
  return typeof files === "boolean" && isPath(directory) && isPath(maps)
    ? { keys: { files, directory }, caches: { directory: maps } }
    : undefined;
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && ABSOLUTE_PATH.every(({ pattern }) => pattern.test(value));
}

/** A block without a key that nobody knows. */
function blockOf(value: unknown, known: object): Record<string, unknown> | undefined {
  const isBlock = typeof value === "object" && value !== null && !Array.isArray(value);
  return isBlock && Object.keys(value).every((name) => Object.hasOwn(known, name)) ? { ...value } : undefined;
}
