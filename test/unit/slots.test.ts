/**
 * Stable slots: an outdated index never leads to anybody else, nor to nothing.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { renderLines } from "../../src/formats/lines.ts";
import { SENTINELS } from "../../src/formats/sentinel.ts";
import { placeInSlots, type SlotRecord, wasteIn } from "../../src/formats/slots.ts";
import { simpleSlots } from "../support/simple-maps.ts";

const SENTINEL = SENTINELS.passwd;
const NOTHING: Uint8Array = new Uint8Array();

const byName = (one: SlotRecord, other: SlotRecord) => (one.name < other.name ? -1 : 1);
const linesOf = (records: readonly SlotRecord[]) =>
  renderLines(records, ({ line }) => line, { tail: SENTINEL.line });

/** Versions of a small directory: who is there, and how long each gecos is (also in characters of several bytes). */
const aVersion = fc
  .uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom("", "x", "long gecos", "ä", "日本語")),
    {
      selector: ([nth]) => nth,
      maxLength: 12,
    },
  )
  .map((people) =>
    people
      .map(
        ([nth, gecos]): SlotRecord => ({
          name: `u${nth}`,
          line: `u${nth}:x:${7000 + nth}:7000:${gecos}:/h:/s`,
        }),
      )
      .sort(byName),
  );

const text = (bytes: Uint8Array, from = 0) => Buffer.from(bytes).toString("utf8", from);
const recordsIn = (bytes: Uint8Array) =>
  text(bytes)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

describe("records in slots", () => {
  it("are all there, once, each at its offset, and the sentinel stands behind them", () => {
    fc.assert(
      fc.property(fc.array(aVersion, { minLength: 1, maxLength: 6 }), (versions) => {
        let bytes: Uint8Array = NOTHING;
        for (const records of versions) {
          const placed = placeInSlots(linesOf(records), bytes);

          assert.deepEqual(
            recordsIn(placed.bytes).sort(),
            [...records.map(({ line }) => line), SENTINEL.line].sort(),
          );
          assert.ok(text(placed.bytes).endsWith(`\n${SENTINEL.line}\n`) || records.length === 0);
          records.forEach(({ line }, nth) =>
            assert.ok(text(placed.bytes, placed.offsets[nth]).startsWith(`${line}\n`), line),
          );
          bytes = placed.bytes;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are where they were when they still fit, and give the same bytes when nothing changed", () => {
    fc.assert(
      fc.property(aVersion, aVersion, (first, second) => {
        const one = placeInSlots(linesOf(first), NOTHING);
        const two = placeInSlots(linesOf(second), one.bytes);
        const again = placeInSlots(linesOf(second), two.bytes);

        assert.deepEqual(text(again.bytes), text(two.bytes));
        for (const [nth, { name, line }] of second.entries()) {
          const before = first.findIndex((record) => record.name === name);
          if (before >= 0 && Buffer.byteLength(line) <= Buffer.byteLength(first[before]?.line ?? "")) {
            assert.equal(two.offsets[nth], one.offsets[before]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are found by an index of the version before, or not at all, but always with a record behind it", () => {
    fc.assert(
      fc.property(fc.array(aVersion, { minLength: 2, maxLength: 8 }), (versions) => {
        let before = {
          records: [] as readonly SlotRecord[],
          offsets: new Uint32Array() as Uint32Array,
          bytes: NOTHING,
        };
        for (const records of versions) {
          const { bytes, offsets } = placeInSlots(linesOf(records), before.bytes);
          for (const [nth, { name }] of before.records.entries()) {
            const offset = before.offsets[nth] ?? 0;
            assert.ok(offset < bytes.length, "an offset past the end aborts the reader");
            assert.ok(
              offset === 0 || bytes[offset - 1] === 0x0a,
              "an offset in the middle of a line reads another record",
            );
            const line = text(bytes, offset).split("\n")[0] ?? "";
            // glibc skips comments; a record of another name makes libnss-cache scan, one of this name must be today's.
            const isAnswer = line.startsWith(`${name}:`);
            assert.ok(!isAnswer || records.some((one) => one.line === line), line);
            assert.ok(
              recordsIn(bytes.subarray(offset)).length > 0,
              "without a record behind it the reader has no status",
            );
          }
          before = { records, offsets, bytes };
        }
      }),
      { numRuns: 500 },
    );
  });

  it("do not take room that became free with the publish before", () => {
    const record = (name: string): SlotRecord => ({ name, line: `${name}:x:1:1::/h:/s` });
    const one = placeInSlots(linesOf([record("aa"), record("bb")]), NOTHING);
    const two = placeInSlots(linesOf([record("bb")]), one.bytes);
    const three = placeInSlots(linesOf([record("bb"), record("cc")]), two.bytes);
    const four = placeInSlots(linesOf([record("bb"), record("cc"), record("dd")]), three.bytes);

    assert.notEqual(three.offsets[1], one.offsets[0]);
    assert.equal(four.offsets[2], one.offsets[0]);
    assert.equal(wasteIn(four.bytes, linesOf(["bb", "cc", "dd"].map(record))), 0);
  });

  it("stand byte for byte where the simple way puts them, whatever another tool has left", () => {
    const aFile = fc
      .array(
        fc.constantFrom(
          "u1:x:1:1:Old and long:/h:/s",
          "u12:x:1:1::/h:/s",
          "u1:",
          "gone:x:1:1::/h:/s",
          "junk",
          "",
          "# c",
          "#-",
          "#-        ",
          "#                              ",
          ":",
          "é:x:1:1::/:/",
          SENTINEL.line,
        ),
        { maxLength: 12 },
      )
      .chain((lines) => fc.constantFrom(lines.join("\n"), `${lines.join("\n")}\n`));
    fc.assert(
      fc.property(aFile, fc.array(aVersion, { minLength: 1, maxLength: 6 }), (file, versions) => {
        let bytes: Uint8Array = Buffer.from(file);
        for (const records of versions) {
          const simple = simpleSlots(records, bytes, SENTINEL);
          const placed = placeInSlots(linesOf(records), bytes);

          assert.equal(text(placed.bytes), text(simple.bytes));
          assert.deepEqual([...placed.offsets], simple.offsets);
          bytes = placed.bytes;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("take over whatever another tool has left, whole lines or not", () => {
    fc.assert(
      fc.property(
        aVersion,
        fc.array(
          fc.constantFrom("u1:x:1:1:Old:/h:/s", "junk", "", "# c", "u3:x", "u3:x:9:9:::", "é:x:1:1::/:/"),
          { maxLength: 9 },
        ),
        fc.boolean(),
        (records, lines, isWhole) => {
          const foreign = Buffer.from(`${lines.join("\n")}${isWhole ? "\n" : ""}`);

          const placed = placeInSlots(linesOf(records), foreign);

          assert.deepEqual(
            recordsIn(placed.bytes).sort(),
            [...records.map(({ line }) => line), SENTINEL.line].sort(),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
