/**
 * The little of mdoc(7) that the manual pages need.
 *
 * In: text as the README has it, with `literals` in backticks. Out: lines of a page.
 */

/** Of the pages; they say the same on every machine. */
const DATE = "November 25, 2026";

/** The first lines of a page. */
export function head(title: string, section: number): string[] {
  return [
    '.\\" Made by "npm run words"; edit the sources it names, not this file.',
    `.Dd ${DATE}`,
    `.Dt ${title} ${section}`,
    ".Os Rollcall",
  ];
}

/** Running text: each sentence on a line of its own, as mdoc(7) wants it. */
export function text(words: string): string[] {
  return words
    .replaceAll(/\s+/g, " ")
    .replaceAll(/(?<=[a-z)`"'][.!?]) (?=[A-Z`"$])/g, "\n")
    .split("\n")
    .map((line) =>
      guard(
        line
          .split("`")
          .map((part, nth) => (nth % 2 === 0 ? escapeProse(part) : `\\fB${escape(part)}\\fP`))
          .join(""),
      ),
    );
}

/** A paragraph. */
export function paragraph(words: string): string[] {
  return [".Pp", ...text(words)];
}

/** A list of terms with what each means; a term is given as a macro line without its dot. */
export function terms(items: readonly (readonly [term: string, body: readonly string[]])[]): string[] {
  return [".Bl -tag -width Ds", ...items.flatMap(([term, body]) => [`.It ${term}`, ...body]), ".El"];
}

/** Lines as they are typed. */
export function literal(lines: readonly string[]): string[] {
  return [".Bd -literal -offset indent", ...lines.map((line) => guard(escape(line))), ".Ed"];
}

/** One argument of a macro, whatever is in it. */
export function argument(word: string): string {
  const escaped = escape(word).replaceAll('"', "\\(dq");
  const safe = /^[A-Z%][A-Za-z0-9]{0,2}$|^[.,:;()[\]?!|]/.test(escaped) ? `\\&${escaped}` : escaped;
  return /\s/.test(safe) ? `"${safe}"` : safe;
}

/** What is typed: hyphens stay hyphens, whatever the reader's terminal makes of them. */
function escape(word: string): string {
  return escapeProse(word).replaceAll(/(?<!\\)-/g, "\\-");
}

function escapeProse(word: string): string {
  return word
    .replaceAll("\\", "\\e")
    .replaceAll("--", "\\-\\-")
    .replaceAll("–", "\\(en")
    .replaceAll("…", "...")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti");
}

/** A dot at the beginning of a line would be a macro. */
function guard(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
