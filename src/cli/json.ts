/**
 * How `--json` prints.
 */

/** JSON on one line in which nothing unprintable is left: terminals obey more characters than JSON escapes. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
