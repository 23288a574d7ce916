/**
 * The lock file is complete on every platform, so that every npm takes it.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const text = readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8");
const packages: Readonly<Record<string, Locked>> = JSON.parse(text).packages;

describe("the lock file", () => {
  it("has an entry for every optional package, or npm ci refuses it", () => {
    const wanted = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).map((name) => ({ parent, name })),
    );

    const missing = wanted.filter(
      ({ parent, name }) => !packages[`node_modules/${name}`] && !packages[`${parent}/node_modules/${name}`],
    );
    assert.ok(wanted.length > 40);
    assert.deepEqual(missing, []);
  });

  it("names no place to download from", () => {
    assert.doesNotMatch(text, /"resolved"|https?:\/\/[^"]*\.tgz/);
  });
});
