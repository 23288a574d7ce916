/**
 * nsswitch.conf(5): who is asked for a name, in which order, and when the asking ends.
 *
 * In: the text of the file, one character for each byte (latin1). Out: its lines as glibc reads them, or the same text with
 * `cache` in it, where nothing but the added words is new. Adding twice is adding once.
 */

/** What can come of asking a source. */
const STATUSES = ["success", "notfound", "unavail", "tryagain"] as const;
type NssStatus = (typeof STATUSES)[number];
type NssAction = "return" | "continue" | "merge";
type NssActions = Readonly<Record<NssStatus, NssAction>>;

/** One source of a line, and where it stands in the text of the file. */
export interface NssSource {
  readonly name: string;
  /** What happens after each answer; glibc's own rules where the line does not say. */
  readonly actions: NssActions;
  readonly start: number;
  readonly end: number;
  /** Where its `[…]` stands; undefined without one. */
  readonly brackets: { readonly start: number; readonly end: number } | undefined;
}

/** A line about a database. */
export interface NssLine {
  readonly database: string;
  /** Undefined when glibc could not read it: it then uses nothing of the whole file. */
  readonly sources: readonly NssSource[] | undefined;
}

const DEFAULT_ACTIONS: NssActions = {
  success: "return",
  notfound: "continue",
  unavail: "continue",
  tryagain: "continue",
};

/** What Rollcall serves through libnss-cache. */
export const CACHED_DATABASES = ["passwd", "group", "shadow"] as const;
/** How it is called in nsswitch.conf. */
export const CACHE_SOURCE = "cache";

/** The lines of a file that name a database, in their order; glibc takes the last one for each. */
export function parseNsswitch(text: string): NssLine[] {
  const lines: NssLine[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    const content = line.split("#", 1)[0] ?? "";
    const head = /^[ \t\v\f\r]*([^\s:]+)[\s:]+/.exec(`${content} `);
    const database = head?.[1];
    if (head !== null && database !== undefined) {
      lines.push({ database, sources: parseSources(content, head[0].length, start) });
    }
    start += line.length + 1;
  }
  return lines;
}

/** Whom glibc asks for this database; undefined when no line says so, or the line cannot be read. */
export function sourcesOf(lines: readonly NssLine[], database: string): readonly NssSource[] | undefined {
  return lines.findLast((line) => line.database === database)?.sources;
}

/** Whether a source is asked for somebody whom those before it do not know. */
export function isReached(sources: readonly NssSource[], name: string): boolean {
  const at = sources.findIndex((source) => source.name === name);
  return at !== -1 && sources.slice(0, at).every(({ actions }) => actions.notfound !== "return");
}

function parseSources(content: string, from: number, offset: number): NssSource[] | undefined {
  const word = /\s*([^\s[]+)(?:\s*\[([^\]]*)\])?\s*/y;
  const sources: NssSource[] = [];
  word.lastIndex = from + (/^\s*/.exec(content.slice(from))?.[0].length ?? 0);
  while (word.lastIndex < content.length) {
    const begin = word.lastIndex;
    const found = word.exec(content);
    const actions = found === null ? undefined : parseActions(found[2]);
    const [whole = "", name = "", inner] = found ?? [];
    if (actions === undefined) {
      return undefined;
    }
    const start = offset + begin + whole.indexOf(name);
    const end = start + name.length;
    const bracketEnd = offset + begin + whole.trimEnd().length;
    const brackets =
      inner === undefined ? undefined : { start: bracketEnd - inner.length - 2, end: bracketEnd };
    sources.push({ name, actions, start, end, brackets });
  }
  return sources;
}

/** Undefined when they are not what glibc takes. */
function parseActions(inner: string | undefined): NssActions | undefined {
  const actions: Record<NssStatus, NssAction> = { ...DEFAULT_ACTIONS };
  const pairs = inner?.match(/\S+\s*=\s*\S+|\S+/g) ?? [];
  for (const pair of pairs) {
    const [, not, word, then] = /^(!?)(\w+)\s*=\s*(\w+)$/.exec(pair.toLowerCase()) ?? [];
    const action = (["return", "continue", "merge"] as const).find((known) => known === then);
    const status = STATUSES.find((known) => known === word);
    if (status === undefined || action === undefined) {
      return undefined;
    }
    for (const other of STATUSES) {
      if ((other === status) === (not === "")) {
        actions[other] = action;
      }
    }
  }
  return inner !== undefined && pairs.length === 0 ? undefined : actions;
}

/** A file with `cache` in it. */
export interface WithCache {
  readonly text: string;
  /** The databases whose lines were changed or added. */
  readonly wired: readonly string[];
  /** Those whose lines were left alone: they cannot be read, name no local source, or go on after a success. */
  readonly unfit: readonly string[];
  /** Those whose `cache` nobody gets to, because something before it ends the asking. */
  readonly unreached: readonly string[];
}

