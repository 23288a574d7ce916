import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isOurs, parseAuthorizedKeys, renderAuthorizedKeys } from "../../src/formats/authorized-keys.ts";
import { parseGroup, renderGroup } from "../../src/formats/group.ts";
import { type IndexEntry, parseIndex, renderIndex } from "../../src/formats/index-file.ts";
import { countLines, differingLines, lineAt, renderLines, replaceLines } from "../../src/formats/lines.ts";
import { parsePasswd, renderPasswd } from "../../src/formats/passwd.ts";
import { parsePublished, renderNews, renderPublished } from "../../src/formats/published.ts";
import { parseShadow, renderShadow } from "../../src/formats/shadow.ts";
import { parseSshkey, renderSshkey, replaceSshkeys } from "../../src/formats/sshkey.ts";
import type { Directory } from "../../src/model/directory.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { BEFORE, RULES, someDrafts } from "../support/drafts.ts";
import { aKey } from "../support/records.ts";
import { simpleIndex } from "../support/simple-maps.ts";
import { aDirectoryOf, wildGroupDraft, wildUserDraft } from "../support/wild.ts";

/** Directories made from records of every kind, sound and hostile. */
const directories = fc
  .tuple(fc.array(wildUserDraft(), { maxLength: 12 }), fc.array(wildGroupDraft(), { maxLength: 6 }))
  .map(([users, groups]): Directory => validateDirectory(someDrafts(users, groups), RULES, BEFORE).directory);

function fileOf(lines: readonly string[]): Uint8Array {
  return renderLines(lines, String).bytes;
}

describe("the lines in which two files differ", () => {
  const files = fc
    .array(fc.constantFrom("", "a", "ab", "abc", "b"), { maxLength: 8 })
    .map((lines) => Buffer.from(lines.map((line) => `${line}\n`).join("")));

  it("are whole, and stand between the same lines in both", () => {
    fc.assert(
      fc.property(files, files, (one, other) => {
        const [gone, come] = differingLines(one, other);
        const start = gone.byteOffset - one.byteOffset;
        const behind = one.subarray(start + gone.length);

        assert.deepEqual(
          Buffer.from(other),
          Buffer.concat([one.subarray(0, start), come, behind]),
          "what is not listed is the same",
        );
        for (const part of [one.subarray(0, start), gone, come, behind]) {
          assert.ok(part.length === 0 || part.at(-1) === 0x0a);
        }
        assert.ok(!one.equals(other) || gone.length + come.length === 0);
      }),
      { numRuns: 500 },
    );
  });

  it("are as few in large files, wherever they differ", () => {
    const many = (count: number) => Buffer.from("same:1\n".repeat(count));
    const counts = fc.constantFrom(0, 1, 585, 586, 1170, 2000);

    fc.assert(
      fc.property(fc.tuple(counts, counts), files, files, ([above, below], first, second) => {
        const whole = (part: Buffer) => Buffer.concat([many(above), part, many(below)]);
        const [one, other] = [whole(first), whole(second)];
        const [gone, come] = differingLines(one, other);
        const start = gone.byteOffset - one.byteOffset;

        const behind = one.subarray(start + gone.length);
        assert.deepEqual(Buffer.from(other), Buffer.concat([one.subarray(0, start), come, behind]));
        for (const part of [one.subarray(0, start), gone, come, behind]) {
          assert.ok(part.length === 0 || part.at(-1) === 0x0a);
        }
        // The line below them may begin like the last of them.
        const most = Math.max(first.length, second.length) + "same:1\n".length;
        assert.ok(Math.max(gone.length, come.length) <= most, `${gone.length} and ${come.length}`);
      }),
      { numRuns: 500 },
    );
  });

  it("are only those in the middle of many that are alike", () => {
    const [gone, come] = differingLines(Buffer.from("a:1\nb:2\nc:3\n"), Buffer.from("a:1\nb:4\nc:3\n"));

    assert.deepEqual([Buffer.from(gone).toString(), Buffer.from(come).toString()], ["b:2\n", "b:4\n"]);
  });
});

