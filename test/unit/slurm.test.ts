import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { renderJsonLines } from "../../src/formats/json-lines.ts";
import { jobsInRefusal, parseRows, strangeRows } from "../../src/formats/sacctmgr.ts";
import { parseSlurmHoldings, renderSlurmHoldings } from "../../src/formats/slurm-holdings.ts";
import type { Directory } from "../../src/model/directory.ts";
import type { ObservedSlurm, SlurmAccount, SlurmHolding, SlurmPlan } from "../../src/model/slurm.ts";
import { slurmRefusalOf } from "../../src/plan/guard.ts";
import { planSlurm } from "../../src/plan/slurm.ts";
import { slurmHoldingsThere } from "../../src/plan/slurm-owned.ts";
import { type SlurmSettings, wantedSlurm } from "../../src/plan/slurm-wanted.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { aGroupDraft, aUserDraft, BEFORE, PLAN_SETTINGS, RULES, someDrafts } from "../support/drafts.ts";
import { carriedOut, EMPTY_SLURM, slurmAccount, slurmUser } from "../support/simulated-slurm.ts";

const SETTINGS: SlurmSettings = {
  accounts: [
    { account: "nlp", group: "group1", parent: "research", fairshare: 20, qos: ["normal"], everybody: false },
    { account: "$1", match: "gro(.*)", everybody: false },
    { account: "research", everybody: false },
    { account: "users", everybody: true },
  ],
  adminLevel: { operator: ["group2"], administrator: ["group3"] },
  adopt: [],
  cancelJobs: false,
};

/** By group, the numbers of its members; everybody up to `count` is active but for `inactive`. */
function aDirectory(
  groups: Readonly<Record<number, readonly number[]>>,
  count = 4,
  inactive: readonly number[] = [],
): Directory {
  const users = Array.from({ length: count }, (_, nth) =>
    aUserDraft(nth + 1, { active: !inactive.includes(nth + 1) }),
  );
  const drafts = Object.entries(groups).map(([nth, members]) =>
    aGroupDraft(
      Number(nth),
      members.map((member) => `u-${member}`),
    ),
  );
  return validateDirectory(someDrafts(users, drafts), RULES, BEFORE).directory;
}

function planFor(directory: Directory, observed: ObservedSlurm, settings = SETTINGS): SlurmPlan {
  return planSlurm(wantedSlurm(directory, settings, observed), observed, settings);
}

/** What Slurm has after a sync, with what Rollcall then knows to be its own. */
function synced(directory: Directory, before: ObservedSlurm, settings = SETTINGS): ObservedSlurm {
  const plan = planFor(directory, before, settings);
  const after = carriedOut(plan.steps, before);
  const holdings = slurmHoldingsThere([...before.holdings, ...plan.holdings], after);
  return { ...after, holdings };
}

const accountsOf = (observed: ObservedSlurm, user: string) =>
  [...(observed.users.get(user)?.accounts ?? [])].sort();

