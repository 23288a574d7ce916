/**
 * The README says what the code says: every code, key and command, with its default and its remedy.
 */

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { z } from "zod";
import { EXIT } from "../../src/cli/context.ts";
import { parseConfig } from "../../src/config/load.ts";
import { PRESETS } from "../../src/config/presets.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { CHECKS } from "../../src/doctor/checks.ts";
import { PROBLEMS } from "../../src/model/problem.ts";
import { CONDITIONS } from "../../src/report/conditions.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import type { View } from "../../src/report/status.ts";

const A_VIEW: View = {
  version: "x",
  nowMs: 0,
  isReady: true,
  conditions: [],
  failure: undefined,
  record: undefined,
  lastRunAtMs: undefined,
  ageMs: undefined,
  nextRunInMs: undefined,
  isRunning: false,
  configPath: "",
  configMistakes: undefined,
  host: undefined,
  disks: [],
};

const ROOT = new URL("../../", import.meta.url).pathname;
const README = readFileSync(`${ROOT}README.md`, "utf8");
const HOUSE = readFileSync(`${ROOT}src/README.md`, "utf8");
/** How it behaves, not what it promises never to do. */
const WITHOUT_PROMISE: ReadonlySet<string> = new Set([
  "test/integration/daemon.test.ts",
  "test/integration/terminal.test.ts",
  "test/e2e/pod.test.ts",
  "test/full/fresh-clone.test.ts",
]);
const FAILURES = readFileSync(`${ROOT}src/model/failure.ts`, "utf8");

type SchemaNode = z.core.JSONSchema._JSONSchema;

/** Every key with its default, as the README's table has them. */
function keysOf(node: SchemaNode, prefix = ""): [key: string, fallback: unknown][] {
  const properties = typeof node === "object" ? (node.properties ?? {}) : {};
  return Object.entries(properties).flatMap(([name, child]) => {
    const deeper = keysOf(child, `${prefix}${name}.`);
    const fallback = typeof child === "object" ? child.default : undefined;
    return deeper.length > 0 ? deeper : [[`${prefix}${name}`, fallback] as [string, unknown]];
  });
}

describe("src/README.md", () => {
  it("names tests that are there, and each of those that hold a promise on a real node", () => {
    const named = new Set(HOUSE.match(/test\/[\w/-]+\.test\.ts/g));
    const there = globSync("test/{integration,e2e,full}/*.test.ts", { cwd: ROOT });

    assert.deepEqual(
      [...named].filter((file) => !existsSync(`${ROOT}${file}`)),
      [],
    );
    assert.deepEqual(
      there.filter((file) => !named.has(file) && !WITHOUT_PROMISE.has(file)),
      [],
    );
  });
});

describe("the README", () => {
  it("explains every problem code with its remedy", () => {
    const missing = Object.entries(PROBLEMS).filter(
      ([code, { remedy }]) => !README.includes(`| \`${code}\` | `) || !README.includes(remedy),
    );

    assert.deepEqual(
      missing.map(([code]) => code),
      [],
    );
  });

  it("explains every condition with its severity, its delay and its remedy", () => {
    const rows = Object.entries(CONDITIONS).map(([code, { severity, shownAfterMs, title, remedy }]) => {
      const delay =
        shownAfterMs === 0
          ? "at once"
          : shownAfterMs < 60_000
            ? `${shownAfterMs / 1000} s`
            : `${shownAfterMs / 60_000} min`;
      return `| \`${code}\` | ${severity} | ${delay} | ${title}. | ${remedy} |`;
    });

    assert.deepEqual(
      rows.filter((row) => !README.includes(row)),
      [],
    );
    assert.equal(README.match(/^\| `[a-z-]+` \| (?:critical|degraded|notice) \|/gm)?.length, rows.length);
  });

  it("lists every metric with what it says of itself, and no other", async () => {
    const registered = await createMetrics("x").render(A_VIEW, 0);
    const help = [...registered.matchAll(/^# HELP (\w+) (.*)$/gm)].map(
      ([, name, text]) => `| \`${name}\` | ${text} |`,
    );

    assert.ok(help.length > 10);
    assert.deepEqual(
      help.filter((row) => !README.includes(row)),
      [],
    );
    assert.equal(README.match(/^\| `rollcall_/gm)?.length, help.length);
  });

  it("explains every failure code", () => {
    const codes = [...FAILURES.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, code]) => code);

    assert.ok(codes.length > 10);
    assert.deepEqual(
      codes.filter((code) => !README.includes(`| \`${code}\` | `)),
      [],
    );
  });

  it("lists every check of the doctor with what it looks at, in its group, and no other", () => {
    const groups = Map.groupBy(CHECKS, ([, group]) => group);
    const rows = [...groups].map(
      ([group, checks]) =>
        `| ${group} | ${checks.map(([id, , title]) => `\`${id}\` (${title})`).join(", ")} |`,
    );

    assert.deepEqual(
      rows.filter((row) => !README.includes(`\n${row}\n`)),
      [],
    );
  });

  it("explains every exit code", () => {
    assert.deepEqual(
      Object.values(EXIT).filter((code) => !README.includes(`| ${code} | `)),
      [],
    );
  });

  it("lists every key of the configuration with its default, and no other", () => {
    const keys = keysOf(z.toJSONSchema(ConfigSchema, { io: "input" }));
    const table = new Map(
      [...README.matchAll(/^\| `([a-zA-Z]+(?:\.[a-zA-Z]+)+)` \| ([^|]+) \|/gm)].map(([, key, fallback]) => [
        key,
        fallback?.trim(),
      ]),
    );

    const expected = keys.map(([key, fallback]) => [
      key,
      fallback === undefined || fallback === ""
        ? "–"
        : `\`${typeof fallback === "string" ? fallback : JSON.stringify(fallback)}\``,
    ]);
    assert.deepEqual([...table].sort(), expected.sort());
  });

  it("names every preset", () => {
    assert.deepEqual(
      Object.keys(PRESETS).filter((preset) => !README.includes(`\`${preset}\``)),
      [],
    );
  });
});

/** What a file must have; a section alone is shown without it. */
const ENOUGH = `iam: { url: https://iam.example.org/scim }
attributes: { user: { uid: uid, gid: gid }, group: { gid: gid } }
`;

describe("every shipped configuration", () => {
  const examples = [
    ...globSync("packaging/**/*.yaml", { cwd: ROOT }).map(
      (file) => [file, readFileSync(`${ROOT}${file}`, "utf8")] as const,
    ),
    ...[...README.matchAll(/```yaml\n([^]*?)```/g)].map(
      ([, text], index) => [`README block ${index + 1}`, text ?? ""] as const,
    ),
  ];

  it("is there", () => assert.ok(examples.length >= 2));
  for (const [name, text] of examples) {
    it(`is sound: ${name}`, () => {
      const loaded = parseConfig(/^iam:/m.test(text) ? text : `${ENOUGH}${text}`);

      assert.deepEqual(loaded.ok ? [] : loaded.mistakes, []);
    });
  }
});