describe("lines", () => {
  it("lie between their head and their tail, and are the same without", () => {
    const line = fc.string({ unit: "grapheme", maxLength: 5 }).map((text) => text.replaceAll("\n", ""));

    fc.assert(
      fc.property(
        fc.array(line),
        fc.tuple(line, line),
        fc.constantFrom(1, 200),
        (few, [head, tail], times) => {
          const all = Array.from({ length: times }, () => few).flat();

          const { bytes, starts, file } = renderLines(all, String, { head, tail });

          const around = [head, tail].map((text) => (text === "" ? "" : `${text}\n`));
          assert.equal(file.toString(), around.join(all.map((text) => `${text}\n`).join("")));
          const bare = renderLines(all, String);
          assert.deepEqual([...bytes], [...bare.file]);
          assert.deepEqual(starts, bare.starts);
        },
      ),
    );
  });

  it("are whole where most are longer than those of which the room for them is guessed", () => {
    const all = Array.from({ length: 2000 }, (_, nth) => (nth % 16 === 0 ? "" : "é".repeat(nth % 99)));

    const { file, starts } = renderLines(all, String, { head: "head", tail: "tail" });

    assert.equal(file.toString(), `head\n${all.map((text) => `${text}\n`).join("")}tail\n`);
    assert.equal(starts.at(-1), file.length - "head\ntail\n".length);
  });

  it("take no more room than is bounded where one is longer than all others together", () => {
    const all = ["x".repeat(1_000_000), ...Array.from({ length: 20_000 }, (_, nth) => `${nth}`)];

    const { bytes, file } = renderLines(all, String, { tail: "tail" });

    assert.equal(bytes.length, all.join("\n").length + 1);
    assert.ok(file.buffer.byteLength < 100 * 1024 ** 2, `${file.buffer.byteLength} bytes`);
  });

  it("are found by where they start, and replaced as if all were rendered again", () => {
    const line = fc.string({ unit: "grapheme", maxLength: 5 }).map((text) => text.replaceAll("\n", ""));
    const lines = fc.array(line);

    fc.assert(
      fc.property(fc.tuple(lines, lines), lines, fc.nat(5), ([above, below], before, more) => {
        const after = before.map((text) => `${text}${"é".repeat(more)}`);
        const all = renderLines([...above, ...before, ...below], String);
        const wanted = renderLines([...above, ...after, ...below], String);

        const replaced = replaceLines(all, above.length, renderLines(after, String));
        assert.deepEqual([...replaced.bytes], [...wanted.bytes]);
        assert.deepEqual(replaced.starts, wanted.starts);
        wanted.starts.forEach((start, nth) => assert.equal(lineAt(wanted, start), nth));
        assert.equal(countLines(wanted.bytes), wanted.starts.length - 1);
      }),
    );
  });
});

describe("passwd.cache", () => {
  it("writes a line byte for byte as passwd(5) says", () => {
    const { users } = aDirectoryOf({ name: "ada", uid: 7001, gid: 7001, gecos: "Ada Lovelace" });

    assert.deepEqual(users.map(renderPasswd), ["ada:x:7001:7001:Ada Lovelace:/home/ada:/bin/bash"]);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(directories, ({ users }) => {
        const records = parsePasswd(fileOf(users.map(renderPasswd)));

        assert.deepEqual(
          records,
          users.map(({ name, uid, gid, gecos, home, shell }) => ({ name, uid, gid, gecos, home, shell })),
        );
      }),
    );
  });

  it("skips comments, empty lines and malformed lines, as glibc does", () => {
    const text =
      "# comment\n\nbroken\nbad:x:one:1:::\nada:x:1:2:g:/h:/s\nlong:x:1:2:g:/h:/s:more\n:x:1:2:g:/h:/s";

    const records = parsePasswd(Buffer.from(text));

    assert.deepEqual(records, [{ name: "ada", uid: 1, gid: 2, gecos: "g", home: "/h", shell: "/s" }]);
  });
});

describe("group.cache", () => {
  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(directories, ({ groups }) => {
        assert.deepEqual(
          parseGroup(fileOf(groups.map(renderGroup))),
          groups.map(({ name, gid, members }) => ({ name, gid, members })),
        );
      }),
    );
  });
});

describe("shadow.cache", () => {
  it("locks an inactive user with ! and an expiry in 1970, and nobody else", () => {
    const { users } = aDirectoryOf({ name: "ada" }, { name: "bob", active: false });

    assert.deepEqual(users.map(renderShadow), ["ada:*:::::::", "bob:!::::::1:"]);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(directories, ({ users }) => {
        const records = parseShadow(fileOf(users.map(renderShadow)));

        assert.deepEqual(
          records,
          users.map(({ name, active }) => ({ name, active })),
        );
      }),
    );
  });
});

