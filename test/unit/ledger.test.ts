/**
 * Whose a name and an id are: what the ledger says to a pull, and what a pull says to the ledger.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isHeldNow, parseLedger, renderLedger } from "../../src/formats/ledger.ts";
import type { GroupDraft, UserDraft } from "../../src/model/draft.ts";
import { type Holding, holdingKey, type Ledger } from "../../src/model/ledger.ts";
import { ledgerAfter, planLedger } from "../../src/plan/ledger.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import type { Rules } from "../../src/validate/rules.ts";
import { aGroupDraft, aUserDraft, BEFORE, RULES, someDrafts } from "../support/drafts.ts";

const DAY_MS = 24 * 3600 * 1000;

function held(name: string, number: number, fields: Partial<Holding> = {}): Holding {
  return { kind: "user", id: `u-${name}`, name, number, firstSeen: 0, lastSeen: undefined, ...fields };
}

/** `ada` with uid 7001 and a private group. */
function aPerson(name: string, uid: number, fields: Partial<UserDraft> = {}): UserDraft {
  return aUserDraft(1, { id: `u-${name}`, name, uid, gid: uid, keys: [], ...fields });
}

interface Given {
  readonly holdings: readonly Holding[];
  readonly users?: readonly UserDraft[];
  readonly groups?: readonly GroupDraft[];
  readonly accepts?: Rules["accepts"];
}

function settle({ holdings, users = [], groups = [], accepts = new Set() }: Given) {
  const ledger: Ledger = { holdings, rebuiltAt: undefined };
  const rules = { ...RULES, accepts };
  const { directory, problems, accepted } = validateDirectory(someDrafts(users, groups), rules, {
    ...BEFORE,
    ledger,
  });
  return {
    served: directory.users.map(({ id, name, uid, gid }) => `${id} ${name} ${uid} ${gid}`),
    groups: directory.groups.map(({ id, name, gid }) => `${id ?? "private"} ${name} ${gid}`),
    codes: problems.map(({ subject, code }) => `${subject.id} ${code}`),
    accepted,
    after: ledgerAfter(directory, ledger, 5 * DAY_MS).holdings.map(
      ({ kind, id, name, number, lastSeen }) =>
        `${kind === "private" ? `private of ${id}` : (id ?? "?")} ${name} ${number}${lastSeen === undefined ? "" : " gone"}`,
    ),
  };
}

const EVE_TAKES_ADAS_UID = aPerson("eve", 7001);
const OTHER_ADA = aPerson("ada", 7009, { id: "u-eve" });
const ADA_WAS = held("ada", 7001, { lastSeen: DAY_MS });

