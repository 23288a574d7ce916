import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Pieces, textInMap } from "../../src/daemon/keys-in-map.ts";
import { renderIndex } from "../../src/formats/index-file.ts";
import { type FramedLines, renderLines } from "../../src/formats/lines.ts";
import { placeInSlots } from "../../src/formats/slots.ts";
import { keysInText, renderSshkey } from "../../src/formats/sshkey.ts";
import type { AuthorizedKey, UserName } from "../../src/model/ids.ts";

/** Of few letters, so that many begin alike. */
const names = fc.stringMatching(/^[ab_][ab._-]{0,5}$/);

/** Keys of any text, now and then as long as a piece of the file that is read at once. */
const keys = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }) },
    { weight: 1, arbitrary: fc.integer({ min: 65_400, max: 65_700 }).map((length) => "k".repeat(length)) },
  ),
  { maxLength: 3 },
);

const people = fc.uniqueArray(fc.record({ name: names, keys }), {
  selector: ({ name }) => name,
  maxLength: 12,
});

type Person = { readonly name: string; readonly keys: readonly string[] };

function linesOf(all: readonly Person[]): FramedLines {
  return renderLines(
    all,
    ({ name, keys }) => renderSshkey({ name: name as UserName, keys: keys as AuthorizedKey[] }),
    { tail: "nobody:" },
  );
}

/** Where each line went, after others stood there before. */
function mapOf(all: readonly Person[], before: readonly Person[]) {
  const lines = linesOf(all);
  const old = placeInSlots(linesOf(before), new Uint8Array());
  const { bytes, offsets } = placeInSlots(lines, old.bytes);
  return { bytes, lines, offsets, index: renderIndex(lines, 0, offsets) };
}

function piecesOf(bytes: Uint8Array): Pieces {
  const read = (offset: number, length: number) =>
    Promise.resolve(Buffer.from(bytes.subarray(offset, offset + length)));
  return { size: bytes.length, read };
}

describe("the keys of one user in the map", () => {
  /** Indexes that are right, missing, of another map, damaged, or lead elsewhere. */
  const indexOf = (now: ReturnType<typeof mapOf>, other: ReturnType<typeof mapOf>, damage: Uint8Array) => [
    now.index,
    undefined,
    other.index,
    damage,
    now.index.subarray(1),
    renderIndex(
      now.lines,
      0,
      now.offsets.map((_, nth) => now.offsets.at(nth - 1) ?? 0),
    ),
    renderIndex(
      now.lines,
      0,
      now.offsets.map((offset) => offset + 1),
    ),
  ];

  it("are found with any index or none, and are never somebody else's", async () => {
    await fc.assert(
      fc.asyncProperty(people, people, fc.uint8Array({ maxLength: 80 }), async (now, before, damage) => {
        const map = mapOf(now, before);
        const wanted = new Map(now.map((person) => [person.name, person.keys]));
        for (const index of indexOf(map, mapOf(before, []), damage)) {
          for (const name of new Set(
            [...now, ...before, { name: "a" }, { name: "ab" }].map((one) => one.name),
          )) {
            const text = await textInMap(piecesOf(map.bytes), index && piecesOf(index), name);

            assert.equal(text === undefined, !wanted.has(name));
            assert.deepEqual(keysInText(text ?? ""), wanted.get(name) ?? []);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("are none in a line that lost its end, and of two lines the first", async () => {
    const look = (text: string, user: string) => textInMap(piecesOf(Buffer.from(text)), undefined, user);

    assert.equal(await look("ada:['a']\nbob:['b'", "bob"), undefined);
    assert.equal(await look("#ada:['x']\nada:['a']\nada:['b']\n", "ada"), "['a']");
    assert.equal(await look("xada:['a']\n", "ada"), undefined);
    assert.equal(await look("", "ada"), undefined);
  });

  it("are found by a few small reads where the index is right", async () => {
    const many = Array.from({ length: 20_000 }, (_, nth) => ({
      name: `user${nth}`,
      keys: [`ssh-ed25519 ${nth}`],
    }));
    const map = mapOf(many, []);
    let bytes = 0;
    const counted = (file: Pieces): Pieces => ({
      size: file.size,
      async read(offset, length) {
        const piece = await file.read(offset, length);
        bytes += piece.length;
        return piece;
      },
    });

    const text = await textInMap(counted(piecesOf(map.bytes)), counted(piecesOf(map.index)), "user12345");

    assert.equal(text, "['ssh-ed25519 12345']");
    assert.ok(bytes < 70_000, `${bytes} bytes of ${map.bytes.length} were read`);
  });
});
