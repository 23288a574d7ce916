/**
 * What `rollcall keys` reads of the configuration is what the whole schema reads, or is left to it.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { keysSliceOf } from "../../src/config/keys-slice.ts";
import { parseConfig } from "../../src/config/load.ts";

const SOUND = readFileSync(new URL("../../packaging/rollcall.yaml", import.meta.url), "utf8");

describe("the slice of the configuration for the keys of a user", () => {
  for (const text of [SOUND, `${SOUND}\nkeys: { directory: /mnt/keys, maxPerUser: 3 }\n`]) {
    it(`says what the whole schema says: ${text.split("\n").at(-2)}`, () => {
      const whole = parseConfig(text);

      assert.equal(keysSliceOf(text)?.keys.directory, whole.ok ? whole.settings.keys.directory : "refused");
    });
  }

  for (const wrong of [
    "key: { directory: /mnt/keys }",
    "keys: { directroy: /mnt/keys }",
    "keys: { directory: mnt/keys }",
    "keys: { directory: /mnt/../keys }",
    "keys: { directory: 7 }",
    "keys: [/mnt/keys]",
    "keys: { directory: /mnt/keys }\nkeys: { directory: /mnt/others }",
    "keys: { directory: /mnt/keys, directory: /mnt/others }",
    "keys: { directory: /mnt/keys",
    "homes:\n  create: true\n keys:\n  directory: /mnt/keys",
  ]) {
    it(`leaves to the whole schema, which refuses it: ${JSON.stringify(wrong)}`, () => {
      assert.equal(keysSliceOf(`${SOUND}\n${wrong}\n`), undefined);
      assert.equal(parseConfig(`${SOUND}\n${wrong}\n`).ok, false);
    });
  }

  it("does not mind a mistake elsewhere, which takes nobody's keys away", () => {
    assert.equal(
      keysSliceOf("iam: { pageSize: many }\nkeys: { directory: /mnt/keys }\n")?.keys.directory,
      "/mnt/keys",
    );
  });
});