describe("sshkey.cache", () => {
  it("reads the Python list that nsscache writes", () => {
    const line = `ada:['ssh-ed25519 AAAA ada\\'s \\u00e9', "b's key", 'tab\\there']\nbob:\n`;

    const records = parseSshkey(Buffer.from(line));

    assert.deepEqual(records, [
      { name: "ada", keys: ["ssh-ed25519 AAAA ada's é", "b's key", "tab\there"] },
      { name: "bob", keys: [] },
    ]);
  });

  it("reads a bare key, which other writers leave", () => {
    assert.deepEqual(parseSshkey(Buffer.from("ada:ssh-rsa AAAA x\n")), [
      { name: "ada", keys: ["ssh-rsa AAAA x"] },
    ]);
  });

  it("escapes what would end a string or start an escape", () => {
    const keys = [aKey(1, "back\\slash"), aKey(2, "it's"), aKey(3, `'both"`)];
    const { users } = aDirectoryOf({ name: "ada", keys });

    const [line = ""] = users.map(renderSshkey);

    assert.match(line, /back\\\\slash', "ssh-ed25519 \S+ it's", 'ssh-ed25519 \S+ \\'both"'\]$/);
    assert.deepEqual(parseSshkey(Buffer.from(line)), [{ name: "ada", keys }]);
  });

  it("skips a list that is no list of plain strings", () => {
    assert.deepEqual(parseSshkey(Buffer.from("ada:['a' 'b']\nbob:[open('x')]\ncy:['a', 1]\ndi:['a'\n")), []);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(directories, ({ users }) => {
        const records = parseSshkey(fileOf(users.map(renderSshkey)));

        assert.deepEqual(
          records,
          users.map(({ name, keys }) => ({ name, keys })),
        );
      }),
    );
  });

  it("with other keys for some is what it would be if it were made with them", () => {
    fc.assert(
      fc.property(directories, fc.infiniteStream(fc.boolean()), ({ users }, choices) => {
        const chosen = users.filter(() => choices.next().value === true);
        const rotated = users.map((user) =>
          chosen.includes(user) ? { ...user, keys: user.keys.slice(1) } : user,
        );

        const replaced = replaceSshkeys(
          renderLines(users, renderSshkey).bytes,
          rotated.filter((user) => !users.includes(user)),
        );

        assert.deepEqual(Buffer.from(replaced?.before ?? "-"), renderLines(chosen, renderSshkey).bytes);
        const { bytes, starts } = renderLines(rotated, renderSshkey);
        assert.deepEqual(replaced?.whole(), { bytes, starts });
      }),
    );
  });

  it("is not put together where somebody has no line, or where lines are not in order", () => {
    const { users } = aDirectoryOf({ name: "ada" }, { name: "bob" }, { name: "bo" });
    const [ada, bo, bob] = users;
    const bytes = fileOf(["bob:", "ada:", "xbo:"]);

    assert.ok(ada && bo && bob);
    assert.equal(replaceSshkeys(bytes, [ada, bob]), undefined);
    assert.equal(replaceSshkeys(bytes, [bo]), undefined);
    assert.equal(replaceSshkeys(bytes, [ada, ada]), undefined);
    assert.equal(replaceSshkeys(Buffer.from("ada:"), [ada]), undefined);
    assert.equal(Buffer.from(replaceSshkeys(bytes, [bob])?.before ?? "").toString(), "bob:\n");
  });
});

