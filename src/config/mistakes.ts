/**
 * Turns what is wrong with a configuration into one line each: where, what, and the nearest valid name.
 */

import { type Document, isMap, isNode, isPair, isScalar, type LineCounter, visit } from "yaml";
import * as z from "zod";
import { nearest } from "../model/nearest.ts";
import { quoted } from "../model/quoted.ts";
import { ConfigSchema } from "./schema.ts";

/** One thing that is wrong. `line` is undefined where a key is missing. */
export interface Mistake {
  readonly line: number | undefined;
  /** Dotted, as in the README: `iam.pageSize`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
  /** Of an unknown key: which one was likely meant, dotted. */
  readonly meant?: string;
}

/** Where keys stand in a YAML document. */
export interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

/** From the first line to the last, then what has none. A key that is missing but there under a mistyped name is told once, at that name. */
export function inOrder(mistakes: readonly Mistake[], { document }: Source): readonly Mistake[] {
  const isThere = ({ message, key }: Mistake) =>
    message.startsWith("is missing: ") &&
    mistakes.some(
      ({ key: typed, meant }) =>
        meant !== undefined &&
        (key === meant || key.startsWith(`${meant}.`)) &&
        document.hasIn(`${typed}${key.slice(meant.length)}`.split(".")),
    );
  const lineOrLast = ({ line }: Mistake) => line ?? Number.MAX_SAFE_INTEGER;
  return mistakes
    .filter((mistake) => !isThere(mistake))
    .toSorted((one, other) => lineOrLast(one) - lineOrLast(other));
}

type Path = readonly PropertyKey[];

/** All the mistakes behind one zod issue. */
export function mistakesOf(issue: z.core.$ZodIssue, source: Source): Mistake[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...issue.path, key], source));
  }
  return [mistakeAt(issue.path, messageOf(issue, source), source)];
}

/** A mistake at a key, with its line. */
export function mistakeAt(path: Path, message: string, source: Source): Mistake {
  return { line: lineOf(path, source), key: dotted(path), message };
}

/** Keys that stand twice in one block: YAML would take the last, and nobody can tell which was meant. */
export function duplicatesIn({ document, lines }: Source): Mistake[] {
  const mistakes: Mistake[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const first = new Map<unknown, number | undefined>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        const offset = isNode(key) ? key.range?.[0] : undefined;
        const line = offset === undefined ? undefined : lines.linePos(offset).line;
        if (first.has(name)) {
          const path = [...ancestors.flatMap(nameOf), name].map(String).join(".");
          const message = `is here twice, also in line ${first.get(name)}: keep one`;
          mistakes.push({ line, key: path, message });
        } else {
          first.set(name, line);
        }
      }
    },
  });
  return mistakes;
}

function nameOf(node: unknown): unknown[] {
  return isPair(node) && isScalar(node.key) ? [node.key.value] : [];
}

function unknownKey(path: Path, source: Source): Mistake {
  const valid = keysAt(path.slice(0, -1));
  const name = String(path.at(-1));
  const near = nearest(name, valid);
  const meant = near === undefined ? keysElsewhere(name) : [dotted([...path.slice(0, -1), near])];
  const hint =
    meant.length === 0
      ? `the keys here are ${valid.join(", ")}`
      : `did you mean ${near ?? meant.join(" or ")}?`;
  const mistake = mistakeAt(path, `unknown key; ${hint}`, source);
  const [only, ...others] = meant;
  return only === undefined || others.length > 0 ? mistake : { ...mistake, meant: only };
}

function dotted(path: Path): string {
  return path.map(String).join(".");
}

function messageOf(issue: z.core.$ZodIssue, { document }: Source): string {
  const value: unknown = document.getIn(issue.path);
  const isSecret = String(issue.path.at(-1)).endsWith("File");
  const found = isNode(value) || isSecret ? "" : `, not ${quoted(value)}`;
  if (issue.code === "invalid_type" && issue.message.startsWith("Invalid input")) {
    const type = TYPE_WORDS[issue.expected] ?? issue.expected;
    return value === undefined ? `is missing: ${type}` : `must be ${type}${found}`;
  }
  if (issue.code === "too_small") {
    return issue.origin === "array" ? "must not be empty" : `must be at least ${issue.minimum}${found}`;
  }
  if (issue.code === "too_big") {
    return `must be at most ${issue.maximum}${found}`;
  }
  if (issue.code === "invalid_value") {
    return `must be one of ${issue.values.join(", ")}${found}${meantValue(value, issue.values.map(String))}`;
  }
  return `${issue.message}${found}`;
}

function meantValue(value: unknown, values: readonly string[]): string {
  const meant = typeof value === "string" ? nearest(value, values) : undefined;
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a block of keys",
};

type SchemaNode = z.core.JSONSchema._JSONSchema;

function schemaTree(): SchemaNode {
  return z.toJSONSchema(ConfigSchema, { io: "input" });
}

function childrenOf(node: SchemaNode | undefined): Readonly<Record<string, SchemaNode>> {
  return typeof node === "object" ? (node.properties ?? {}) : {};
}

function itemsOf(node: SchemaNode | undefined): SchemaNode | undefined {
  const items = typeof node === "object" ? node.items : undefined;
  return Array.isArray(items) ? undefined : items;
}

/** The keys that may stand below a path. */
function keysAt(path: Path): readonly string[] {
  const node = path.reduce<SchemaNode | undefined>(
    (current, key) => (typeof key === "number" ? itemsOf(current) : childrenOf(current)[String(key)]),
    schemaTree(),
  );
  return Object.keys(childrenOf(node));
}

/** Keys of exactly this name in other blocks: people indent wrongly as often as they mistype. */
function keysElsewhere(name: string): readonly string[] {
  return allPaths(schemaTree(), "").filter((path) => path.split(".").at(-1) === name);
}

function allPaths(node: SchemaNode, prefix: string): string[] {
  return Object.entries(childrenOf(node)).flatMap(([key, child]) => [
    `${prefix}${key}`,
    ...allPaths(child, `${prefix}${key}.`),
  ]);
}

/** Where a key stands; where it is missing from an item of a list, the line of the item. */
function lineOf(path: Path, source: Source): number | undefined {
  const { document, lines } = source;
  if (path.length === 0 || !document.hasIn(path)) {
    const isOfItem = typeof path.at(-2) === "number";
    return isOfItem ? lineOf(path.slice(0, -1), source) : undefined;
  }
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))
    : undefined;
  const node = isPair(pair) && isNode(pair.key) ? pair.key : document.getIn(path, true);
  const offset = isNode(node) ? node.range?.[0] : undefined;
  return offset === undefined ? undefined : lines.linePos(offset).line;
}