/** What the ledger holds, what the IAM says, and who is served in the end. */
const CASES: Readonly<Record<string, Given & { readonly served: string[]; readonly codes: string[] }>> = {
  "a newcomer, while nobody holds anything": {
    holdings: [],
    users: [aPerson("ada", 7001)],
    served: ["u-ada ada 7001 7001"],
    codes: [],
  },
  "the holder, although another record claims the same uid": {
    holdings: [held("ada", 7001)],
    users: [EVE_TAKES_ADAS_UID, aPerson("ada", 7001)],
    served: ["u-ada ada 7001 7001"],
    codes: ["u-eve id-contested"],
  },
  "the holder, although another record claims the same name": {
    holdings: [held("ada", 7001)],
    users: [OTHER_ADA, aPerson("ada", 7001)],
    served: ["u-ada ada 7001 7001"],
    codes: ["u-eve name-contested"],
  },
  "the holder, although another record has both name and uid": {
    holdings: [held("ada", 7001)],
    users: [aPerson("ada", 7001, { id: "u-eve" }), aPerson("ada", 7001)],
    served: ["u-ada ada 7001 7001"],
    codes: ["u-eve name-contested", "u-eve id-contested"],
  },
  "nobody with a uid whose holder is gone": {
    holdings: [ADA_WAS],
    users: [EVE_TAKES_ADAS_UID],
    served: [],
    codes: ["u-eve id-remembered"],
  },
  "nobody under a name whose holder is gone": {
    holdings: [ADA_WAS],
    users: [OTHER_ADA],
    served: [],
    codes: ["u-eve name-remembered"],
  },
  "nobody with the uid of somebody who was refused for something else": {
    holdings: [held("ada", 7001)],
    users: [aPerson("ada", 7001, { name: "Ada!" }), EVE_TAKES_ADAS_UID],
    served: [],
    codes: ["u-ada name-invalid", "u-eve id-contested"],
  },
  "somebody who comes back, with the same name and uid": {
    holdings: [ADA_WAS],
    users: [aPerson("ada", 7001)],
    served: ["u-ada ada 7001 7001"],
    codes: [],
  },
  "the old uid, with its private group, to whom the IAM gives another": {
    holdings: [held("ada", 7001)],
    users: [aPerson("ada", 7002)],
    served: ["u-ada ada 7001 7001"],
    codes: ["u-ada id-held"],
  },
  "the old uid to somebody who comes back with another": {
    holdings: [held("ada", 7001, { lastSeen: DAY_MS })],
    users: [aPerson("ada", 7002)],
    served: ["u-ada ada 7001 7001"],
    codes: ["u-ada id-held"],
  },
  "the old uids to two who swap theirs": {
    holdings: [held("ada", 7001), held("bob", 7002)],
    users: [aPerson("ada", 7002), aPerson("bob", 7001)],
    served: ["u-ada ada 7001 7001", "u-bob bob 7002 7002"],
    codes: ["u-ada id-held", "u-bob id-held"],
  },
  "nobody else with a uid that a change would free": {
    holdings: [held("ada", 7001)],
    users: [aPerson("ada", 7002), EVE_TAKES_ADAS_UID],
    served: ["u-ada ada 7001 7001"],
    codes: ["u-ada id-held", "u-eve id-contested"],
  },
  "a new name with the old uid": {
    holdings: [held("ada", 7001)],
    users: [aPerson("countess", 7001, { id: "u-ada" })],
    served: ["u-ada countess 7001 7001"],
    codes: [],
  },
  "nobody under a name that its holder has given up": {
    holdings: [held("ada", 7001)],
    users: [aPerson("countess", 7001, { id: "u-ada" }), OTHER_ADA],
    served: ["u-ada countess 7001 7001"],
    codes: ["u-eve name-contested"],
  },
  "nobody whose old uid is a local one by now": {
    holdings: [held("ada", 1000)],
    users: [aPerson("ada", 7002)],
    served: [],
    codes: ["u-ada id-stuck", "u-ada id-local", "u-ada id-local"],
  },
  "whoever has both name and uid on maps that nobody can tell the records of": {
    holdings: [held("ada", 7001, { id: undefined })],
    users: [aPerson("ada", 7001, { id: "u-eve" }), OTHER_ADA, EVE_TAKES_ADAS_UID].slice(0, 2),
    served: ["u-eve ada 7001 7001"],
    codes: ["u-eve name-contested"],
  },
  "nobody of two who both have name and uid of such maps": {
    holdings: [held("ada", 7001, { id: undefined })],
    users: [aPerson("ada", 7001), aPerson("ada", 7001, { id: "u-eve" })],
    served: [],
    codes: ["u-ada name-contested", "u-eve name-contested", "u-ada id-contested", "u-eve id-contested"],
  },
  "nobody who has only the name, or only the uid, of such maps": {
    holdings: [held("ada", 7001, { id: undefined }), held("bob", 7002, { id: undefined })],
    users: [aPerson("ada", 7005), aPerson("eve", 7002)],
    served: [],
    codes: ["u-ada name-remembered", "u-eve id-remembered"],
  },
  "whom a person accepts, with the new uid": {
    holdings: [held("ada", 7001)],
    users: [aPerson("ada", 7002)],
    accepts: new Set(["user:ada"]),
    served: ["u-ada ada 7002 7002"],
    codes: [],
  },
  "whom a person accepts, with what somebody else had": {
    holdings: [ADA_WAS],
    users: [EVE_TAKES_ADAS_UID],
    accepts: "all",
    served: ["u-eve eve 7001 7001"],
    codes: [],
  },
  "both, each with the other's uid, when a person accepts both": {
    holdings: [held("ada", 7001), held("bob", 7002)],
    users: [aPerson("ada", 7002), aPerson("bob", 7001)],
    accepts: new Set(["user:ada", "user:bob"]),
    served: ["u-ada ada 7002 7002", "u-bob bob 7001 7001"],
    codes: [],
  },
  "the old uid, although it is accepted, while somebody else has the new one": {
    holdings: [held("ada", 7001), held("bob", 7002)],
    users: [aPerson("ada", 7002), aPerson("bob", 7001)],
    accepts: new Set(["user:ada"]),
    served: ["u-ada ada 7001 7001", "u-bob bob 7002 7002"],
    codes: ["u-ada id-held", "u-bob id-held"],
  },
  "the old uid, although it is accepted, while the holder of the new one is in the IAM and refused": {
    holdings: [held("ada", 7001), held("bob", 7002)],
    users: [aPerson("ada", 7002), aPerson("bob", 7002, { name: "Bob!" })],
    accepts: "all",
    served: ["u-ada ada 7001 7001"],
    codes: ["u-bob name-invalid", "u-ada id-held"],
  },
  "the old name to whoever wants one that somebody else had": {
    holdings: [
      held("ada", 7001),
      held("eve", 7002),
      held("countess", 7002, { id: "u-eve", lastSeen: DAY_MS }),
    ],
    users: [aPerson("countess", 7001, { id: "u-ada" }), aPerson("eve", 7002)],
    served: ["u-ada ada 7001 7001", "u-eve eve 7002 7002"],
    codes: ["u-ada name-held"],
  },
  "the old name to whoever wants that of a newcomer": {
    holdings: [held("ada", 7001)],
    users: [aPerson("new", 7001, { id: "u-ada" }), aPerson("new", 7005)],
    served: ["u-ada ada 7001 7001", "u-new new 7005 7005"],
    codes: ["u-ada name-held"],
  },
  "nobody with the old uid of a record that was made anew with another": {
    holdings: [held("ada", 7012, { id: "u-new" }), held("ada", 7001, { lastSeen: DAY_MS })],
    users: [aPerson("ada", 7012, { id: "u-new" }), EVE_TAKES_ADAS_UID],
    served: ["u-new ada 7012 7012"],
    codes: ["u-eve id-remembered"],
  },
  "the holder, whoever else a person accepts": {
    holdings: [held("ada", 7001)],
    users: [aPerson("ada", 7001), EVE_TAKES_ADAS_UID],
    accepts: "all",
    served: ["u-ada ada 7001 7001"],
    codes: ["u-eve id-contested"],
  },
};

