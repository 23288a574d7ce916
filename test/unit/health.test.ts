import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createRequests } from "../../src/daemon/requests.ts";
import type { Moment } from "../../src/model/moment.ts";
import { msBetween } from "../../src/model/moment.ts";
import { isIdle, type RunRecord } from "../../src/model/report.ts";
import { CONDITIONS, type ConditionCode } from "../../src/report/conditions.ts";
import { conditionsOf, type Facts } from "../../src/report/judge.ts";
import { createTracker, isHealthy } from "../../src/report/tracker.ts";

const RECORD: RunRecord = {
  source: "iam",
  planId: "0",
  steps: [],
  changes: [],
  unlisted: {},
  problems: [],
  served: { users: 3, active: 3, keyless: 0, groups: 1, keys: 3 },
  pull: { requests: 2, bytes: 10, statuses: { 200: 2 }, mayShift: true, unchanged: false },
  setsOwners: true,
  accepted: [],
  shutOut: 0,
  ledgerIsRebuilt: false,
  tally: { added: 0, removed: 0, changed: 0 },
  historyGap: null,
  slurm: null,
  seconds: 0.1,
};

const slurmFailed = (code: NonNullable<Facts["failure"]>["code"]): Partial<Facts> => ({
  record: {
    ...RECORD,
    slurm: { cluster: null, changes: 0, commands: 1, seconds: 10, failure: { code, message: "why" } },
  },
});

const GOOD: Facts = {
  usersAreInPlace: true,
  failure: undefined,
  record: RECORD,
  configMistakes: undefined,
  ageMs: 1000,
  warnAfterMs: 600_000,
  runningMs: 0,
  disks: [{ name: "caches", path: "/etc", sizeBytes: 1e10, freeBytes: 1e9, freeInodes: 1e5, inodes: 1e6 }],
};

const REFUSED: RunRecord["problems"][number] = {
  code: "id-out-of-range",
  subject: { kind: "user", id: "1" },
  field: "uid",
  reason: "0",
  costs: "record",
  remedy: "x",
};

const failed = (code: NonNullable<Facts["failure"]>["code"]): Partial<Facts> => ({
  failure: { code, message: "why" },
});

/** What is different from a good node, and what that raises. */
const RAISED: Readonly<Record<ConditionCode, Partial<Facts>>> = {
  "users-missing": { usersAreInPlace: false },
  "logins-locked": { record: { ...RECORD, source: "locked" } },
  "removals-refused": failed("removals-refused"),
  "node-unreadable": failed("node-unreadable"),
  "apply-failed": {
    record: { ...RECORD, steps: [{ kind: "grant-keys", user: "a", result: "failed", message: "EIO" }] },
  },
  "sync-crashed": failed("unexpected"),
  "sync-stuck": { runningMs: 11 * 60_000 },
  "config-refused": { configMistakes: "guards: unknown key" },
  "token-unusable": failed("token-exposed"),
  "iam-unreachable": failed("iam-unreachable"),
  "iam-unreadable": failed("iam-unreadable"),
  "iam-untrusted": failed("iam-untrusted"),
  "iam-refused": failed("iam-refused"),
  "iam-invalid": failed("iam-invalid"),
  "iam-incomplete": failed("iam-incomplete"),
  "iam-too-large": failed("iam-too-large"),
  "directory-stale": { ageMs: 600_001 },
  "state-unwritable": failed("state-unwritable"),
  "node-busy": failed("node-busy"),
  "disk-low": {
    disks: [{ name: "state", path: "/var", sizeBytes: 1e10, freeBytes: 1e6, freeInodes: 1e5, inodes: 1e6 }],
  },
  "logins-withheld": { record: { ...RECORD, shutOut: 1 } },
  "history-unwritable": { record: { ...RECORD, historyGap: "ENOSPC" } },
  "ledger-rebuilt": { record: { ...RECORD, ledgerIsRebuilt: true } },
  "slurm-missing": slurmFailed("slurm-missing"),
  "slurm-unanswered": slurmFailed("slurm-unanswered"),
  "slurm-denied": slurmFailed("slurm-denied"),
  "slurm-cluster-unknown": slurmFailed("slurm-cluster-unknown"),
  "slurm-refused": slurmFailed("slurm-refused"),
  "slurm-removals-refused": slurmFailed("slurm-removals-refused"),
  "records-refused": { record: { ...RECORD, problems: [REFUSED] } },
};

describe("a run", () => {
  it("had nothing to do only where Slurm had nothing either, and could be asked", () => {
    const slurm = { cluster: "test", changes: 0, commands: 4, seconds: 1, failure: null };
    const failure = { code: "slurm-unanswered", message: "why" } as const;

    assert.deepEqual(
      [null, slurm, { ...slurm, changes: 1 }, { ...slurm, failure }].map((one) =>
        isIdle({ ...RECORD, slurm: one }),
      ),
      [true, true, false, false],
    );
    assert.equal(isIdle({ ...RECORD, steps: [{ kind: "grant-keys", user: "a" }] }), false);
  });
});

