/**
 * The keys of rollcall.yaml: as a JSON Schema for editors, and as rows for the manual and the README.
 */

import { z } from "zod";
import { ConfigSchema } from "../../src/config/schema.ts";

type Node = z.core.JSONSchema.JSONSchema;

/** A section: a block of keys, with what it is about. */
export interface Section {
  readonly name: string;
  readonly meaning: string;
  readonly keys: readonly Key[];
}

/** A key that has a value of its own. */
export interface Key {
  /** Dotted; `[]` where it stands in the items of a list. */
  readonly key: string;
  /** In words, with its limits. */
  readonly type: string;
  /** As it would be written; undefined where there is none. */
  readonly fallback: string | undefined;
  readonly meaning: string;
  readonly examples: readonly string[];
}

const tree = z.toJSONSchema(ConfigSchema, { io: "input" });

/** Every section in the order of the schema. */
export function sections(): Section[] {
  return Object.entries(tree.properties ?? {}).map(([name, node]) => ({
    name,
    meaning: meaningOf(node),
    keys: keysOf(node, `${name}.`),
  }));
}

function keysOf(node: Node | boolean, prefix: string): Key[] {
  const properties = typeof node === "object" ? (node.properties ?? {}) : {};
  return Object.entries(properties).flatMap(([name, child]) => {
    const key = `${prefix}${name}`;
    const deeper = keysOf(child, `${key}.`);
    return deeper.length > 0 ? deeper : [keyAt(key, child), ...keysOf(itemOf(child), `${key}[].`)];
  });
}

function keyAt(key: string, node: Node | boolean): Key {
  const { default: fallback, examples = [] } = typeof node === "object" ? node : {};
  return {
    key,
    type: typeOf(node),
    fallback: fallback === undefined || fallback === "" ? undefined : textOf(fallback),
    meaning: meaningOf(node),
    examples: examples.map(textOf),
  };
}

function meaningOf(node: Node | boolean): string {
  const meaning = typeof node === "object" ? node.description : undefined;
  if (meaning === undefined) {
    throw new Error(`a key of rollcall.yaml has no description: ${JSON.stringify(node)}`);
  }
  return meaning;
}

function itemOf(node: Node | boolean): Node | boolean {
  const items = typeof node === "object" ? node.items : undefined;
  return items === undefined || Array.isArray(items) ? false : items;
}

function typeOf(node: Node | boolean): string {
  if (typeof node !== "object") {
    return "anything";
  }
  if (node.enum !== undefined) {
    return `one of ${node.enum.map((value) => `\`${textOf(value)}\``).join(", ")}`;
  }
  if (node.const !== undefined) {
    return `\`${textOf(node.const)}\``;
  }
  if (node.anyOf !== undefined) {
    return node.anyOf.map(typeOf).join(", or ");
  }
  if (node.type === "array") {
    const item = itemOf(node);
    return typeof item === "object" && item.properties !== undefined
      ? "list of blocks"
      : `list of ${PLURALS[typeOf(item)] ?? typeOf(item)}`;
  }
  return node.title ?? WORDS[String(node.type)]?.(node) ?? String(node.type);
}

const PLURALS: Readonly<Record<string, string>> = {
  text: "texts",
  "absolute path": "absolute paths",
  group: "groups",
  name: "names",
};

const WORDS: Readonly<Record<string, (node: Node) => string>> = {
  boolean: () => "`true` or `false`",
  integer: ({ minimum, maximum }) => `whole number, ${minimum} to ${maximum}`,
  string: ({ format }) => (format === "uri" ? "address" : "text"),
};

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The schema for editors: that of the file, and what no single key can say. */
export function renderJsonSchema(): string {
  const { $schema, ...rest } = z.toJSONSchema(ConfigSchema, { io: "input", override: fillIn });
  const title = "rollcall.yaml";
  const description = 'The configuration of Rollcall. "rollcall check" finds what a schema cannot.';
  const schema = { $schema, title, description, ...rest, required: ["iam", "attributes"] };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** By path: what must be there, because nobody but the admin can know it. */
const NEEDED: Readonly<Record<string, object>> = {
  "properties.iam": {
    if: { properties: { source: { const: "file" } }, required: ["source"] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { required: ["usersFile", "groupsFile"] },
    else: { required: ["url"] },
  },
  "properties.attributes": { required: ["user", "group"] },
  "properties.attributes.properties.user": { required: ["uid", "gid"] },
  "properties.attributes.properties.group": { required: ["gid"] },
};

function fillIn({
  jsonSchema,
  path,
}: {
  readonly jsonSchema: object;
  readonly path: readonly (string | number)[];
}): void {
  Object.assign(jsonSchema, NEEDED[path.join(".")]);
}