describe("a pull, held against the ledger, serves", () => {
  for (const [what, { served, codes, ...given }] of Object.entries(CASES)) {
    it(what, () => {
      const settled = settle(given);

      assert.deepEqual(settled.served.toSorted(), served);
      assert.deepEqual(settled.codes.toSorted(), codes.toSorted());
    });
  }
});

describe("a group, held against the ledger,", () => {
  const WAS_RESEARCH: Holding = {
    ...held("research", 9001, { lastSeen: DAY_MS }),
    kind: "group",
    id: "g-research",
  };
  const ADAS_GROUP: Holding = { ...held("ada", 7001), kind: "private" };
  const stranger = (fields: Partial<GroupDraft>) => aGroupDraft(1, ["u-eve"], fields);
  const taken = aGroupDraft(1, [], { name: "other", gid: 9001 });

  it("does not get the gid of a group that is gone, nor that of a private group whose user is", () => {
    const former = settle({ holdings: [WAS_RESEARCH], groups: [taken] });
    const formerUser = settle({ holdings: [{ ...ADAS_GROUP, number: 9001 }], groups: [taken] });

    assert.deepEqual([former.groups, former.codes], [[], ["g-1 id-remembered"]]);
    assert.deepEqual([formerUser.groups, formerUser.codes], [[], ["g-1 id-remembered"]]);
  });

  it("is never joined by somebody whose old uid is its gid and who is held back to it", () => {
    const secret: Holding = { ...held("secret", 7001), kind: "group", id: "g-1" };

    const { served, groups, codes } = settle({
      holdings: [held("ada", 7001), secret],
      users: [aPerson("ada", 7002)],
      groups: [aGroupDraft(1, [], { name: "secret", gid: 7001 })],
    });

    assert.deepEqual([served, groups], [[], ["g-1 secret 7001"]]);
    assert.deepEqual(codes, ["u-ada id-held", "u-ada primary-group-missing"]);
  });

  it("may have another gid, and keeps its name and members", () => {
    const { groups, codes } = settle({
      holdings: [{ ...WAS_RESEARCH, id: "g-1", lastSeen: undefined }],
      groups: [aGroupDraft(1, [], { name: "research", gid: 9002 })],
    });

    assert.deepEqual([groups, codes], [["g-1 research 9002"], []]);
  });

  it("that is gone gives its gid to no private group, unless it was the user's own", () => {
    const foreign = settle({ holdings: [WAS_RESEARCH], users: [aPerson("ada", 9001)] });
    const decided = settle({
      holdings: [WAS_RESEARCH],
      users: [aPerson("ada", 9001)],
      accepts: new Set(["user:ada"]),
    });
    const own = settle({
      holdings: [{ ...WAS_RESEARCH, name: "ada" }],
      users: [aPerson("ada", 9001)],
    });

    assert.deepEqual([foreign.served, foreign.codes], [[], ["u-ada id-remembered"]]);
    assert.deepEqual([own.served, own.codes], [["u-ada ada 9001 9001"], []]);
    assert.deepEqual([decided.served, decided.accepted], [["u-ada ada 9001 9001"], ["user:ada"]]);
  });

  const CLAIMS: Readonly<Record<string, Partial<GroupDraft>>> = {
    "its gid": { name: "evil", gid: 7001 },
    "its name": { name: "ada", gid: 60_000 },
    "its name and gid": { name: "ada", gid: 7001 },
  };
  for (const [what, fields] of Object.entries(CLAIMS)) {
    it(`never takes over a private group by ${what}, whether its user stays, leaves or moves on`, () => {
      const known: Holding = { ...held("harmless", 60_000), kind: "group", id: "g-1" };
      const holdings = [held("ada", 7001), ADAS_GROUP, known];
      const shared = aGroupDraft(2, [], { name: "lab", gid: 8000 });
      const stays = settle({ holdings, users: [aPerson("ada", 7001)], groups: [stranger(fields)] });
      const leaves = settle({ holdings, groups: [stranger(fields)] });
      const moves = settle({
        holdings,
        users: [aPerson("ada", 7001, { gid: 8000 })],
        groups: [stranger(fields), shared],
      });

      assert.deepEqual([stays.served, stays.groups], [["u-ada ada 7001 7001"], ["private ada 7001"]]);
      assert.deepEqual(leaves.groups, []);
      assert.deepEqual([moves.served, moves.groups], [["u-ada ada 7001 8000"], ["g-2 lab 8000"]]);
    });
  }

  it("of that name and gid stands for a private group from now on when a person says so", () => {
    const { groups, accepted, after } = settle({
      holdings: [held("ada", 7001), ADAS_GROUP],
      users: [aPerson("ada", 7001)],
      groups: [stranger({ name: "ada", gid: 7001 })],
      accepts: new Set(["group:ada"]),
    });

    assert.deepEqual([groups, accepted], [["g-1 ada 7001"], ["group:ada"]]);
    assert.ok(after.includes("g-1 ada 7001"));
  });
});

