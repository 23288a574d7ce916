/**
 * The grammar of one authorized_keys line (sshd(8), AUTHORIZED_KEYS FILE FORMAT): its four parts.
 *
 * In: one line without a line break. Out: the parts, or undefined. Never judges whether the key is good.
 */

/** `options type blob comment`; options and comment may be empty. */
export interface KeyLineParts {
  readonly options: string;
  readonly type: string;
  readonly blob: string;
  readonly comment: string;
}

const KEY_TYPE = /^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+$/;

/** Splits a line into its parts; undefined when it has no key type or no blob. */
export function splitKeyLine(line: string): KeyLineParts | undefined {
  const trimmed = line.trim();
  const first = endOfWord(trimmed);
  if (KEY_TYPE.test(trimmed.slice(0, first))) {
    return partsAfterOptions("", trimmed);
  }
  return partsAfterOptions(trimmed.slice(0, first), trimmed.slice(first).trimStart());
}

/** What makes two lines the same grant: everything but the comment. */
export function grantOf(line: string): string {
  const parts = splitKeyLine(line);
  return parts === undefined ? line : `${parts.options} ${parts.type} ${parts.blob}`;
}

function partsAfterOptions(options: string, rest: string): KeyLineParts | undefined {
  const match = /^(\S+)[ \t]+(\S+)(?:[ \t]+(.*))?$/s.exec(rest);
  if (match === null) {
    return undefined;
  }
  const [, type = "", blob = "", comment = ""] = match;
  return KEY_TYPE.test(type) ? { options, type, blob, comment } : undefined;
}

/** The index of the first blank outside double quotes. A backslash escapes a quote and nothing else, as sshd reads it. */
function endOfWord(text: string): number {
  let quoting = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === "\\" && text[index + 1] === '"') {
      index += 1;
    } else if (character === '"') {
      quoting = !quoting;
    } else if (!quoting && (character === " " || character === "\t")) {
      return index;
    }
  }
  return text.length;
}
