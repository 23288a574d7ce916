/**
 * How a value from outside is shown to people: never as itself.
 */

/** JSON has no word for some values, and none for what is nested too deeply for the stack. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "(a value that cannot be shown)";
  }
}

const QUOTED_LENGTH = 60;

/** Shows a value from outside in a message: JSON, cut at 60 characters, every unprintable character escaped. */
export function quoted(value: unknown): string {
  const text = textOf(value);
  const cut = text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
  return cut.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
