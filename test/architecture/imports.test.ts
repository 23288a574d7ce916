/**
 * The import law: which room may import which, and who may open a door to the outside.
 */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";

const SRC = new URL("../../src/", import.meta.url).pathname;

/** By room: the rooms it may import besides itself. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  model: [],
  formats: ["model"],
  validate: ["model"],
  plan: ["model", "formats"],
  migrate: ["model", "formats"],
  doctor: ["model", "formats"],
  platform: ["model"],
  config: ["model", "platform"],
  source: ["model", "platform"],
  report: ["model", "platform"],
  apply: ["model", "platform", "formats"],
  observe: ["model", "formats", "platform"],
  setup: ["model", "formats", "platform"],
  daemon: [
    "model",
    "formats",
    "validate",
    "plan",
    "platform",
    "config",
    "source",
    "report",
    "apply",
    "observe",
    "migrate",
    "doctor",
  ],
  cli: ["model", "platform", "config", "daemon", "report", "setup"],
  // `..` is package.json, which knows the version.
  "main.ts": ["model", "cli", ".."],
};

/** Rooms without any built-in module: they could run in a browser. */
const PURE = ["model", "formats", "validate", "plan", "migrate", "doctor"];

/** Built-in modules that reach outside the process; only `platform/` may import them. */
const HELD =
  /^node:(?:fs|fs\/promises|child_process|net|http|https|tls|dgram|dns|timers|timers\/promises|zlib|os|cluster|worker_threads)$/;

/** Packages that only these rooms may import. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  undici: ["platform"],
  pino: ["platform"],
  chokidar: ["platform"],
  "node-cron": ["platform"],
  systeminformation: ["platform"],
  "prom-client": ["report"],
  commander: ["cli"],
  yaml: ["config", "migrate"],
};

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly isDynamic: boolean;
}

const files = globSync("**/*.ts", { cwd: SRC }).sort();
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), "utf8");
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|(import)\("([^"]+)"\)|(?:^|\n)import\s+"([^"]+)"/g,
  );
  return [...found].map(([, from, dynamic, called, bare]) => ({
    file,
    room: roomOf(file),
    target: from ?? called ?? bare ?? "",
    isDynamic: dynamic !== undefined,
  }));
}

function roomOf(file: string): string {
  return file.split("/")[0] ?? "";
}

function breaches(breaks: (one: Import) => boolean): string[] {
  return imports.filter(breaks).map(({ file, target }) => `${file} imports ${target}`);
}

describe("the import law", () => {
  it("knows every room, and every room of the law is there", () => {
    assert.deepEqual([...new Set(files.map(roomOf))].sort(), Object.keys(LAW).sort());
  });

  it("sees the imports it judges", () => {
    assert.ok(imports.length > 200, `only ${imports.length} imports found`);
    assert.ok(imports.some(({ isDynamic }) => isDynamic));
  });

  it("lets a room import only the rooms beside its name", () => {
    const found = breaches(({ file, room, target }) => {
      const other = target.startsWith(".") ? roomOf(relative(SRC, join(SRC, dirname(file), target))) : room;
      return other !== room && !LAW[room]?.includes(other);
    });

    assert.deepEqual(found, []);
  });

  it("keeps the pure rooms free of every built-in module", () => {
    assert.deepEqual(
      breaches(({ room, target }) => PURE.includes(room) && isBuiltin(target)),
      [],
    );
  });

  it("keeps the doors to the outside in platform", () => {
    assert.deepEqual(
      breaches(({ room, target }) => room !== "platform" && HELD.test(target)),
      [],
    );
  });

  it("keeps a package in the rooms that own it", () => {
    assert.deepEqual(
      breaches(({ room, target }) => KEPT[target]?.includes(room) === false),
      [],
    );
  });

  it("allows dynamic imports in cli alone", () => {
    assert.deepEqual(
      breaches(({ room, isDynamic }) => isDynamic && room !== "cli"),
      [],
    );
  });

  it("writes node: before the name of every built-in module", () => {
    assert.deepEqual(
      breaches(({ target }) => isBuiltin(target) && !target.startsWith("node:")),
      [],
    );
  });
});

describe("every file", () => {
  const sources = files.map((file) => ({ file, text: readFileSync(join(SRC, file), "utf8") }));

  it("opens with what comes in, what goes out, or what it never does", () => {
    assert.deepEqual(
      sources
        .filter(({ text }) => !/^(?:#!.*\n)?\/\*\*\n \* [A-Za-z`0-9]/.test(text))
        .map(({ file }) => file),
      [],
    );
  });

  it("has a docstring before everything it exports", () => {
    const bare = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/(?<=\n)([^\n]*)\nexport (?:async )?(?:function|class|interface) (\w+)/g)]
        .filter(([, before = ""]) => !before.endsWith("*/") && !before.startsWith("//"))
        .map(([, , name]) => `${file}: ${name}`),
    );

    assert.deepEqual(bare, []);
  });

  it("reads the environment and the arguments nowhere but in main.ts", () => {
    const readers = sources
      .filter(({ text }) => /process\.(?:env|argv|exit)\b/.test(text))
      .map(({ file }) => file);

    assert.deepEqual(readers, ["main.ts"]);
  });

  it("asks for the time nowhere but in platform/clock.ts", () => {
    const readers = sources
      .filter(({ text }) => /Date\.now\(|performance\.now\(/.test(text))
      .map(({ file }) => file);

    assert.deepEqual(readers, ["platform/clock.ts"]);
  });
});
