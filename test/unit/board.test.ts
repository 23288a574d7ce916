import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { NOTHING_YET } from "../../packaging/words/tables.ts";
import { undoneAmong } from "../../src/daemon/undone.ts";
import { parseHistory, renderEnd, renderEntry } from "../../src/formats/history.ts";
import type { HistoryEntry, PastSync } from "../../src/model/history.ts";
import type { UserName } from "../../src/model/ids.ts";
import type { Change } from "../../src/model/plan.ts";
import type { Outcome } from "../../src/model/report.ts";
import { renderBoard, type Screen } from "../../src/report/board.ts";
import { renderHistory, tellHistory } from "../../src/report/history.ts";
import { KEPT_SYNCS, NO_PACE, type Pace, paceAfter } from "../../src/report/pace.ts";
import { sparkline } from "../../src/report/sparkline.ts";
import { fullStatusOf, publicStatusOf, type View } from "../../src/report/status.ts";
import { cutTo, toAscii, widthOf, wrapTo } from "../../src/report/width.ts";

const VIEW: View = {
  ...NOTHING_YET,
  version: "1.2.3",
  nowMs: 10_000_000,
  isReady: true,
  lastRunAtMs: 9_990_000,
  ageMs: 5000,
  nextRunInMs: 20_000,
  configPath: "/etc/rollcall/rollcall.yaml",
  iamAddress: "https://iam.example.org/scim/v2",
};
const figures = (seconds: number, added = 0, atMs = 9_995_000) => ({
  atMs,
  result: "done" as const,
  seconds,
  added,
  removed: 0,
  changed: 0,
});
const SCREEN: Screen = { columns: 80, isUnicode: true, colour: false };
const HOST = { os: "Debian GNU/Linux 12", kernel: "6", arch: "x64", hostname: "login-1" };
const boardOf = (view: Partial<View>, screen: Partial<Screen> = {}, isLive = true) =>
  renderBoard(fullStatusOf({ ...VIEW, ...view }), { host: HOST, isLive }, { ...SCREEN, ...screen });

const hostile = fc.string({ unit: "binary", maxLength: 300 });

describe("how the IAM is asked", () => {
  it("is not told where a daemon says what nobody knows", () => {
    for (const askedBy of ["toString", "__proto__", "constructor", "later", 7, undefined]) {
      const status = fullStatusOf(VIEW);
      const other = { ...status, iam: { ...status.iam, askedBy: askedBy as "etags" } };

      const board = renderBoard(other, { host: HOST, isLive: true }, SCREEN).join("\n");

      assert.match(board, /IAM +https:\/\/iam.example.org\/scim\/v2 · last believed 5 s ago\n/);
    }
  });
});

