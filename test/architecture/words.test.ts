/**
 * One source for each fact: README, `--help`, manual, schema and completion say what the code says, and name nothing else.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { CommanderError } from "commander";
import { parse } from "yaml";
import { derivedFiles } from "../../packaging/words/generate.ts";
import { describeProgram, SILENT } from "../../packaging/words/program.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { WORDS } from "../../src/cli/words.ts";
import { parseConfig } from "../../src/config/load.ts";
import { PROBLEMS } from "../../src/model/problem.ts";
import { CONDITIONS } from "../../src/report/conditions.ts";

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

const derived = Object.entries(await derivedFiles());

describe("what is derived from the code", () => {
  for (const [path, content] of derived) {
    it(`is as "npm run words" makes it: ${path}`, () => {
      const there = readFileSync(`${ROOT}${path}`, "utf8").split("\n");
      const different = content.split("\n").findIndex((line, nth) => line !== there[nth]);

      assert.equal(
        there[different],
        content.split("\n")[different],
        `line ${different + 1}: run "npm run words"`,
      );
      assert.equal(there.join("\n").length, content.length);
    });
  }
});

/** What the real parser says against a line as it is typed in a shell; undefined when it takes it. */
async function refusalOf(line: string): Promise<string | undefined> {
  const program = buildProgram(SILENT, () => undefined);
  program.commands.forEach((command) => command.action(() => undefined));
  const [, ...args] = line
    .trim()
    .replace(/^rollcall help COMMAND$/, "rollcall help sync")
    .split(/\s+/);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    return error instanceof CommanderError && error.exitCode !== 0 ? error.message : undefined;
  }
  return undefined;
}

async function refused(lines: readonly string[]): Promise<string[]> {
  const said = await Promise.all(lines.map(async (line) => [line, await refusalOf(line)] as const));
  return said.flatMap(([line, refusal]) => (refusal === undefined ? [] : `${line}: ${refusal}`));
}

describe("every command", () => {
  const { commands, options } = describeProgram();

  it("has words, and no other has", () => {
    assert.deepEqual(Object.keys(WORDS).sort(), commands.map(({ name }) => name).sort());
  });

  it("shows two to four examples, which the real parser takes, and each is of this command", async () => {
    for (const { name, words } of commands) {
      const lines = words.examples.map(([line]) => line);
      assert.ok(lines.length >= 2 && lines.length <= 4, `${name}: ${lines.length} examples`);
      assert.deepEqual(await refused(lines), []);
      assert.deepEqual(
        lines.filter((line) => line.split(" ")[1] !== name),
        [],
      );
    }
  });

  it("says what it reads and writes, what each exit code means, and what each option and argument is", () => {
    for (const { words, options, arguments: given } of commands) {
      assert.ok(words.reads !== "" && words.writes !== "" && "ok" in words.exits && "failed" in words.exits);
      assert.ok([...options, ...given].every(({ description }) => description !== ""));
    }
  });

  it("has each of its options in an example, in the README or in its own description", () => {
    const shown = [README, ...commands.flatMap(({ words }) => words.examples.map(([line]) => line))].join(
      "\n",
    );
    const all = [...options, ...commands.flatMap((command) => command.options)].map(({ flag }) => flag);

    assert.deepEqual(
      all.filter((flag) => flag !== "--version" && !shown.includes(flag)),
      [],
    );
  });

  it("is called rightly wherever README, messages and remedies name it", async () => {
    const remedies = [...Object.values(PROBLEMS), ...Object.values(CONDITIONS)].map(({ remedy }) => remedy);
    const sources = globSync("src/**/*.ts", { cwd: ROOT }).map((file) =>
      readFileSync(`${ROOT}${file}`, "utf8"),
    );
    const quoted = [...remedies, ...sources].flatMap((text) => [
      ...text.matchAll(/"(rollcall [^"$\\\n]+)"/g),
    ]);
    const spans = [...README.matchAll(/`(rollcall [^`\n]+)`/g)];
    const blocks = [...README.matchAll(/^```\w*\n([^]*?)^```/gm)].flatMap(([, block = ""]) => [
      ...block.matchAll(/^(rollcall(?: [^ #\n]+)+)/gm),
    ]);
    const lines = [...quoted, ...spans, ...blocks].map(([, line = ""]) => line);

    assert.ok(quoted.length > 20 && spans.length > 10 && blocks.length > 5);
    assert.deepEqual(await refused([...new Set(lines)]), []);
  });

  it("that the README gives an option has it", () => {
    const known = new Set(
      [...options, ...commands.flatMap((command) => command.options)].map(({ flag }) => flag),
    );
    const named = [...README.matchAll(/`(--[a-z-]+)/g)].map(([, flag = ""]) => flag);

    assert.deepEqual(
      named.filter((flag) => !known.has(flag)),
      [],
    );
  });
});

