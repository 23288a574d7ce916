/**
 * Reads INI text as Python's configparser does with its defaults, because that is how nsscache reads its configuration.
 *
 * In: text. Out: the options of each section with their lines, and every mistake, where Python stops at the first.
 */

/** One option as it is written. */
export interface Option {
  readonly value: string;
  readonly line: number;
  /** The section it is written in; an option of DEFAULT holds in every other one too. */
  readonly section: string;
}

/** By key, in lower case. */
export type Options = ReadonlyMap<string, Option>;

/** Something that Python's reader would not take. */
export interface IniMistake {
  readonly line: number;
  readonly message: string;
}

/** A whole file. */
export interface Ini {
  /** By name, without DEFAULT: the options of a section and those of DEFAULT that it does not override, as Python gives them out. */
  readonly sections: ReadonlyMap<string, Options>;
  readonly defaults: Options;
  readonly mistakes: readonly IniMistake[];
}

/** Where options stand that hold in every section. */
export const DEFAULT_SECTION = "DEFAULT";

/** What str.strip() of Python takes away. */
const SPACE = String.raw`[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
const STRIP = new RegExp(`^${SPACE}+|${SPACE}+$`, "g");
const STRIP_END = new RegExp(`${SPACE}+$`);
const INDENT = new RegExp(`^${SPACE}*`);
const HEADER = /^\[(.+)\]/s;

/** A section while it is read: a value is a list of lines. */
type Written = Map<string, { readonly lines: string[]; readonly line: number }>;

interface Reading {
  readonly sections: Map<string, Written>;
  readonly mistakes: IniMistake[];
  current: { readonly name: string; readonly options: Written } | undefined;
  /** The lines of the option that a continuation line belongs to. */
  open: string[] | undefined;
  indent: number;
}

/** Reads a whole file; never throws. */
export function readIni(text: string): Ini {
  const reading: Reading = {
    sections: new Map(),
    mistakes: [],
    current: undefined,
    open: undefined,
    indent: 0,
  };
  text.split(/\r\n|\n|\r/).forEach((line, index) => readLine(reading, line, index + 1));
  const written = new Map([...reading.sections].map(([name, options]) => [name, joined(name, options)]));
  return interpolate(written, reading.mistakes);
}

function readLine(reading: Reading, line: string, number: number): void {
  const text = line.replace(STRIP, "");
  if (text === "" || text.startsWith("#") || text.startsWith(";")) {
    if (text === "") {
      reading.open?.push("");
    }
    return;
  }
  const indent = INDENT.exec(line)?.[0].length ?? 0;
  if (reading.open !== undefined && indent > reading.indent) {
    reading.open.push(text);
    return;
  }
  reading.indent = indent;
  const header = HEADER.exec(text)?.[1];
  if (header !== undefined) {
    beginSection(reading, header, number);
  } else if (reading.current === undefined) {
    reading.mistakes.push({ line: number, message: "stands before the first [section]" });
  } else {
    readOption(reading, text, number);
  }
}

function beginSection(reading: Reading, name: string, line: number): void {
  const known = reading.sections.get(name);
  if (known !== undefined && name !== DEFAULT_SECTION) {
    reading.mistakes.push({ line, message: "begins a section that is there already" });
  }
  const options: Written = known ?? new Map();
  reading.sections.set(name, options);
  reading.current = { name, options };
  reading.open = undefined;
}

function readOption(reading: Reading, text: string, line: number): void {
  const { current, mistakes } = reading;
  const delimiter = text.search(/[=:]/);
  const key = text.slice(0, Math.max(0, delimiter)).replace(STRIP_END, "").toLowerCase();
  if (current === undefined || delimiter < 0 || key === "") {
    mistakes.push({ line, message: "is neither a [section] nor a key with = or : behind it" });
    return;
  }
  if (current.options.has(key)) {
    mistakes.push({ line, message: "sets a key that this section has already" });
  }
  reading.open = [text.slice(delimiter + 1).replace(STRIP, "")];
  current.options.set(key, { lines: reading.open, line });
}

function joined(section: string, options: Written): Map<string, Option> {
  return new Map(
    [...options].map(([key, { lines, line }]) => [
      key,
      { value: lines.join("\n").replace(STRIP_END, ""), line, section },
    ]),
  );
}

/** Fills in `%(name)s` and `%%`, each section with its own options over those of DEFAULT. */
export function interpolate(
  written: ReadonlyMap<string, Options>,
  found: readonly IniMistake[],
  onFault: "mistake" | "keep" = "mistake",
): Ini {
  const defaults: Options = written.get(DEFAULT_SECTION) ?? new Map();
  const mistakes = [...found];
  const filled = (options: Options): Options =>
    new Map(
      [...options].map(([key, option]) => {
        const value = filledIn(option.value, options);
        if (value === undefined && onFault === "mistake") {
          const message = "has a % that is neither %% nor the name of another key, as in %(name)s";
          mistakes.push({ line: option.line, message });
        }
        return [key, { ...option, value: value ?? option.value }];
      }),
    );
  const sections = [...written].filter(([name]) => name !== DEFAULT_SECTION);
  return {
    sections: new Map(sections.map(([name, options]) => [name, filled(new Map([...defaults, ...options]))])),
    defaults: filled(defaults),
    mistakes,
  };
}

const MAX_DEPTH = 10;
/** Of one value: names that stand for names could make a short file a long value, or a long time. */
const MAX_PARTS = 1000;
const MAX_LENGTH = 64 * 1024;
const REFERENCE = /%(?:(%)|\(([^)]+)\)s|)/g;

/** Undefined where Python would refuse the value, or it never ends. */
function filledIn(value: string, options: Options): string | undefined {
  let parts = 0;
  const fill = (text: string, depth: number): string | undefined => {
    let filled = "";
    let from = 0;
    for (const match of text.matchAll(REFERENCE)) {
      const [whole, percent, name = ""] = match;
      parts += 1;
      const named = options.get(name.toLowerCase())?.value;
      const part = percent ?? (named !== undefined && depth < MAX_DEPTH ? fill(named, depth + 1) : undefined);
      if (part === undefined || parts > MAX_PARTS || filled.length > MAX_LENGTH) {
        return undefined;
      }
      filled += text.slice(from, match.index) + part;
      from = match.index + whole.length;
    }
    return filled + text.slice(from);
  };
  return fill(value, 0);
}
