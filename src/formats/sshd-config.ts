/**
 * sshd_config(5) as far as wiring goes: which line is about what, and under which condition.
 *
 * What the settings come to is for sshd itself to say; this only finds the lines.
 */

/** One line that says something. */
export interface SshdLine {
  /** In lower case. */
  readonly keyword: string;
  readonly args: readonly string[];
  /** Counted from 0. */
  readonly index: number;
  /** Whether it stands in a Match block. */
  readonly isConditional: boolean;
}

/** The lines of a file that are neither empty nor comments. */
export function parseSshdConfig(text: string): SshdLine[] {
  let isConditional = false;
  return text.split("\n").flatMap((line, index) => {
    const [, keyword = "", rest = ""] =
      /^\s*"?([A-Za-z0-9]+)"?(?:\s*=\s*|\s+|$)(.*)$/.exec(line.trimEnd()) ?? [];
    const lowered = keyword.toLowerCase();
    isConditional ||= lowered === "match";
    return keyword === "" ? [] : [{ keyword: lowered, args: wordsOf(rest), index, isConditional }];
  });
}

function wordsOf(rest: string): string[] {
  const words: string[] = [];
  for (const [, quoted, word = ""] of rest.matchAll(/"([^"]*)"|(\S+)/g)) {
    if (quoted === undefined && word.startsWith("#")) {
      break;
    }
    words.push(quoted ?? word);
  }
  return words;
}

const MARK = '# By "rollcall setup"; "rollcall setup --undo" takes it out again.';
const USER = "AuthorizedKeysCommandUser nobody";
const OURS = new RegExp(
  `^${MARK}\\n(?:AuthorizedKeysCommand ([^\\n]*)\\n${USER}\\n)?AuthorizedKeysFile ([^\\n]*)\\n`,
  "m",
);

/**
 * What makes sshd look for keys in these places, and ask this command where there is one: a drop-in of its own, or the
 * first lines of sshd_config.
 */
export function renderKeyFiles(paths: readonly string[], command?: string): string {
  const asking = command === undefined ? "" : `AuthorizedKeysCommand ${command}\n${USER}\n`;
  return `${MARK}\n${asking}AuthorizedKeysFile ${paths.join(" ")}\n`;
}

/** A file without those lines. */
export function withoutKeyFiles(text: string): string {
  return text.replace(OURS, "");
}

/** What those lines name; undefined in a file without them. */
export function keyFilesBySetup(text: string): string[] | undefined {
  const rest = OURS.exec(text)?.[2];
  return rest === undefined ? undefined : wordsOf(rest);
}

/** The command in those lines; undefined without one. */
export function keyCommandBySetup(text: string): string | undefined {
  return OURS.exec(text)?.[1];
}
