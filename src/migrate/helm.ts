/**
 * Finds an nsscache.conf in Helm values: an `nsscacheConfig` anywhere in the document, as a block of INI text or as a mapping
 * of sections.
 *
 * In: YAML text. Out: the same as the INI reader gives, with lines of the YAML file; undefined where there is none.
 */

import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from "yaml";
import { messageOf } from "../model/failure.ts";
import { DEFAULT_SECTION, type Ini, type IniMistake, interpolate, type Option, readIni } from "./ini.ts";

const KEY = "nsscacheConfig";

/** The configuration in Helm values. */
export function readHelmValues(text: string): Ini | undefined {
  try {
    return findIn(text);
  } catch (error) {
    // An alias that leads nowhere, or to more than memory holds, or nesting that the stack does not hold.
    const message = `is the beginning of a YAML file that cannot be read: ${withoutQuotation(messageOf(error))}`;
    return interpolate(new Map(), [{ line: 1, message }]);
  }
}

function findIn(text: string): Ini | undefined {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const found = documents.flatMap((document) => {
    const values: Place[] = [];
    visit(document, {
      Pair: (_, { key, value }) => {
        if (isScalar(key) && key.value === KEY && isNode(value)) {
          const node = isAlias(value) ? value.resolve(document) : value;
          const plain: unknown = value.toJS(document, { maxAliasCount: 50 });
          values.push({ node: isNode(node) ? node : value, plain, line: lineOf(key, lines) });
        }
      },
    });
    return values;
  });
  const [first, ...others] = found.filter(({ plain }) => plain !== null && plain !== undefined);
  if (first === undefined) {
    return undefined;
  }
  const broken = documents.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => ({
      line: lines.linePos(pos[0]).line,
      message: `is no YAML: ${withoutQuotation(message)}`,
    })),
  );
  const different = others
    .filter(({ plain }) => JSON.stringify(plain) !== JSON.stringify(first.plain))
    .map(({ line }) => ({
      line,
      message: `is another ${KEY} than the one in line ${first.line}: take one of them out`,
    }));
  const ini = readPlace(first, lines);
  return { ...ini, mistakes: [...broken, ...different, ...ini.mistakes] };
}

/** What the reader quotes of the file behind a colon may be the token. */
function withoutQuotation(message: string): string {
  return message.replace(/: [^]*$/, "");
}

interface Place {
  readonly node: Node;
  readonly plain: unknown;
  readonly line: number;
}

function readPlace({ node, plain, line }: Place, lines: LineCounter): Ini {
  const block = blockIn(plain, node, lines);
  if (block !== undefined) {
    const { sections, defaults, mistakes } = readIni(block.text);
    const moved = <Value extends { readonly line: number }>(value: Value) => ({
      ...value,
      line: value.line + block.line - 1,
    });
    const movedAll = (options: ReadonlyMap<string, Option>) =>
      new Map([...options].map(([key, option]) => [key, moved(option)]));
    return {
      sections: new Map([...sections].map(([name, options]) => [name, movedAll(options)])),
      defaults: movedAll(defaults),
      mistakes: mistakes.map(moved),
    };
  }
  return readMapping(plain, { node, line }, lines);
}

/** INI text, and the line of the file where it begins: the value itself, or the only text with sections in a mapping. */
function blockIn(
  plain: unknown,
  node: Node,
  lines: LineCounter,
): { readonly text: string; readonly line: number } | undefined {
  if (typeof plain === "string") {
    const isBlock = isScalar(node) && node.type?.startsWith("BLOCK") === true;
    return { text: plain, line: lineOf(node, lines) + (isBlock ? 1 : 0) };
  }
  const inside = isMap(node) && node.items.length === 1 ? node.items[0]?.value : undefined;
  return isScalar(inside) && typeof inside.value === "string" && /^\s*\[/m.test(inside.value)
    ? blockIn(inside.value, inside, lines)
    : undefined;
}

/** `default: { … }`, `passwd: { … }`; values without a section are those of DEFAULT. */
function readMapping(plain: unknown, { node, line }: Omit<Place, "plain">, lines: LineCounter): Ini {
  const mistakes: IniMistake[] = [];
  const written = new Map<string, Map<string, Option>>();
  if (!isObject(plain)) {
    return interpolate(written, [{ line, message: `has neither INI text nor a mapping at ${KEY}` }]);
  }
  const add = (section: string, key: string, [value, at]: readonly [value: unknown, line: number]) => {
    const text = textOf(value);
    if (text === undefined) {
      mistakes.push({ line: at, message: "is neither a value nor a list of values" });
      return;
    }
    const options = written.get(section) ?? new Map<string, Option>();
    options.set(key.toLowerCase(), { value: text, line: at, section });
    written.set(section, options);
  };
  for (const [name, inside] of Object.entries(plain)) {
    const [child, at] = childOf(node, name, lines) ?? [undefined, line];
    if (isObject(inside)) {
      const section = name.toUpperCase() === DEFAULT_SECTION ? DEFAULT_SECTION : name;
      for (const [key, value] of Object.entries(inside)) {
        add(section, key, [value, childOf(child, key, lines)?.[1] ?? at]);
      }
    } else if (inside !== null) {
      add(DEFAULT_SECTION, name, [inside, at]);
    }
  }
  // What a chart makes of a lone % is not known here, so it stays as it is.
  return interpolate(written, mistakes, "keep");
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.map(textOf);
    return texts.includes(undefined) ? undefined : texts.join(",");
  }
  const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return value === null ? "" : isPlain ? String(value) : undefined;
}

/** The node below a key and the line of the key; undefined for what came in by a merge. */
function childOf(
  node: unknown,
  key: string,
  lines: LineCounter,
): readonly [child: unknown, line: number] | undefined {
  const pair = isMap(node)
    ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    : undefined;
  return isPair(pair) && isScalar(pair.key) ? [pair.value, lineOf(pair.key, lines)] : undefined;
}

function lineOf(node: Node, lines: LineCounter): number {
  return lines.linePos(node.range?.[0] ?? 0).line;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