describe("an index file", () => {
  /** Of lines that have the key in their first field. */
  function indexOf(entries: readonly IndexEntry[]): Uint8Array {
    const lines = renderLines(entries, ({ key }) => `${key}:x`);
    return renderIndex(
      lines,
      0,
      Uint32Array.from(entries, ({ offset }) => offset),
    );
  }

  it("is byte for byte what libnss-cache searches", () => {
    const file = indexOf([
      { key: "bob", offset: 0 },
      { key: "ad", offset: 120 },
    ]);

    assert.equal(Buffer.from(file).toString("latin1"), "ad\x00120\x00\x00\nbob\x000\x00\x00\x00\n");
  });

  it("gives every record the same length in bytes, whatever the alphabet", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      .filter((text) => !/[\0\n:]/.test(text));
    const entries = fc.uniqueArray(fc.record({ key: name, offset: fc.nat(10_000_000) }), {
      selector: ({ key }) => Buffer.from(key).toString("latin1"),
    });
    fc.assert(
      fc.property(entries, (list) => {
        const read = parseIndex(indexOf(list));

        const sorted = list.toSorted((left, right) =>
          Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)),
        );
        assert.deepEqual(
          read?.map(({ key, offset }) => ({ key: Buffer.from(key).toString("hex"), offset })),
          sorted.map(({ key, offset }) => ({
            key: Buffer.from(Buffer.from(key).toString()).toString("hex"),
            offset,
          })),
        );
      }),
    );
  });

  it("is what the simple way makes of the same names and numbers, in any order", () => {
    const aRecord = fc.record({
      name: fc.stringMatching(/^[a-c]{1,4}$/),
      id: fc.oneof(fc.nat(200), fc.integer({ min: 990, max: 1100 }), fc.nat(2 ** 32 - 1)),
      offset: fc.oneof(fc.nat(20), fc.nat(2 ** 32 - 1)),
    });
    fc.assert(
      fc.property(fc.uniqueArray(aRecord, { selector: ({ id }) => id, maxLength: 40 }), (records) => {
        const lines = renderLines(records, ({ name, id }) => `${name}:x:${id}:`);
        const offsets = Uint32Array.from(records, ({ offset }) => offset);

        for (const [field, keys] of [
          records.map(({ name }) => name),
          [],
          records.map(({ id }) => String(id)),
        ].entries()) {
          const simple = simpleIndex(keys.map((key, nth) => ({ key, offset: offsets[nth] ?? 0 })));
          assert.ok(keys.length === 0 || Buffer.compare(renderIndex(lines, field, offsets), simple) === 0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("points at the byte where each line starts", () => {
    const lines = Array.from(
      { length: 700 },
      (_, nth) => `${["é", "日本", "z"][nth % (nth < 300 ? 1 : 3)]}${nth}:${"x".repeat(nth % 90)}`,
    );

    const { bytes, starts } = renderLines(lines, String);

    assert.deepEqual(bytes.toString().split("\n"), [...lines, ""]);
    const found = [...starts].map((offset) => bytes.subarray(offset).toString().split("\n")[0]);
    assert.deepEqual(found, [...lines, ""]);
  });

  it("is not read when its records have different lengths", () => {
    assert.equal(parseIndex(Buffer.from("a\x000\x00\nbb\x001\x00\n")), undefined);
  });
});

describe("a key file", () => {
  it("reads back what it wrote, and knows its own", () => {
    const { users } = aDirectoryOf({ name: "ada" });
    const keys = users[0]?.keys ?? [];

    const text = renderAuthorizedKeys(keys);

    assert.deepEqual(parseAuthorizedKeys(text), keys);
    assert.equal(isOurs(text), true);
    assert.equal(isOurs(text.slice(1)), false);
  });
});

describe("the list of published files", () => {
  const aFile = (path: string, size = 1) => ({
    path,
    size,
    mtimeMs: 1.5,
    sha256: "ab",
    mode: 0o644,
    uid: 0,
    gid: 0,
  });
  const whole = renderPublished([aFile("/a"), aFile("/b"), aFile("/c")]);
  const news = renderNews(
    new Map([
      ["/a", aFile("/a", 2)],
      ["/b", undefined],
      ["/d", aFile("/d")],
    ]),
  );

  it("is as it was written, and what was added later counts", () => {
    assert.deepEqual(parsePublished(whole), [aFile("/a"), aFile("/b"), aFile("/c")]);
    assert.deepEqual(parsePublished(Buffer.concat([whole, news])), [
      aFile("/a", 2),
      aFile("/c"),
      aFile("/d"),
    ]);
  });

  it("is read without the half line of a process that was killed, at every byte of what it added", () => {
    for (let end = whole.length; end < whole.length + news.length; end += 1) {
      const files = parsePublished(Buffer.concat([whole, news]).subarray(0, end));
      assert.ok(files !== undefined && files.some(({ path }) => path === "/c"));
      assert.ok([1, 2].includes(files.find(({ path }) => path === "/a")?.size ?? 0));
    }
  });

  it("is none when its end is gone, or anything in it is not as it was written", () => {
    for (let end = 0; end < whole.length; end += 1) {
      assert.equal(parsePublished(whole.subarray(0, end)), undefined);
    }
    assert.equal(parsePublished(Buffer.concat([whole, Buffer.from('["/a",1]\n')])), undefined);
    assert.equal(parsePublished(Buffer.concat([whole, Buffer.from("x\n"), news])), undefined);
  });
});