/** Adds `cache` after the local source wherever it is missing; a line that is missing is added at the end. */
export function addCache(text: string): WithCache {
  const lines = parseNsswitch(text);
  // It need not be there, and then says nothing; where it is, a login gets its groups by it.
  const own = lines.filter(({ database }) => isCached(database) || database === "initgroups");
  const lacking = own.filter(({ sources }) => !sources?.some(({ name }) => name === CACHE_SOURCE));
  const insertions = lacking.flatMap((line) => insertionFor(line) ?? []);
  const missing = CACHED_DATABASES.filter((database) => !own.some((line) => line.database === database));
  const added = withLines(inserted(text, insertions), missing.map(lineFor));
  return {
    text: added,
    wired: unique([...insertions.map(({ database }) => database), ...missing]),
    unfit: unique(lacking.filter((line) => insertionFor(line) === undefined).map(({ database }) => database)),
    unreached: parseNsswitch(added)
      .filter(({ sources }) => sources?.some(({ name }) => name === CACHE_SOURCE))
      .filter(({ sources = [] }) => !isReached(sources, CACHE_SOURCE))
      .map(({ database }) => database),
  };
}

function isCached(database: string): boolean {
  return CACHED_DATABASES.some((known) => known === database);
}

function unique(databases: readonly string[]): string[] {
  return [...new Set(databases)];
}

interface Insertion {
  readonly database: string;
  readonly at: number;
  readonly words: string;
}

/**
 * Undefined where nobody local would be found any more: glibc takes the last answer of a line that goes on after a success,
 * and the cache knows nobody local. Only `initgroups` adds up what all of them say.
 *
 * `files [NOTFOUND=return]` would end before the cache is asked, so it goes before the brackets, which end the asking after
 * it as they did before. Any other brackets stay with `files`; what a success means for those behind is said again.
 */
function insertionFor({ database, sources = [] }: NssLine): Insertion | undefined {
  const local = sources.find(({ name }) => name === "files") ?? sources.find(({ name }) => name === "compat");
  if (local === undefined) {
    return undefined;
  }
  const { actions, brackets, end } = local;
  if (actions.success === "continue" && database !== "initgroups") {
    return undefined;
  }
  const again = actions.success === "return" ? "" : ` ${successRule(actions)}`;
  return actions.notfound === "return" || brackets === undefined
    ? { database, at: end, words: `${again} ${CACHE_SOURCE}` }
    : { database, at: brackets.end, words: ` ${CACHE_SOURCE}${again}` };
}

function successRule({ success }: NssActions): string {
  return `[SUCCESS=${success}]`;
}

function inserted(text: string, insertions: readonly Insertion[]): string {
  return insertions.reduceRight((so, { at, words }) => `${so.slice(0, at)}${words}${so.slice(at)}`, text);
}

/** glibc asks `files` where no line says anything. */
function lineFor(database: string): string {
  return `${`${database}:`.padEnd(16)}files ${CACHE_SOURCE}\n`;
}

function withLines(text: string, lines: readonly string[]): string {
  const ended = text === "" || text.endsWith("\n") || lines.length === 0 ? text : `${text}\n`;
  return `${ended}${lines.join("")}`;
}

/** Takes out of the lines of these databases what `addCache` put there; whatever else is in the file stays. */
export function removeCache(text: string, databases: readonly string[]): string {
  const made = databases.map(lineFor).reduce((so, line) => so.replace(new RegExp(`^${line}`, "m"), ""), text);
  return parseNsswitch(made)
    .filter(({ database }) => databases.includes(database))
    .reduceRight((so, { sources = [] }) => withoutCache(so, sources), made);
}

function withoutCache(text: string, sources: readonly NssSource[]): string {
  const at = sources.findIndex(({ name }) => name === CACHE_SOURCE);
  const cache = sources[at];
  const before = sources[at - 1];
  if (cache === undefined || before === undefined) {
    return text;
  }
  const rule = successRule(before.actions);
  const says = (source: NssSource) => text.slice(source.brackets?.start, source.brackets?.end) === rule;
  const isCopied = before.brackets !== undefined && cache.brackets !== undefined;
  // The brackets behind the cache were those of `files`, or are a copy of them.
  const isBefore = isCopied && cache.actions.notfound === "return" && says(before);
  const isBehind = isCopied && !isBefore && says(cache);
  const start = isBefore ? before.end : (before.brackets?.end ?? before.end);
  const end = isBehind ? (cache.brackets?.end ?? cache.end) : cache.end;
  return `${text.slice(0, start)}${text.slice(end)}`;
}
