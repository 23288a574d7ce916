import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSshkey } from "../../src/formats/sshkey.ts";

describe("sshkey.cache", () => {
  it("reads the Python list that nsscache writes", () => {
    const line = `ada:['ssh-ed25519 AAAA ada\\'s \\u00e9', "b's key", 'tab\\there']\n`;

    const records = parseSshkey(Buffer.from(line));

    assert.deepEqual(records, [{ name: "ada", keys: ["ssh-ed25519 AAAA ada's é", "b's key", "tab\there"] }]);
  });
});
