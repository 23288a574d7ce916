/**
 * The README says what the code says: every code, key and command, with its default and its remedy.
 */

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { derivedFiles } from "../../packaging/words/generate.ts";
import { parseConfig } from "../../src/config/load.ts";

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
      assert.equal(readFileSync(`${ROOT}${path}`, "utf8"), content);
    });
  }
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