describe("accounts of Slurm", () => {
  it("come with parents, settings, people, defaults and levels", () => {
    const observed = synced(aDirectory({ 1: [1, 2], 2: [2], 3: [3] }), EMPTY_SLURM);

    assert.deepEqual(observed.accounts.get("nlp"), {
      parent: "research",
      fairshare: "20",
      qos: ["normal"],
      defaultQos: "",
      isElsewhere: false,
    });
    assert.deepEqual(accountsOf(observed, "user1"), ["nlp", "up1", "users"]);
    assert.deepEqual(accountsOf(observed, "user4"), ["users"]);
    assert.equal(observed.users.get("user1")?.defaultAccount, "nlp");
    assert.equal(observed.users.get("user3")?.adminLevel, "Administrator");
    assert.equal(observed.users.get("user2")?.adminLevel, "Operator");
  });

  it("follow the groups: moved, deactivated, group removed", () => {
    const first = synced(aDirectory({ 1: [1, 2], 2: [2], 3: [3] }), EMPTY_SLURM);
    const moved = synced(aDirectory({ 1: [2], 2: [1] }, 4, [4]), first);

    assert.deepEqual(accountsOf(moved, "user1"), ["up2", "users"]);
    assert.equal(moved.users.get("user1")?.defaultAccount, "up2");
    assert.equal(moved.users.has("user4"), false);
    assert.equal(moved.accounts.has("up3"), false);
    assert.equal(moved.users.get("user3")?.adminLevel, "None");
  });

  it("that somebody else made are left alone, and so are their people", () => {
    const byHand: ObservedSlurm = {
      ...EMPTY_SLURM,
      accounts: new Map([
        ...EMPTY_SLURM.accounts,
        ["nlp", slurmAccount("root", "7")],
        ["physics", slurmAccount("root", "3")],
      ]),
      users: new Map([
        ["user1", slurmUser(["nlp", "physics"], { defaultAccount: "physics", adminLevel: "Operator" })],
        ["guest", slurmUser(["nlp"])],
      ]),
    };
    const first = synced(aDirectory({ 1: [1, 2], 2: [1] }), byHand);
    const second = synced(aDirectory({}, 0), first, { ...SETTINGS, accounts: [] });
    const problems = planFor(aDirectory({ 1: [1] }), byHand).problems.map(({ code }) => code);

    assert.equal(first.accounts.get("nlp")?.fairshare, "7");
    assert.ok(problems.includes("slurm-not-ours"));
    assert.deepEqual(second.users.get("user1"), byHand.users.get("user1"));
    assert.deepEqual(second.users.get("guest"), byHand.users.get("guest"));
    assert.deepEqual([...second.accounts], [...byHand.accounts]);
    assert.equal(second.users.has("user2"), false);
  });

  it("are taken over when they are to be adopted", () => {
    const first = synced(aDirectory({ 1: [1, 2] }), EMPTY_SLURM);
    const forgotten: ObservedSlurm = { ...first, holdings: [] };
    const settings = { ...SETTINGS, adopt: ["nlp", "users"] };
    const adopted = synced(aDirectory({ 1: [2] }), forgotten, settings);

    const gone = synced(aDirectory({}), adopted, settings);

    assert.deepEqual(accountsOf(adopted, "user1"), ["up1", "users"]);
    assert.deepEqual(planFor(aDirectory({ 1: [2] }), forgotten).losers, []);
    assert.deepEqual(accountsOf(gone, "user2"), ["up1", "users"]);
    assert.ok(gone.accounts.has("nlp"), "what somebody else made stays, with nobody in it");
  });

  it("keep whoever has a job, with the jobs in the message, unless they are to be cancelled", () => {
    const first = synced(aDirectory({ 1: [1, 2] }), EMPTY_SLURM);
    const busy = { ...first, jobs: [{ id: "77", user: "user1", account: "nlp" }] };
    const leaving = aDirectory({ 1: [2] });
    const plan = planFor(leaving, busy);
    const cancelling = planFor(leaving, busy, { ...SETTINGS, cancelJobs: true });

    assert.deepEqual(accountsOf(synced(leaving, busy), "user1"), ["nlp", "users"]);
    assert.match(plan.problems.map(({ reason }) => reason).join(), /nlp while jobs have not ended: 77/);
    assert.deepEqual(
      cancelling.steps
        .map(({ kind }) => kind)
        .filter((kind) => kind === "cancel-jobs" || kind === "remove-users"),
      ["cancel-jobs", "remove-users", "remove-users"],
    );
  });

  it("are set right by what differs alone, and never lose their default QOS on the way", () => {
    const first = synced(aDirectory({ 1: [1] }), EMPTY_SLURM);
    const settingsOf = (fields: Partial<SlurmAccount>, rule: object) => {
      const nlp = first.accounts.get("nlp") ?? assert.fail();
      const observed = { ...first, accounts: new Map([...first.accounts, ["nlp", { ...nlp, ...fields }]]) };
      const [own, ...others] = SETTINGS.accounts;
      const settings = { ...SETTINGS, accounts: [{ ...(own ?? assert.fail()), ...rule }, ...others] };
      const step = planFor(aDirectory({ 1: [1] }), observed, settings).steps.find(
        ({ kind }) => kind === "modify-account",
      );
      return step !== undefined && "settings" in step ? JSON.parse(JSON.stringify(step.settings)) : undefined;
    };

    assert.deepEqual(settingsOf({}, {}), undefined);
    assert.deepEqual(settingsOf({}, { fairshare: 50 }), { fairshare: 50 });
    assert.deepEqual(settingsOf({ defaultQos: "normal" }, { qos: ["high"] }), {
      qos: ["high"],
      defaultQos: "-1",
    });
    assert.deepEqual(settingsOf({ defaultQos: "normal" }, { qos: ["high"], defaultQos: "high" }), {
      qos: ["high"],
      defaultQos: "high",
    });
  });

  it("never lose an association for one partition that somebody else made", () => {
    const first = synced(aDirectory({ 1: [1, 2] }), EMPTY_SLURM);
    const users = new Map(first.users);
    users.set("user1", slurmUser(["nlp", "up1", "users"], { partitioned: new Set(["nlp"]) }));
    const plan = planFor(aDirectory({ 1: [2] }), { ...first, users });

    assert.ok(plan.problems.some(({ code, subject }) => code === "slurm-kept" && subject.id === "user1"));
    assert.equal(
      plan.steps.some((step) => step.kind === "remove-users" && step.account === "nlp"),
      false,
    );
  });

  it("keep whoever has an admin level of somebody else, which would go with the last one", () => {
    const first = synced(aDirectory({ 1: [1, 2] }, 4), EMPTY_SLURM);
    const users = new Map(first.users);
    users.set("user4", slurmUser(["users"], { adminLevel: "Operator" }));
    const plan = planFor(aDirectory({ 1: [1, 2] }, 4, [4]), { ...first, users });

    assert.deepEqual(plan.steps, []);
    assert.match(plan.problems.map(({ reason }) => reason).join(), /the AdminLevel Operator, which would go/);
  });

  it("give somebody who keeps another account that one as default, before they leave", () => {
    const first = synced(aDirectory({ 1: [1] }), EMPTY_SLURM);
    const users = new Map(first.users);
    users.set("user1", slurmUser(["nlp", "up1", "users", "hand"]));
    const accounts = new Map([...first.accounts, ["hand", slurmAccount("root")]]);
    const after = synced(aDirectory({}, 0), { ...first, accounts, users }, { ...SETTINGS, accounts: [] });

    assert.deepEqual(accountsOf(after, "user1"), ["hand"]);
    assert.equal(after.users.get("user1")?.defaultAccount, "hand");
  });

  it("and users are not removed whole while a row cannot be read, nor while their rule cannot be met", () => {
    const first = synced(aDirectory({ 1: [1] }), EMPTY_SLURM);
    const none: SlurmSettings = {
      ...SETTINGS,
      accounts: [],
      adminLevel: { operator: [], administrator: [] },
    };
    const kindsOf = (observed: ObservedSlurm, settings: SlurmSettings = none) =>
      new Set(planFor(aDirectory({}, 0), observed, settings).steps.map(({ kind }) => kind));
    const unreadable = { ...first, unreadable: ["test|x|y|||1|nlp||"] };

    assert.ok(kindsOf(first).has("remove-account") && kindsOf(first).has("remove-records"));
    assert.deepEqual([...kindsOf(unreadable)], ["remove-users"]);
    assert.match(
      planFor(aDirectory({}, 0), unreadable, none).problems[0]?.reason ?? "",
      /"test\|x\|y.*cannot be read/,
    );
    assert.equal(kindsOf({ ...first, qos: new Set() }, SETTINGS).has("remove-account"), true, "of a group");
    assert.ok(
      !planFor(aDirectory({ 1: [1] }), { ...first, qos: new Set() }).steps.some(
        (step) => step.kind === "remove-account",
      ),
    );
  });

  it("count nobody as leaving who only moves, nor take a record that other clusters need", () => {
    const moves: SlurmSettings = {
      ...SETTINGS,
      accounts: [{ account: "$1", match: "gro(.*)", everybody: false }],
    };
    const first = synced(aDirectory({ 1: [1], 2: [2] }, 2), EMPTY_SLURM, moves);
    const moved = planFor(aDirectory({ 1: [2], 2: [1] }, 2), first, moves);
    const users = new Map(first.users);
    users.set("user1", slurmUser(["up1"], { isElsewhere: true }));
    const gone = planFor(aDirectory({ 2: [2] }, 2, [1]), { ...first, users }, moves);
    const kindsOf = ({ steps }: SlurmPlan) => steps.map(({ kind }) => kind);

    assert.deepEqual(moved.losers, []);
    assert.ok(!kindsOf(moved).includes("remove-records"));
    assert.deepEqual(kindsOf(gone), ["remove-users", "remove-account"]);
  });

  it("stay while somebody else's people are in them", () => {
    const first = synced(aDirectory({ 1: [1] }), EMPTY_SLURM);
    const users = new Map([...first.users, ["guest", slurmUser(["nlp"])] as const]);
    const after = synced(aDirectory({}, 0), { ...first, users }, { ...SETTINGS, accounts: [] });

    assert.deepEqual(accountsOf(after, "guest"), ["nlp"]);
    assert.deepEqual([...after.accounts.keys()], ["root", "research", "nlp"]);
  });

  it("leave a default account alone that somebody chose", () => {
    const first = synced(aDirectory({ 1: [1] }), EMPTY_SLURM);
    const users = new Map(first.users);
    users.set("user1", slurmUser(["nlp", "up1", "users"], { defaultAccount: "users" }));
    const chosen = { ...first, users, holdings: slurmHoldingsThere(first.holdings, { ...first, users }) };

    assert.deepEqual(planFor(aDirectory({ 1: [1] }), chosen).steps, []);
  });

  it("name what is not there, with what was meant, and make the others", () => {
    const settings: SlurmSettings = {
      ...SETTINGS,
      accounts: [
        { account: "a", group: "grup1", everybody: false },
        { account: "b", group: "group1", parent: "reserch", everybody: false },
        { account: "c", group: "group1", qos: ["norml"], everybody: false },
        { account: "below-b", group: "group1", parent: "b", everybody: false },
        { account: "$1", match: "(g)roup1.*", everybody: false },
      ],
      adminLevel: { operator: ["oprators"], administrator: [] },
    };
    const observed = {
      ...EMPTY_SLURM,
      accounts: new Map([["research", slurmAccount("root", "1")]]),
    };
    const plan = planFor(aDirectory({ 1: [1] }), observed, settings);
    const said = plan.problems.map(({ reason }) => reason).join("\n");

    assert.match(said, /"grup1" is not there; did you mean "group1"/);
    assert.match(said, /its parent "reserch" is not there; did you mean "research"/);
    assert.match(said, /the QOS "norml" is not there; did you mean "normal"/);
    assert.match(said, /its parent "b" is not there/);
    assert.match(said, /"oprators" is not there/);
    assert.deepEqual(
      plan.steps.map((step) => ("account" in step ? step.account : step.kind)),
      ["g", "g"],
    );
  });

  it("blow the fuse when too many would have none any more", () => {
    const first = synced(aDirectory({ 1: [1, 2, 3, 4] }), EMPTY_SLURM);
    const settings = { ...SETTINGS, accounts: [] };
    const all = planFor(aDirectory({ 1: [1, 2, 3, 4] }), first, settings);
    const one = planFor(aDirectory({ 1: [1, 2, 3] }, 4, [4]), first);

    assert.match(slurmRefusalOf(all, PLAN_SETTINGS.guard) ?? "", /the last account from 4 of 4 users/);
    assert.deepEqual(one.losers, ["user4"]);
    assert.match(
      slurmRefusalOf({ losers: [], holders: 9, lostAccounts: 3, madeAccounts: 5 }, PLAN_SETTINGS.guard) ?? "",
      /remove 3 of the 5 accounts/,
    );
    assert.equal(slurmRefusalOf(one, PLAN_SETTINGS.guard), undefined);
  });
});

