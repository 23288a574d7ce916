/**
 * Reads rollcall.yaml: in, a path; out, frozen settings, or every mistake at once.
 */

import { LineCounter } from "yaml";
import type * as z from "zod";
import { Failure } from "../model/failure.ts";
import { duplicatesIn, inOrder, type Mistake, mistakeAt, mistakesOf, type Source } from "./mistakes.ts";
import { parseYaml, readConfig, valueOf } from "./read.ts";
import { ConfigSchema, type RawConfig } from "./schema.ts";
import { crossMistakes, type Settings, settingsFrom } from "./settings.ts";

/** A file that is sound, or what is wrong with it. */
export type Loaded =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Reads and checks a file; throws only when it cannot be read at all. */
export async function checkConfig(path: string): Promise<Loaded> {
  return parseConfig(await readConfig(path));
}

/** The settings of a file; throws with every mistake in it. */
export async function loadConfig(path: string): Promise<Settings> {
  return (await loadConfigText(path)).settings;
}

/** The settings of a file and its text, which may be another one a moment later; throws with every mistake in it. */
export async function loadConfigText(
  path: string,
): Promise<{ readonly settings: Settings; readonly text: string }> {
  const text = await readConfig(path);
  const loaded = parseConfig(text);
  if (loaded.ok) {
    return { settings: loaded.settings, text };
  }
  const lines = loaded.mistakes.map((mistake) => `  ${renderMistake(path, mistake)}`);
  throw new Failure(
    "config-invalid",
    [`The configuration has ${lines.length} mistake(s); nothing was done:`, ...lines].join("\n"),
  );
}

/** `rollcall.yaml:7: iam.pagesize: unknown key; did you mean pageSize?` */
export function renderMistake(path: string, { line, key, message }: Mistake): string {
  const where = line === undefined ? path : `${path}:${line}`;
  return `${where}: ${key === "" ? "" : `${key}: `}${message}`;
}

/** Compiling a faster way through the schema takes longer than going through it once. */
const ONCE = { jitless: true };

/** Checks the text of a file. */
export function parseConfig(text: string): Loaded {
  const lines = new LineCounter();
  // Keys that are there twice are found below, with everything else that is wrong.
  const document = parseYaml(text, { lineCounter: lines });
  const source: Source = { document, lines };
  if (document.errors.length > 0) {
    const mistakes = document.errors.map((error) => ({
      line: lines.linePos(error.pos[0]).line,
      key: "",
      message: error.message,
    }));
    return { ok: false, mistakes };
  }
  const raw: unknown = valueOf(document);
  const parsed = ConfigSchema.safeParse(raw, ONCE);
  const single = parsed.success ? [] : parsed.error.issues.flatMap((issue) => mistakesOf(issue, source));
  const config = parsed.data ?? soundPartOf(raw, parsed.error?.issues ?? []);
  const crossed = (config === undefined ? [] : crossMistakes(config))
    .map(({ path, message }) => mistakeAt(path, message, source))
    .filter(({ key }) => !single.some((mistake) => mistake.key === key));
  const mistakes = inOrder([...duplicatesIn(source), ...single, ...crossed], source);
  if (config === undefined || mistakes.length > 0) {
    return { ok: false, mistakes };
  }
  return { ok: true, settings: settingsFrom(config) };
}

/**
 * The same file as if nobody had written what is wrong, so that the rest can be checked in the same go. Where leaving
 * out a value is a mistake of its own, as in a rule that must have it, its whole section is left out.
 */
function soundPartOf(raw: unknown, issues: readonly z.core.$ZodIssue[]): RawConfig | undefined {
  const paths = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  );
  const first = ConfigSchema.safeParse(without(raw, paths));
  if (first.success) {
    return first.data;
  }
  const sections = [...paths, ...first.error.issues.map(({ path }) => path)].map((path) => path.slice(0, 1));
  return ConfigSchema.safeParse(without(raw, sections)).data;
}

function without(raw: unknown, paths: readonly (readonly PropertyKey[])[]): unknown {
  const copy: unknown = structuredClone(raw);
  for (const path of paths) {
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((value, key) => (isObject(value) ? value[String(key)] : undefined), copy);
    if (isObject(parent)) {
      delete parent[String(path.at(-1))];
    }
  }
  return copy;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