describe("the board", () => {
  it("says in its first line how the node is, then one thing on each line", () => {
    const board = boardOf({
      pace: { recent: [figures(0.2, 3), figures(0.1)], lastChange: figures(0.2, 3) },
      askedBy: "etags",
    });

    assert.deepEqual(board, [
      "● healthy",
      "  node        login-1 · Debian GNU/Linux 12 · x64 · rollcall 1.2.3",
      "  IAM         https://iam.example.org/scim/v2 · last believed 5 s ago",
      "              asked by ETags",
      "  last sync   5 s ago · took 0.10 s · nothing to change",
      "  next sync   in 20 s",
      "  served      nobody yet",
      "  durations   █▅  up to 0.20 s",
      "  changes     █▁  up to 3",
    ]);
  });

  it("says what an x stands for where a sync has failed", () => {
    const recent = [figures(0.2, 3), { ...figures(0.1), result: "failed" as const }];

    assert.deepEqual(boardOf({ pace: { recent, lastChange: undefined } }).slice(-2), [
      "  durations   █x  up to 0.20 s; x failed",
      "  changes     █x  up to 3; x failed",
    ]);
  });

  it("names the worst condition in its first line, and all of them with their remedies below", () => {
    const conditions = (["critical", "notice"] as const).map((severity) => ({
      code: severity === "critical" ? ("users-missing" as const) : ("records-refused" as const),
      severity,
      title: `A ${severity} title`,
      remedy: "Do this.",
      forMs: 120_000,
      detail: "because",
    }));

    const board = boardOf({ conditions });

    assert.equal(board[0], "✖ critical: A critical title");
    assert.deepEqual(board.slice(-8), [
      "",
      "critical: A critical title, for 2 min [users-missing]",
      "    because",
      "  → Do this.",
      "",
      "notice: A notice title, for 2 min [records-refused]",
      "    because",
      "  → Do this.",
    ]);
  });

  it("without a daemon says so, with the age of what it shows", () => {
    assert.match(
      boardOf({}, {}, false).join("\n"),
      /No daemon answers here; this is from the last sync, 10 s ago[^]*none without a daemon/,
    );
  });

  it("is never wider than the terminal, and nothing in it steers one, whatever came from outside", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 24, max: 200 }), fc.boolean(), (text, columns, isUnicode) => {
        const condition = {
          code: "iam-refused" as const,
          severity: "degraded" as const,
          title: "t",
          remedy: "r",
          forMs: 0,
        };
        const board = boardOf(
          {
            iamAddress: text,
            host: undefined,
            conditions: [{ ...condition, detail: text }],
            pace: {
              recent: Array.from({ length: 40 }, (_, nth) => figures(nth * 1000, nth)),
              lastChange: undefined,
            },
          },
          { columns, isUnicode },
        );

        assert.ok(board.every((line) => widthOf(line) <= Math.min(columns, 100)));
        assert.doesNotMatch(board.join(""), /[\p{C}\p{Zl}\p{Zp}]/u);
        assert.ok(isUnicode || /^[ -~]*$/.test(board.join("")));
      }),
    );
  });

  it("is coloured only where that is asked for", () => {
    const [plain = "", coloured = ""] = [boardOf({})[0], boardOf({}, { colour: true })[0]];

    assert.equal(stripVTControlCharacters(coloured), plain);
    assert.notEqual(coloured, plain);
  });

  it("tells everybody the same without an address", () => {
    const board = renderBoard(publicStatusOf(VIEW), { host: HOST, isLive: true }, SCREEN).join("\n");

    assert.doesNotMatch(board, /iam\.example|IAM/);
    assert.match(board, /^● healthy/);
  });
});

describe("text on a terminal", () => {
  it("is measured in columns: wide characters take two, combining ones none", () => {
    assert.deepEqual(
      ["ada", "日本", "e\u0301", "🙂", "ｱ", "", "☺\ufe0f"].map(widthOf),
      [3, 4, 1, 2, 1, 0, 2],
    );
  });

  it("is cut to fit and never in the middle of a character", () => {
    assert.deepEqual(
      [cutTo("rollcall", 8), cutTo("rollcall", 5), cutTo("日本語", 4), cutTo("🙂🙂", 3)],
      ["rollcall", "roll…", "日…", "🙂…"],
    );
  });

  it("is wrapped at blanks, and words that are too long are broken", () => {
    assert.deepEqual(wrapTo("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrapTo("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 40 }), (text, columns) => {
        assert.ok(wrapTo(text, columns).every((line) => widthOf(line) <= columns));
      }),
    );
  });

  it("has its nearest in ASCII", () => {
    assert.equal(toAscii("● ada · 日 → …"), "* ada | ?? > ~");
  });
});

describe("a sparkline", () => {
  it("has a character for each value, and shows whatever is more than nothing", () => {
    assert.equal(sparkline([0, 1, 1000, undefined], true), "▁▂█x");
    assert.equal(sparkline([0, 1, 1000, undefined], false), "_.#x");
    assert.equal(sparkline([0, 0], true), "▁▁");
    assert.equal(sparkline([], true), "");
  });

  it("is drawn from so many syncs and no more; the last change is remembered for longer", () => {
    const unchanged = {
      kind: "unchanged",
      pull: { requests: 1, bytes: 0, statuses: {}, mayShift: false, unchanged: true },
    } as const;
    let pace: Pace = { ...NO_PACE, lastChange: figures(1, 5, 1) };
    for (let turn = 0; turn < 100; turn += 1) {
      pace = paceAfter(pace, unchanged, { atMs: turn, seconds: 0.1 });
    }

    assert.equal(pace.recent.length, KEPT_SYNCS);
    assert.equal(pace.recent.at(-1)?.atMs, 99);
    assert.equal(pace.lastChange?.added, 5);
  });
});

