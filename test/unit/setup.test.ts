import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseSetupRecord, renderSetupRecord, type SetupRecord } from "../../src/formats/setup-record.ts";
import {
  keyCommandBySetup,
  keyFilesBySetup,
  parseSshdConfig,
  renderKeyFiles,
  withoutKeyFiles,
} from "../../src/formats/sshd-config.ts";

describe("sshd_config", () => {
  it("is read as sshd reads it: any case, blanks or =, quotes, comments, and Match to the end of the file", () => {
    const text =
      'Port 22\n  authorizedkeysfile="/a b" /c # two\n# Match all\nINCLUDE  one two\nMatch User x\n\tAuthorizedKeysFile none\r\n';

    assert.deepEqual(parseSshdConfig(text), [
      { keyword: "port", args: ["22"], index: 0, isConditional: false },
      { keyword: "authorizedkeysfile", args: ["/a b", "/c"], index: 1, isConditional: false },
      { keyword: "include", args: ["one", "two"], index: 3, isConditional: false },
      { keyword: "match", args: ["User", "x"], index: 4, isConditional: true },
      { keyword: "authorizedkeysfile", args: ["none"], index: 5, isConditional: true },
    ]);
  });

  it("is the same again without the lines that were put at its top", () => {
    const command = fc.constant("/usr/bin/rollcall keys %u");
    const admins = "AuthorizedKeysCommand /usr/bin/other %u\nAuthorizedKeysCommandUser nobody\n";
    const anyText = fc.oneof(fc.string(), fc.constant(admins));
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.constantFrom("/a/%u", ".ssh/b")),
        fc.option(command),
        (text, paths, asks) => {
          const ours = renderKeyFiles(["/keys/%u", ...paths], asks ?? undefined);

          assert.equal(withoutKeyFiles(`${ours}${text}`), text);
          assert.equal(keyCommandBySetup(`${ours}${text}`), asks ?? undefined);
          assert.deepEqual(keyFilesBySetup(`${ours}${text}`), ["/keys/%u", ...paths]);
        },
      ),
    );
  });
});

describe("the record of setup", () => {
  const plain = { noNullPrototype: true };
  const bytes = fc.uint8Array().map((some) => Buffer.from(some));
  const original = fc.record({ bytes, mode: fc.nat(0o7777), uid: fc.nat(), gid: fc.nat() }, plain);
  const file = fc.record(
    {
      kind: fc.constant("file" as const),
      path: fc.string(),
      role: fc.constantFrom("nsswitch" as const, "sshd" as const, "unit" as const, "config" as const),
      original: fc.option(original, { nil: undefined }),
      written: fc.array(fc.string()),
      isEdited: fc.boolean(),
      databases: fc.array(fc.string()),
    },
    plain,
  );
  const directory = fc.record({ kind: fc.constant("directory" as const), path: fc.string() }, plain);
  const records: fc.Arbitrary<SetupRecord> = fc.record({
    isDone: fc.boolean(),
    changes: fc.array(fc.oneof(file, directory), { maxLength: 5 }),
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(records, (record) => {
        const bytes = renderSetupRecord(record);

        const read = parseSetupRecord(bytes);

        assert.deepEqual({ ...read }, { ...record });
      }),
    );
  });

  it("is not believed when it lost its end", () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, cut) => {
        const bytes = renderSetupRecord(record);

        assert.equal(parseSetupRecord(bytes.slice(0, cut % bytes.length)), undefined);
      }),
    );
  });
});
