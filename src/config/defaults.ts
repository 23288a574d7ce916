/**
 * What the schema says of where keys are, for `rollcall keys` as well, which does without the schema.
 */

/** Where key files are unless the file says otherwise. */
export const KEYS_DIRECTORY = "/etc/ssh/authorized_keys.d";

/** Where the maps are unless the file says otherwise. */
export const CACHES_DIRECTORY = "/etc";

/** What a path in normal form matches, and what is said of one that does not. */
export const ABSOLUTE_PATH = [
  {
    pattern: /^\/(?:[^/\0\n:]+(?:\/[^/\0\n:]+)*)?$/,
    message: "must be an absolute path without a slash at its end",
  },
  { pattern: /^(?!.*\/\.{1,2}(?:\/|$))/, message: 'must not contain "." or ".."' },
] as const;
