/**
 * How much room text takes on a terminal, and how it is cut to fit.
 *
 * In: text without control characters. Out: columns, or text that has no more of them. Terminals do not agree on every character; where
 * they differ the wider answer is taken, so that nothing ever runs over.
 */

/** Characters of two columns: East Asian wide and full-width ones, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** The sign that makes a picture of the character before it, which is then two columns, is taken for one. */
const COMBINING = /(?!\ufe0f)\p{M}|\p{Cf}/u;

/** In columns. */
export function widthOf(text: string): number {
  return Array.from(text).reduce((width, character) => width + widthOfOne(character), 0);
}

function widthOfOne(character: string): number {
  return COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** At most so many columns; what is cut ends with `…`. */
export function cutTo(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : `${startOf(text, columns - 1)}…`;
}

function startOf(text: string, columns: number): string {
  let left = columns;
  let start = "";
  for (const character of text) {
    left -= widthOfOne(character);
    if (left < 0) {
      break;
    }
    start += character;
  }
  return start;
}

/** Filled up with blanks. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

/** Lines of whole words; a word that is longer than a line is broken. */
export function wrapTo(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((long) => piecesOf(long, columns))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOf(longer) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

function piecesOf(word: string, columns: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (widthOf(rest) > columns) {
    // Never nothing, however wide the first character is.
    const piece = startOf(rest, columns) || String.fromCodePoint(rest.codePointAt(0) ?? 0x20);
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}

const PLAIN: Readonly<Record<string, string>> = {
  "●": "*",
  "✖": "x",
  "·": "|",
  "…": "~",
  "–": "-",
  "→": ">",
};

/** For a terminal that shows nothing else: signs get their nearest in ASCII, every other character a question mark. */
export function toAscii(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => PLAIN[character] ?? "?".repeat(widthOfOne(character)));
}