describe("the conditions of a node", () => {
  it("are none when all is well", () => {
    assert.deepEqual([...conditionsOf(GOOD).keys()], []);
    assert.deepEqual([...conditionsOf({ ...GOOD, ...failed("stopped") }).keys()], []);
    assert.deepEqual([...conditionsOf({ ...GOOD, ...slurmFailed("stopped") }).keys()], []);
  });

  for (const [code, facts] of Object.entries(RAISED)) {
    it(`are ${code} for its reason, and for nothing else`, () => {
      assert.deepEqual([...conditionsOf({ ...GOOD, ...facts }).keys()], [code]);
    });
  }

  it("do not take a small disk, or one without inodes, for a full one", () => {
    const disk = { name: "x", path: "/x" };
    const small = {
      ...disk,
      sizeBytes: 20 * 2 ** 20,
      freeBytes: 10 * 2 ** 20,
      freeInodes: 900,
      inodes: 1000,
    };
    const btrfs = { ...disk, sizeBytes: 1e12, freeBytes: 5e11, freeInodes: 0, inodes: 0 };
    const noFiles = { ...disk, sizeBytes: 1e12, freeBytes: 5e11, freeInodes: 3, inodes: 1000 };

    assert.deepEqual(conditionsOf({ ...GOOD, disks: [small, btrfs] }).size, 0);
    assert.deepEqual([...conditionsOf({ ...GOOD, disks: [noFiles] }).keys()], ["disk-low"]);
  });
});

describe("the tracker", () => {
  const down = new Map<ConditionCode, string>([["iam-unreachable", "no answer"]]);
  const after = CONDITIONS["iam-unreachable"].shownAfterMs;

  it("shows a condition when it has held for as long as the table says, once, and clears it once", () => {
    const tracker = createTracker(true);

    const looks = [
      tracker.look(down, 0),
      tracker.look(down, after - 1),
      tracker.look(down, after),
      tracker.look(down, after + 5),
    ];
    const worse = isHealthy({ isReady: true, conditions: tracker.shown() });
    const cleared = tracker.look(new Map(), after + 10);

    assert.deepEqual(
      looks.map(({ raised }) => raised.map(({ code }) => code)),
      [[], [], ["iam-unreachable"], []],
    );
    assert.equal(worse, false);
    assert.deepEqual(cleared, { raised: [], cleared: ["iam-unreachable"] });
    assert.equal(isHealthy({ isReady: true, conditions: tracker.shown() }), true);
    assert.equal(isHealthy({ isReady: false, conditions: tracker.shown() }), false);
  });

  it("begins anew after a break, so that nothing flaps", () => {
    const tracker = createTracker(true);

    tracker.look(down, 0);
    tracker.look(new Map(), after - 1);
    const { raised } = tracker.look(down, after);

    assert.deepEqual(raised, []);
  });

  it("shows the worst first, and everything at once without patience", () => {
    const tracker = createTracker(false);

    tracker.look(
      new Map([
        ["records-refused", ""],
        ["iam-unreachable", ""],
        ["removals-refused", ""],
      ]),
      0,
    );

    assert.deepEqual(
      tracker.shown().map(({ severity }) => severity),
      ["critical", "degraded", "notice"],
    );
  });
});

describe("the time between two moments", () => {
  const at = (wallMs: number, uptimeMs: number, bootId: string): Moment => ({ wallMs, uptimeMs, bootId });
  const YEAR_MS = 365 * 86_400_000;

  it("is not changed by setting the clock within one boot", () => {
    fc.assert(
      fc.property(fc.integer({ min: -10 * YEAR_MS, max: 10 * YEAR_MS }), fc.nat(YEAR_MS), (jump, passed) => {
        assert.equal(msBetween(at(0, 1000, "a"), at(passed + jump, 1000 + passed, "a")), passed);
      }),
    );
  });

  it("is that of the wall clock across a boot, and never negative", () => {
    assert.equal(msBetween(at(0, 9e6, "a"), at(5000, 100, "b")), 5000);
    assert.equal(msBetween(at(YEAR_MS, 9e6, "a"), at(0, 100, "b")), 0);
    assert.equal(msBetween(at(0, 100, ""), at(7000, 900, "")), 7000);
  });
});

describe("requests to a daemon", () => {
  it("are answered together when they ask for the same, and in line when they do not", async () => {
    let woken = 0;
    const requests = createRequests(() => {
      woken += 1;
    });
    const answers = [requests.ask({}), requests.ask({ accepted: "x" }), requests.ask({ offline: false })];

    const first = requests.takeSync();
    first?.answer({ kind: "failed", failure: { code: "stopped", message: "1" } });
    const second = requests.takeSync();
    second?.answer({ kind: "failed", failure: { code: "stopped", message: "2" } });

    assert.deepEqual(
      (await Promise.all(answers)).map((result) => result.kind === "failed" && result.failure.message),
      ["1", "2", "1"],
    );
    assert.deepEqual(
      [first?.asked, second?.asked, requests.takeSync(), woken],
      [{}, { accepted: "x" }, undefined, 3],
    );
  });

  it("for a reload are taken once", () => {
    const requests = createRequests(() => undefined);

    requests.reload();
    requests.reload();

    assert.deepEqual([requests.takeReload(), requests.takeReload()], [true, false]);
  });
});