describe("the ledger after a pull", () => {
  it("has whoever is served, and who is not any more as gone", () => {
    const { after } = settle({
      holdings: [held("ada", 7001), held("bob", 7002, { id: undefined }), held("cyd", 7003)],
      users: [aPerson("ada", 7001), aPerson("bob", 7002)],
    });

    assert.deepEqual(after, [
      "private of u-ada ada 7001",
      "private of u-bob bob 7002",
      "u-ada ada 7001",
      "u-bob bob 7002",
      "u-cyd cyd 7003 gone",
    ]);
  });

  it("has as gone what a refused record held and somebody else has by now, though the record is still in the IAM", () => {
    const team: Holding = { ...held("ada", 7004), kind: "group", id: "g-1" };

    const { groups, after } = settle({
      holdings: [team],
      users: [aPerson("ada", 7004)],
      groups: [1, 2].map((nth) => aGroupDraft(nth, [], { name: "both", gid: 7005 })),
    });

    assert.deepEqual(groups, ["private ada 7004"]);
    assert.ok(after.includes("g-1 ada 7004 gone"), after.join());
  });

  it("keeps the names somebody gave up, and the half that a person did not give to somebody else", () => {
    const renamed = settle({
      holdings: [held("ada", 7001)],
      users: [aPerson("countess", 7001, { id: "u-ada" })],
    });
    const given = settle({
      holdings: [ADA_WAS],
      users: [EVE_TAKES_ADAS_UID],
      accepts: new Set(["user:eve"]),
    });

    assert.deepEqual(renamed.after, [
      "private of u-ada countess 7001",
      "u-ada ada 7001 gone",
      "u-ada countess 7001",
    ]);
    assert.deepEqual(
      [given.after, given.accepted],
      [["private of u-eve eve 7001", "u-ada ada 7001 gone", "u-eve eve 7001"], ["user:eve"]],
    );
  });

  it("is read as it was written, and not at all when a byte of it is missing", () => {
    const plainly = { noNullPrototype: true };
    const holding = fc.record(
      {
        kind: fc.constantFrom("user" as const, "group" as const),
        id: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
        name: fc.string(),
        number: fc.nat(),
        firstSeen: fc.nat(),
        lastSeen: fc.option(fc.nat(), { nil: undefined }),
      },
      plainly,
    );
    const ledgers = fc.record(
      {
        holdings: fc.array(holding, { maxLength: 5 }),
        rebuiltAt: fc.option(fc.nat(), { nil: undefined }),
      },
      plainly,
    );

    fc.assert(
      fc.property(ledgers, fc.double({ min: 0, max: 0.999, noNaN: true }), (ledger, share) => {
        const bytes = renderLedger(ledger);

        assert.deepEqual(parseLedger(bytes), ledger);
        assert.equal(parseLedger(bytes.subarray(0, Math.floor(bytes.length * share))), undefined);
        for (const one of ledger.holdings) {
          for (const asked of [one, { ...one, name: `${one.name}x` }, { ...one, number: one.number + 1 }]) {
            const first = ledger.holdings.find((other) => holdingKey(other) === holdingKey(asked));
            assert.equal(isHeldNow(bytes, asked), first !== undefined && first.lastSeen === undefined);
          }
        }
      }),
    );
  });

  it("is kept again only where its file says something else", () => {
    const { directory } = validateDirectory(
      someDrafts([aPerson("ada", 7001), aPerson("bob", 7002)]),
      RULES,
      BEFORE,
    );
    const ledger = ledgerAfter(directory, { holdings: [], rebuiltAt: undefined }, 0);
    const gone = held("eve", 7003, { lastSeen: 0 });
    const [first, ...others] = ledger.holdings;
    assert.ok(first !== undefined);
    const written = (holdings: readonly Holding[], known = ledger) => {
      const ledgerFile = renderLedger({ ...known, holdings });
      return planLedger(directory, { ...BEFORE, ledger: known, ledgerFile, nowMs: DAY_MS })?.bytes;
    };

    assert.equal(ledgerAfter(directory, ledger, DAY_MS), ledger);
    assert.equal(written(ledger.holdings), undefined);
    assert.deepEqual(written([...ledger.holdings, gone]), renderLedger(ledger));
    assert.deepEqual(written(others), renderLedger(ledger));
    const onlyOnMaps = { ...ledger, holdings: [{ ...first, id: undefined }, ...others] };
    assert.deepEqual(written([gone, ...others], onlyOnMaps), renderLedger(ledger));
  });

  it("never lets a uid pass from one record to another, whatever the IAM says from day to day", () => {
    const person = fc.record({ id: fc.nat(4), name: fc.nat(4), uid: fc.nat(4), isGone: fc.boolean() });
    const days = fc.array(fc.uniqueArray(person, { selector: ({ id }) => id, maxLength: 5 }), {
      maxLength: 8,
    });

    fc.assert(
      fc.property(days, (pulls) => {
        let ledger: Ledger = { holdings: [], rebuiltAt: undefined };
        const ownerOf = new Map<string, string>();
        pulls.forEach((people, day) => {
          const users = people
            .filter(({ isGone }) => !isGone)
            .map(({ id, name, uid }) => aPerson(`n${name}`, 7000 + uid, { id: `u-${id}` }));
          const { directory } = validateDirectory(someDrafts(users), RULES, { ...BEFORE, ledger });
          for (const { id, name, uid } of directory.users) {
            for (const key of [`uid ${uid}`, `name ${name}`]) {
              assert.equal(ownerOf.get(key) ?? id, id, `${key} on day ${day}`);
              ownerOf.set(key, id);
            }
          }
          ledger = ledgerAfter(directory, ledger, day * DAY_MS);
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe("an IAM that says something else each day", () => {
  const person = fc.record({ id: fc.nat(4), name: fc.nat(4), uid: fc.nat(4), isShared: fc.boolean() });
  const team = fc.record({ id: fc.nat(3), name: fc.nat(5), gid: fc.nat(5) });
  const day = fc.record({
    people: fc.uniqueArray(person, { selector: ({ id }) => id, maxLength: 5 }),
    teams: fc.uniqueArray(team, { selector: ({ id }) => id, maxLength: 3 }),
  });
  const LAB = aGroupDraft(9, [], { name: "lab", gid: 8000 });
  const pullOf = ({ people, teams }: typeof day extends fc.Arbitrary<infer Day> ? Day : never) =>
    someDrafts(
      people.map(({ id, name, uid, isShared }) =>
        aPerson(`n${name}`, 7000 + uid, { id: `u-${id}`, ...(isShared && { gid: 8000 }) }),
      ),
      [
        LAB,
        ...teams.map(({ id, name, gid }) =>
          aGroupDraft(1, ["u-0"], { id: `g-${id}`, name: `n${name}`, gid: 7000 + gid }),
        ),
      ],
    );

  it("hands no gid and no name of a group from one owner to another", () => {
    fc.assert(
      fc.property(fc.array(day, { maxLength: 8 }), (days) => {
        let ledger: Ledger = { holdings: [], rebuiltAt: undefined };
        const owners = new Map<string, string>();
        days.forEach((said, nth) => {
          const { directory } = validateDirectory(pullOf(said), RULES, { ...BEFORE, ledger });
          const userOf = new Map(directory.users.map(({ name, id }) => [String(name), id]));
          for (const { id, name, gid } of directory.groups) {
            const owner = id === undefined ? `user ${userOf.get(name)}` : `group ${id}`;
            for (const key of [`name ${name}`, `gid ${gid}`]) {
              const before = owners.get(key) ?? owner;
              // A group record and a private group of one name and one gid are the same group.
              const isSame = owners.get(`place ${name} ${gid}`) === before;
              assert.ok(before === owner || isSame, `${key} went from ${before} to ${owner} on day ${nth}`);
              owners.set(key, owner);
            }
            owners.set(`place ${name} ${gid}`, owner);
          }
          ledger = ledgerAfter(directory, ledger, nth * DAY_MS);
        });
      }),
      { numRuns: 400 },
    );
  });

  it("and is mended leaves nobody out whom a person cannot let in, and the ledger comes to rest", () => {
    const first = someDrafts(
      ["ada", "bob", "cyd"].map((name, nth) => aPerson(name, 7000 + nth, { id: `u-${nth}` })),
      [LAB],
    );
    const settleDay = (ledger: Ledger, pull: typeof first, accepts: Rules["accepts"]) => {
      const { directory } = validateDirectory(pull, { ...RULES, accepts }, { ...BEFORE, ledger });
      return {
        names: directory.users.map(({ id, uid }) => `${id} ${uid}`),
        ledger: ledgerAfter(directory, ledger, DAY_MS),
      };
    };
    fc.assert(
      fc.property(fc.array(day, { maxLength: 6 }), (days) => {
        const before = settleDay({ holdings: [], rebuiltAt: undefined }, first, new Set());
        const worn = days.reduce(
          (ledger, said) => settleDay(ledger, pullOf(said), new Set()).ledger,
          before.ledger,
        );

        const mended = settleDay(worn, first, "all");
        const again = settleDay(mended.ledger, first, new Set());

        assert.deepEqual(mended.names.toSorted(), before.names.toSorted());
        assert.deepEqual(again.names.toSorted(), before.names.toSorted());
        assert.deepEqual(settleDay(again.ledger, first, new Set()).ledger, again.ledger);
      }),
      { numRuns: 400 },
    );
  });
});