const entry = (text: string): HistoryEntry => ({
  sync: "abc",
  atMs: 1_700_000_000_000,
  source: "iam",
  hasAcceptedRemovals: false,
  changes: [
    {
      change: { event: "user-changed", user: text, field: "gecos", before: text, after: text },
      reason: "iam",
      version: text,
    },
    { change: { event: "key-granted", user: text, key: text }, reason: "edited", version: undefined },
  ],
  unlisted: {},
});

describe("the history", () => {
  it("is what was written, whatever the names are, one line for each", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = Buffer.from(renderEntry(entry(text))).toString();
        const end = Buffer.from(renderEnd({ sync: "abc", undone: [1] })).toString();

        assert.match(line, /^[ -~]*\n$/);
        assert.deepEqual(parseHistory(Buffer.from(line + end)), {
          syncs: [{ ...entry(text), end: { sync: "abc", undone: [1] } }],
          damaged: 0,
        });
      }),
    );
  });

  it("makes nothing of a damaged line, and never throws", () => {
    const whole = Buffer.from(renderEntry(entry("ada")));
    fc.assert(
      fc.property(fc.nat(whole.length - 2), fc.uint8Array({ minLength: 1, maxLength: 4 }), (at, bytes) => {
        const damaged = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + 1)]);

        const told = tellHistory(parseHistory(damaged), {
          user: undefined,
          sinceMs: undefined,
          limit: 10,
        });

        const text = renderHistory(told, { colour: false, user: undefined, users: [] }).join("");
        assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it("does not take a drop-in of sudo, or somebody's keys, for put back whose step has failed", () => {
    const repaired = (file: string): Change => ({ event: "file-repaired", file, reason: "changed" });
    const changes = [repaired("/etc/sudoers.d/rollcall"), repaired("/etc/ssh/authorized_keys.d/ada")];
    const sudo = { kind: "write-sudo", content: "" } as const;
    const keys = { kind: "revoke-keys", user: "ada" as UserName, lines: [] } as const;
    const ended = (one: Outcome["result"], other: Outcome["result"]) =>
      undoneAmong(changes, [
        { step: sudo, result: one },
        { step: keys, result: other },
      ] as unknown as Outcome[]);

    assert.deepEqual(ended("done", "done"), []);
    assert.deepEqual(ended("failed", "done"), [0]);
    assert.deepEqual(ended("done", "failed"), [1]);
  });

  it("says of each change whether it was made, and does not know of one whose sync has no end", () => {
    const [begun] = parseHistory(renderEntry(entry("ada"))).syncs;
    const results = (end: PastSync["end"]) =>
      tellHistory(
        { syncs: begun === undefined ? [] : [{ ...begun, end }], damaged: 0 },
        { user: "ada", sinceMs: undefined, limit: 10 },
      ).syncs.flatMap(({ changes }) => changes.map(({ result }) => result));

    assert.deepEqual(results({ sync: "abc", undone: [1] }), ["done", "not-done"]);
    assert.deepEqual(results(undefined), ["unknown", "unknown"]);
  });

  it("counts what is beyond its bound", () => {
    const many = {
      ...entry("x"),
      changes: Array.from({ length: 6000 }, () => entry("y".repeat(50)).changes).flat(),
    };

    const { syncs } = parseHistory(renderEntry(many));

    const counted = Object.values(syncs[0]?.unlisted ?? {}).reduce((sum, count) => sum + count, 0);
    assert.equal((syncs[0]?.changes.length ?? 0) + counted, 12_000);
    assert.ok(counted > 2000 && renderEntry(many).length < 1.2 * 1024 ** 2);
  });
});