/** What a file must have; a section alone is shown without it. */
const ENOUGH = `iam: { url: https://iam.example.org/scim }
attributes: { user: { uid: uid, gid: gid }, group: { gid: gid } }
`;

const examples = [
  ...globSync("packaging/*.yaml", { cwd: ROOT }).map(
    (file) => [file, readFileSync(`${ROOT}${file}`, "utf8")] as const,
  ),
  ...[...README.matchAll(/```yaml\n([^]*?)```/g)].map(
    ([, text], index) => [`README block ${index + 1}`, text ?? ""] as const,
  ),
].map(([name, text]) => [name, /^iam:/m.test(text) ? text : `${ENOUGH}${text}`] as const);

describe("every shipped configuration", () => {
  it("is there", () => assert.ok(examples.length >= 2));
  for (const [name, text] of examples) {
    it(`is sound: ${name}`, () => {
      const loaded = parseConfig(text);

      assert.deepEqual(loaded.ok ? [] : loaded.mistakes, []);
    });
  }
});

describe("the schema for editors", () => {
  const accepts = new Ajv2020({ allErrors: true, strictRequired: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(`${ROOT}packaging/words/rollcall.schema.json`, "utf8")),
  );

  for (const [name, text] of examples) {
    it(`takes ${name}`, () => {
      accepts(parse(text));

      assert.deepEqual(accepts.errors ?? [], []);
    });
  }

  it('and "rollcall check" take an address whatever its case', () => {
    const text = ENOUGH.replace("https", "HTTPS");

    assert.equal(accepts(parse(text)), true);
    assert.equal(parseConfig(text).ok, true);
  });

  const mistakes: readonly (readonly [what: string, text: string])[] = [
    ["an unknown key", `${ENOUGH}guards: {}`],
    ["a key in the wrong block", `${ENOUGH}homes: { pageSize: 3 }`],
    ["a duration without a unit", `${ENOUGH}stale: { warnAfter: 10 }`],
    ["a duration in words", `${ENOUGH}schedule: { every: 1 minute }`],
    ["a cron expression of four fields", `${ENOUGH}schedule: { cron: "* * * *" }`],
    ["a mode without quotes", `${ENOUGH}homes: { mode: 0700 }`],
    ["a relative path", `${ENOUGH}keys: { directory: keys }`],
    ["a path that climbs", `${ENOUGH}keys: { directory: /srv/../etc }`],
    ["a home without the name", `${ENOUGH}homes: { path: /home }`],
    ["homes in a directory of the system", `${ENOUGH}homes: { under: [/etc] }`],
    ["a limit that is none", `${ENOUGH}ids: { min: 0 }`],
    ["a word that is none of the list", `${ENOUGH}caches: { index: sometimes }`],
    ["text where a list is due", `${ENOUGH}access: { login: { groups: research } }`],
    ["a drop-in that sudo does not read", `${ENOUGH}sudo: { file: /etc/sudoers.d/a.conf }`],
    ["a rule of sudo without its group", `${ENOUGH}sudo: { groups: [{ passwordless: true }] }`],
    ["an account in upper case", `${ENOUGH}slurm: { accounts: [{ account: NLP }] }`],
    ["no address", "iam: {}\nattributes: { user: { uid: u, gid: g }, group: { gid: g } }"],
    ["another kind of address", ENOUGH.replace("https", "ftp")],
    ["no lists for the source file", ENOUGH.replace("url: https://iam.example.org/scim", "source: file")],
    ["no attribute for the uid", ENOUGH.replace("uid: uid,", "")],
    ["no attributes", ENOUGH.replace(/attributes[^]*/, "")],
  ];
  for (const [what, text] of mistakes) {
    it(`and "rollcall check" refuse ${what}`, () => {
      assert.equal(accepts(parse(text)), false);
      assert.equal(parseConfig(text).ok, false);
    });
  }

  it("explains every key", () => {
    const nodes = (node: unknown): unknown[] =>
      typeof node === "object" && node !== null ? [node, ...Object.values(node).flatMap(nodes)] : [];
    const blocks = nodes(accepts.schema).flatMap((node) =>
      "properties" in Object(node) && "type" in Object(node) ? [Object(node).properties] : [],
    );
    const silent = blocks.flatMap((block) =>
      Object.entries<{ description?: string }>(block).filter(
        ([, { description = "" }]) => description === "",
      ),
    );

    assert.ok(blocks.length > 15);
    assert.deepEqual(silent, []);
  });
});

describe("the manual pages", () => {
  const skip = spawnSync("mandoc", ["-V"]).error === undefined ? false : "missing: mandoc";

  for (const page of ["rollcall.8", "rollcall.yaml.5"]) {
    it(`pass mandoc's lint: ${page}`, { skip }, () => {
      const { stdout, status } = spawnSync(
        "mandoc",
        ["-T", "lint", "-W", "warning", `${ROOT}packaging/words/${page}`],
        { encoding: "utf8" },
      );

      assert.deepEqual([status, stdout], [0, ""]);
    });
  }
});