const anyGroups = fc.dictionary(
  fc.integer({ min: 1, max: 5 }).map(String),
  fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
);
const anyDirectory = fc
  .tuple(anyGroups, fc.uniqueArray(fc.integer({ min: 1, max: 6 })))
  .map(([groups, inactive]) => aDirectory(groups, 6, inactive));

describe("a plan for Slurm", () => {
  it("leaves nothing to do, whatever came before, and nothing of others is touched", () => {
    const byHand: ObservedSlurm = {
      ...EMPTY_SLURM,
      accounts: new Map([...EMPTY_SLURM.accounts, ["hand", slurmAccount("root", "3")]]),
      users: new Map([["user1", slurmUser(["hand"], { defaultAccount: "hand" })]]),
    };
    fc.assert(
      fc.property(fc.array(anyDirectory, { minLength: 1, maxLength: 5 }), (days) => {
        const end = days.reduce((observed, directory) => synced(directory, observed), byHand);
        const last = days.at(-1) ?? assert.fail();
        assert.deepEqual(planFor(last, end).steps, []);
        assert.deepEqual(end.accounts.get("hand"), byHand.accounts.get("hand"));
        assert.ok(end.users.get("user1")?.accounts.has("hand"));
        assert.equal(end.users.get("user1")?.defaultAccount, "hand");
        const gone = synced(aDirectory({}, 0), end, { ...SETTINGS, accounts: [] });
        assert.deepEqual([...gone.accounts], [...byHand.accounts]);
        assert.deepEqual([...gone.users], [...byHand.users]);
        assert.deepEqual(gone.holdings, []);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the list of what is Rollcall's in Slurm", () => {
  const holdings: SlurmHolding[] = [
    { kind: "account", account: "nlp" },
    { kind: "user", user: "ada" },
    { kind: "association", user: "ada", account: "nlp" },
    { kind: "default", user: "ada", account: "nlp" },
    { kind: "level", user: "ada", level: "Operator" },
  ];

  it("reads back what was written, and believes nothing that is not whole", () => {
    const bytes = renderSlurmHoldings(holdings);

    assert.deepEqual(parseSlurmHoldings(bytes), holdings);
    assert.equal(parseSlurmHoldings(bytes.slice(0, -20)), undefined);
    assert.equal(parseSlurmHoldings(Buffer.from("{}")), undefined);
    for (const line of [
      ["account"],
      ["association", "ada"],
      ["level", "ada", "Operator", "x"],
      ["user", ""],
    ]) {
      const bad = renderJsonLines("slurm", { heading: {}, lines: [line] });
      assert.equal(parseSlurmHoldings(bad), undefined, JSON.stringify(line));
    }
  });
});

describe("a table of Slurm", () => {
  it("has only rows with all of its fields", () => {
    assert.deepEqual(parseRows("a|b|c\nd|e\n\n|x|y\nf|g|h|i\n", 3), [
      ["a", "b", "c"],
      ["", "x", "y"],
    ]);
    assert.deepEqual(strangeRows("a|b|c\nd|e\n\nf|g|h|i\n", 3), ["d|e", "f|g|h|i"]);
  });

  it("of jobs that are in the way says whose they are", () => {
    const text = ` Error with request: Job(s) active, cancel job(s) before remove
  JobID = 3          C = test       A = nlp        U = user11
  JobID = 14         C = test       A = vision     U = ada`;

    assert.deepEqual(jobsInRefusal(text), [
      { id: "3", account: "nlp", user: "user11" },
      { id: "14", account: "vision", user: "ada" },
    ]);
  });
});
