import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { planIdOf } from "../../src/daemon/decisions.ts";
import { renderAuthorizedKeys } from "../../src/formats/authorized-keys.ts";
import { parseIndex } from "../../src/formats/index-file.ts";
import { parsePasswd } from "../../src/formats/passwd.ts";
import { SENTINELS } from "../../src/formats/sentinel.ts";
import { renderSshkey } from "../../src/formats/sshkey.ts";
import type { Directory } from "../../src/model/directory.ts";
import type { UserDraft } from "../../src/model/draft.ts";
import { countUnlisted } from "../../src/model/listed.ts";
import type { Observed, ObservedFile } from "../../src/model/observed.ts";
import type { Plan } from "../../src/model/plan.ts";
import { countSteps, type Outcome, type RunReport, undoneSteps } from "../../src/model/report.ts";
import { refusalOf } from "../../src/plan/guard.ts";
import { planChanges } from "../../src/plan/plan.ts";
import { renderChanges, renderFailures } from "../../src/report/messages.ts";
import { runRecordOf } from "../../src/report/record.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import {
  aGroupDraft,
  anEmptyNode,
  aUserDraft,
  BEFORE,
  LOCAL,
  PLAN_SETTINGS,
  RULES,
  someDrafts,
} from "../support/drafts.ts";
import { aKey } from "../support/records.ts";
import { simpleIndex, simpleLines, simpleSlots } from "../support/simple-maps.ts";
import { afterPlan, fileOf } from "../support/simulated-node.ts";
import { aDirectoryOf, wildGroupDraft, wildUserDraft } from "../support/wild.ts";

const directories = fc
  .tuple(fc.array(wildUserDraft(), { maxLength: 8 }), fc.array(wildGroupDraft(), { maxLength: 4 }))
  .map(([users, groups]) => validateDirectory(someDrafts(users, groups), RULES, BEFORE).directory);

function plan(directory: Directory, observed: Observed = anEmptyNode()) {
  return planChanges(directory, observed, PLAN_SETTINGS);
}

const bytesOf = (file: ObservedFile | undefined) => file?.bytes ?? new Uint8Array();
const textOf = (file: ObservedFile | undefined) => Buffer.from(bytesOf(file)).toString();

/** As passwd(5), group(5) and shadow(5) have them. */
function linesOf({ users, groups }: Directory): Record<keyof typeof SENTINELS, string[]> {
  return {
    passwd: users.map((one) => [one.name, "x", one.uid, one.gid, one.gecos, one.home, one.shell].join(":")),
    group: groups.map((one) => [one.name, "x", one.gid, one.members.join(",")].join(":")),
    shadow: users.map(({ name, active }) => `${name}${active ? ":*:::::::" : ":!::::::1:"}`),
  };
}

/** A node that serves these users, one key each. */
function aNodeServing(...users: readonly Partial<UserDraft>[]): Observed {
  const directory = aDirectoryOf(...users);
  return afterPlan(anEmptyNode(), plan(directory));
}

describe("a plan", () => {
  it("carried out leaves nothing to plan, whatever was there before", () => {
    fc.assert(
      fc.property(directories, directories, (first, second) => {
        const once = afterPlan(anEmptyNode(), plan(first));
        const twice = afterPlan(once, plan(second, once));

        assert.deepEqual(plan(first, once).steps, []);
        assert.deepEqual(plan(second, twice).steps, []);
        assert.deepEqual(plan(second, twice).changes, []);
      }),
      { numRuns: 60 },
    );
  });

  it("makes the maps and the indexes that the simple way makes", () => {
    fc.assert(
      fc.property(directories, directories, (first, second) => {
        const node = afterPlan(anEmptyNode(), plan(first));
        const { maps } = afterPlan(node, plan(second, node));

        for (const [map, lines] of Object.entries(linesOf(second)) as [keyof typeof SENTINELS, string[]][]) {
          const records = lines.map((line) => ({ name: line.split(":")[0] ?? "", line }));
          const { bytes, offsets } = simpleSlots(records, bytesOf(node.maps[map].data), SENTINELS[map]);
          assert.equal(textOf(maps[map].data), Buffer.from(bytes).toString());
          for (const [index, file] of maps[map].indexes) {
            const keyOf = (line: string) => line.split(":")[index === "ixname" ? 0 : 2] ?? "";
            const keys = lines.map((line, nth) => ({ key: keyOf(line), offset: offsets[nth] ?? 0 }));
            assert.equal(textOf(file), Buffer.from(simpleIndex(keys)).toString());
          }
        }
        assert.equal(
          textOf(maps.sshkey.data),
          Buffer.from(simpleLines(second.users.map(renderSshkey)).bytes).toString(),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("takes away first and gives last", () => {
    const node = aNodeServing({ name: "ada" }, { name: "gone" });

    const { steps } = plan(aDirectoryOf({ name: "ada", keys: [aKey(1), aKey(5)] }, { name: "new" }), node);

    assert.deepEqual(
      steps.map((step) =>
        step.kind === "publish-map" ? step.map : `${step.kind}${"user" in step ? ` ${step.user}` : ""}`,
      ),
      [
        "revoke-keys gone",
        "keep-ledger",
        "group",
        "passwd",
        "shadow",
        "sshkey",
        "create-home new",
        "grant-keys ada",
        "grant-keys new",
      ],
    );
  });

  it("replaces a rotated key in one step, so that its owner is never without one", () => {
    const node = aNodeServing({ name: "ada", keys: [aKey(1), aKey(2)] });

    const { steps, changes } = plan(aDirectoryOf({ name: "ada", keys: [aKey(2), aKey(3)] }), node);

    assert.deepEqual(
      steps.map((step) => step.kind),
      ["revoke-keys", "publish-map"],
    );
    assert.deepEqual(
      changes.map((change) => change.event),
      ["key-revoked", "key-granted"],
    );
    assert.match(
      String(steps[0] && "content" in steps[0] && steps[0].content),
      new RegExp(aKey(3).slice(12, 40)),
    );
  });

  it("gives a new key last when the uid changed under it", () => {
    const node = aNodeServing({ name: "ada", uid: 7001, keys: [aKey(1)] });

    const { steps } = plan(aDirectoryOf({ name: "ada", uid: 7002, keys: [aKey(2)] }), node);

    const keySteps = steps.filter((step) => step.kind === "revoke-keys" || step.kind === "grant-keys");
    assert.deepEqual(
      keySteps.map((step) => [step.kind, step.kind === "grant-keys" ? step.keys.length : step.content]),
      [
        ["revoke-keys", undefined],
        ["grant-keys", 1],
      ],
    );
    assert.equal(steps.at(-1)?.kind, "grant-keys");
  });

  it("removes the keys of whoever becomes inactive, and says so", () => {
    const node = aNodeServing({ name: "ada" }, { name: "bob" });

    const { steps, changes } = plan(aDirectoryOf({ name: "ada", active: false }, { name: "bob" }), node);

    assert.deepEqual(
      steps.map((step) => step.kind),
      ["revoke-keys", "publish-map", "publish-map", "publish-map"],
    );
    assert.deepEqual(
      changes.map((change) => change.event),
      ["user-deactivated", "key-revoked"],
    );
  });

  it("leaves key files of local accounts and of admins alone", () => {
    const theirs = fileOf(Buffer.from(`${aKey(50)}\n`), 0o600, 0);
    const node = anEmptyNode({
      keyFiles: new Map([
        ["localadmin", theirs],
        ["breakglass", theirs],
      ]),
    });

    const { steps, problems } = plan(aDirectoryOf({ name: "ada" }), node);

    assert.deepEqual(
      steps.filter((step) => step.kind === "revoke-keys"),
      [],
    );
    assert.deepEqual(
      problems.map(({ code, subject }) => [code, subject.name]),
      [["key-file-foreign", "breakglass"]],
    );
  });

  it("removes a key file of ours whose name has become a local account", () => {
    const node = aNodeServing({ name: "ada" });
    const local = { ...LOCAL, userNames: new Set([...LOCAL.userNames, "ada"]) };

    const { steps } = plan(aDirectoryOf(), { ...node, local });

    assert.deepEqual(steps[0], { kind: "revoke-keys", user: "ada", content: undefined });
  });

  it("replaces a key file that somebody put in a served user's place", () => {
    const planted = fileOf(Buffer.from(`${aKey(66)}\n`), 0o644, 0);
    const node: Observed = { ...aNodeServing({ name: "ada" }), keyFiles: new Map([["ada", planted]]) };

    const { steps, changes } = plan(aDirectoryOf({ name: "ada" }), node);

    assert.deepEqual(
      steps.map((step) => step.kind),
      ["revoke-keys"],
    );
    assert.deepEqual(
      changes.map((change) => change.event),
      ["key-revoked", "key-granted", "file-repaired"],
    );
  });

  it("removes a key file of ours that belongs to nobody any more", () => {
    const stale = fileOf(
      Buffer.from(renderAuthorizedKeys(aDirectoryOf({ name: "ada" }).users[0]?.keys ?? [])),
      0o644,
      0,
    );
    const node = anEmptyNode({ keyFiles: new Map([["gone", stale]]) });

    const { steps } = plan(aDirectoryOf(), node);

    assert.deepEqual(steps.slice(0, 1), [{ kind: "revoke-keys", user: "gone", content: undefined }]);
  });

  it("publishes a map again when its mode, owner or index would make readers stumble", () => {
    const node = aNodeServing({ name: "ada" });
    const { passwd } = node.maps;
    const index = passwd.indexes.get("ixname");
    assert.ok(passwd.data && index);
    const harmed = [
      { ...passwd, data: { ...passwd.data, mode: 0o600 } },
      { ...passwd, data: { ...passwd.data, uid: 1000 } },
      { ...passwd, data: { ...passwd.data, mtimeMs: index.mtimeMs + 1000 } },
      { ...passwd, indexes: new Map([["ixname", index]] as const) },
      { ...passwd, indexes: new Map([...passwd.indexes, ["ixgid", index]] as const) },
    ];

    for (const map of harmed) {
      const { steps, changes } = plan(aDirectoryOf({ name: "ada" }), {
        ...node,
        maps: { ...node.maps, passwd: map },
      });

      assert.deepEqual(
        steps.map((step) => step.kind === "publish-map" && step.map),
        ["passwd"],
      );
      assert.deepEqual(
        changes.map((change) => change.event),
        ["file-repaired"],
      );
    }
  });

  it("does not compare owners where it cannot set them", () => {
    const node = aNodeServing({ name: "ada" });
    const { passwd } = node.maps;
    assert.ok(passwd.data);
    const maps = { ...node.maps, passwd: { ...passwd, data: { ...passwd.data, uid: 1000, gid: 1000 } } };

    assert.deepEqual(plan(aDirectoryOf({ name: "ada" }), { ...node, maps, ownsFiles: false }).steps, []);
  });

  it("never touches a home that is there, and reports what is wrong with it", () => {
    const homes = new Map([
      ["/home/ada", { kind: "directory", uid: 4242 }],
      ["/home/bob", { kind: "other" }],
      ["/home/cy", { kind: "unreachable", reason: "not mounted", hangs: false }],
    ] as const);

    const { steps, problems } = plan(
      aDirectoryOf({ name: "ada" }, { name: "bob" }, { name: "cy" }),
      anEmptyNode({ homes }),
    );

    assert.deepEqual(
      steps.filter((step) => step.kind === "create-home"),
      [],
    );
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["home-owner", "home-blocked", "home-parent"],
    );
  });

  it("removes what a killed sync left behind before anything else, and then no more", () => {
    const node = anEmptyNode({ leftovers: ["/home/.rollcall-0123456789ab"] });

    const planned = plan(aDirectoryOf({ name: "ada" }), node);

    assert.deepEqual(planned.steps[0], { kind: "remove-leftover", path: "/home/.rollcall-0123456789ab" });
    assert.deepEqual(plan(aDirectoryOf({ name: "ada" }), afterPlan(node, planned)).steps, []);
  });

  it("makes no home for somebody who may not log in", () => {
    const { steps } = plan(aDirectoryOf({ name: "ada", active: false }));

    assert.deepEqual(
      steps.filter((step) => step.kind === "create-home"),
      [],
    );
  });

  it("puts every record where its indexes say", () => {
    fc.assert(
      fc.property(directories, (directory) => {
        const { maps } = afterPlan(anEmptyNode(), plan(directory));

        const data = Buffer.from(maps.passwd.data?.bytes ?? []);
        for (const [index, field] of [
          ["ixname", "name"],
          ["ixuid", "uid"],
        ] as const) {
          const entries = parseIndex(maps.passwd.indexes.get(index)?.bytes ?? new Uint8Array()) ?? [];
          const found = entries.map(({ key, offset }) => {
            const line = data.subarray(offset, data.indexOf("\n", offset));
            return [key, String(parsePasswd(line)[0]?.[field])];
          });
          assert.deepEqual(
            found,
            found.map(([key]) => [key, key]),
          );
          assert.equal(entries.length, directory.users.length);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("no record", () => {
  it("can add, change or hide a line of somebody else in any file", () => {
    const good = [aUserDraft(1), aUserDraft(2, { gecos: "Zoë" }), aUserDraft(3, { active: false })];
    const groups = [aGroupDraft(7, ["u-1", "u-2"])];
    const alone = filesOf(validateDirectory(someDrafts(good, groups), RULES, BEFORE).directory);
    const contested = new Set<unknown>(["user1", "user2", "user3", "group7"]);

    fc.assert(
      fc.property(fc.array(wildUserDraft(), { maxLength: 6 }), (wild) => {
        const strangers = wild.filter(({ name }) => !contested.has(name));
        const { directory } = validateDirectory(someDrafts([...good, ...strangers], groups), RULES, BEFORE);
        const together = filesOf(directory);

        const served = new Set(directory.users.map((user) => String(user.name)));
        for (const [file, lines] of Object.entries(together)) {
          const own = lines.filter(
            (line) =>
              !strangers.some(({ name }) => served.has(String(name)) && line.startsWith(`${String(name)}:`)),
          );
          assert.deepEqual(own, alone[file]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Every line of every file that a directory is written to. */
function filesOf(directory: Directory): Record<string, readonly string[]> {
  const node = afterPlan(anEmptyNode(), plan(directory));
  const maps = Object.entries(node.maps).map(
    ([map, { data }]) => [map, Buffer.from(data?.bytes ?? []).toString("utf8")] as const,
  );
  const keys = [...node.keyFiles].map(
    ([user, { bytes }]) => `${user}: ${Buffer.from(bytes).toString("utf8").replaceAll("\n", "|")}`,
  );
  return {
    ...Object.fromEntries(maps.map(([map, text]) => [map, text.split("\n").filter((line) => line !== "")])),
    keys,
  };
}

describe("a plan for more people than anybody reads about", () => {
  const many = Array.from({ length: 6000 }, (_, nth) => aUserDraft(nth + 1));
  const { directory } = validateDirectory({ users: many, groups: [], problems: [] }, RULES, BEFORE);
  const first = plan(directory);
  const reportOf = (planned: Plan, outcomes: readonly Outcome[]): RunReport => ({
    source: "iam",
    plan: planned,
    planId: planIdOf(planned),
    problems: [],
    outcomes,
    served: { users: 0, active: 0, keyless: 0, groups: 0, keys: 0 },
    pull: { requests: 1, bytes: 1, statuses: {}, mayShift: false, unchanged: false },
    setsOwners: true,
    accepted: [],
    shutOut: 0,
    ledgerIsRebuilt: false,
    slurm: undefined,
    historyGap: undefined,
    seconds: 1,
  });

  it("lists ten thousand of the changes, counts the others by event, and the tally has all", () => {
    const outcomes = first.steps.map((step) => ({ step, result: "done" }) as const);
    const record = runRecordOf(reportOf(first, outcomes));

    assert.equal(first.changes.length, 10_000);
    assert.deepEqual(first.unlisted, { "home-created": 2000, "key-granted": 6000 });
    assert.deepEqual([record.changes.length, record.unlisted], [10_000, first.unlisted]);
    assert.deepEqual(record.tally, { added: 18_000, removed: 0, changed: 0 });
    assert.equal(countSteps(record.steps), first.steps.length);
    assert.ok(record.steps.length < 2100);
    const text = renderChanges(record, { colour: false, all: true }).join("\n");
    assert.match(text, /and, counted but not listed, 2000 of home-created, 6000 of key-granted/);
    assert.match(text, /6000 key file\(s\), 6000 home\(s\)$/);
  });

  it("says of each step that failed that it did", () => {
    const outcomes = first.steps.map((step) => ({ step, result: "failed", message: "no space" }) as const);
    const { steps } = runRecordOf(reportOf(first, outcomes));

    assert.equal(countSteps(undoneSteps({ steps })), first.steps.length);
    assert.match(renderFailures(steps)[0] ?? "", new RegExp(`${first.steps.length} step\\(s\\) failed`));
  });

  it("lists everybody who loses something, and is the same plan by them alone", () => {
    const node = afterPlan(anEmptyNode(), first);
    const none = aDirectoryOf({ name: "ada" });
    const removal = plan(none, node);
    const { changes, unlisted } = runRecordOf(reportOf(removal, []));

    const gone = removal.changes.filter(({ event }) => event === "user-removed");
    assert.equal(gone.length, 6000);
    assert.deepEqual(removal.unlisted, {});
    assert.equal(removal.changes.length, 12_003);
    assert.deepEqual([changes.length, countUnlisted({ unlisted })], [10_000, 2003]);
    assert.equal(planIdOf(removal), planIdOf(plan(aDirectoryOf({ name: "bob" }), node)));
  });
});

describe("the fuse", () => {
  const hundred = Array.from({ length: 100 }, (_, nth) => ({ name: `user${nth}`, uid: 20_000 + nth }));
  const node = aNodeServing(...hundred);
  const refusal = (users: readonly Partial<UserDraft>[]) =>
    refusalOf(plan(aDirectoryOf(...users), node).removals, PLAN_SETTINGS.guard);

  it("holds when a fifth of the users go, and blows for one more", () => {
    assert.equal(refusal(hundred.slice(20)), undefined);
    assert.match(refusal(hundred.slice(21)) ?? "", /21 of 100 users \(21 %\)/);
  });

  it("counts people who are deactivated or lose every key like people who are gone", () => {
    assert.match(refusal(hundred.map((user, nth) => ({ ...user, active: nth > 20 }))) ?? "", /21 of 100/);
    assert.match(
      refusal(hundred.map((user, nth) => ({ ...user, ...(nth < 21 && { keys: [] }) }))) ?? "",
      /21 of 100/,
    );
  });

  it("counts people who get a closed shell or another uid", () => {
    const shut = hundred.map((user, nth) => ({ ...user, ...(nth < 21 && { shell: "/bin/false" }) }));
    const swapped = hundred.map((user, nth) => ({ ...user, ...(nth < 21 && { uid: 30_000 + nth }) }));

    assert.match(refusal(shut) ?? "", /21 of 100/);
    assert.match(refusal(swapped) ?? "", /21 of 100/);
  });

  it("blows at a small site when more than half go, if that is more than two", () => {
    const ten = hundred.slice(0, 10);
    const small = aNodeServing(...ten);
    const goingTo = (count: number) =>
      refusalOf(plan(aDirectoryOf(...ten.slice(0, count)), small).removals, PLAN_SETTINGS.guard);

    assert.equal(goingTo(5), undefined);
    assert.match(goingTo(4) ?? "", /6 of 10 users/);
  });

  it("counts deactivated people also where their keys were never ours", () => {
    const takenOver = { ...node, keyFiles: new Map() };
    const directory = aDirectoryOf(...hundred.map((user, nth) => ({ ...user, active: nth > 20 })));

    assert.match(refusalOf(plan(directory, takenOver).removals, PLAN_SETTINGS.guard) ?? "", /21 of 100/);
  });

  it("blows for an empty list, however few there were", () => {
    const one = aNodeServing({ name: "ada" });

    assert.match(refusal([]) ?? "", /leave nobody/);
    assert.match(refusalOf(plan(aDirectoryOf(), one).removals, PLAN_SETTINGS.guard) ?? "", /leave nobody/);
  });

  it("blows when the last key goes, whoever else is there without one", () => {
    const keyless = { name: "keyless", keys: [] };
    const few = [{ name: "ada" }, { name: "bob" }, keyless];
    const directory = aDirectoryOf({ name: "ada", keys: [] }, { name: "bob", keys: [] }, keyless);

    const { removals } = plan(directory, aNodeServing(...few));

    assert.match(
      refusalOf(removals, PLAN_SETTINGS.guard) ?? "",
      /every SSH key from all 2 users.*attributes\.user\.keys/,
    );
  });

  it("does not count the first sync of an empty node", () => {
    assert.equal(refusalOf(plan(aDirectoryOf(...hundred)).removals, PLAN_SETTINGS.guard), undefined);
  });

  it("blows when all groups go", () => {
    const groups = Array.from({ length: 12 }, (_, nth) => aGroupDraft(nth, ["u-1"]));
    const before = validateDirectory(someDrafts([aUserDraft(1)], groups), RULES, BEFORE).directory;
    const after = validateDirectory(someDrafts([aUserDraft(1)]), RULES, BEFORE).directory;

    const { removals } = plan(after, afterPlan(anEmptyNode(), plan(before)));

    assert.match(refusalOf(removals, PLAN_SETTINGS.guard) ?? "", /12 of 12 groups/);
  });
});

describe("sudo", () => {
  const rules = [
    { group: "group1", passwordless: true, commands: ["ALL"] },
    { group: "group2", passwordless: false, commands: ["/bin/a", "/bin/b"] },
  ];
  const withGroups = (...numbers: number[]) => {
    const groups = numbers.map((nth) => aGroupDraft(nth, ["u-1"]));
    return validateDirectory(someDrafts([aUserDraft(1)], groups), RULES, BEFORE).directory;
  };
  const planSudo = (directory: Directory, observed: Observed, groups = rules) =>
    planChanges(directory, observed, { ...PLAN_SETTINGS, sudo: { groups } });
  const textOf = ({ sudoers }: Observed) => Buffer.from(sudoers?.bytes ?? []).toString();

  it("is given last and taken first, and not for a group that is not served", () => {
    const given = planSudo(withGroups(1), anEmptyNode());
    const node = afterPlan(anEmptyNode(), given);
    const taken = planSudo(withGroups(2), node);

    assert.equal(given.steps.at(-1)?.kind, "write-sudo");
    assert.match(textOf(node), /^#.*\n%group1 ALL=\(ALL:ALL\) NOPASSWD: ALL\n$/);
    assert.deepEqual(taken.steps[0], { kind: "write-sudo", content: undefined });
    assert.match(textOf(afterPlan(node, taken)), /\n%group2 ALL=\(ALL:ALL\) \/bin\/a, \/bin\/b\n$/);
  });

  it("carried out leaves nothing to plan, and is put back when somebody edits it or opens it", () => {
    const directory = withGroups(1, 2);
    const node = afterPlan(anEmptyNode(), planSudo(directory, anEmptyNode()));
    const edited = {
      ...node,
      sudoers: fileOf(Buffer.from(`${textOf(node)}%evil ALL=(ALL) ALL\n`), 0o440, 0),
    };
    const opened = { ...node, sudoers: fileOf(Buffer.from(textOf(node)), 0o644, 0) };

    assert.deepEqual(planSudo(directory, node).steps, []);
    for (const touched of [edited, opened]) {
      assert.equal(textOf(afterPlan(touched, planSudo(directory, touched))), textOf(node));
      assert.deepEqual(planSudo(directory, afterPlan(touched, planSudo(directory, touched))).steps, []);
    }
  });

  it("that an admin wrote in the same place is left alone while there are no rules", () => {
    const node = anEmptyNode({ sudoers: fileOf(Buffer.from("%wheel ALL=(ALL) ALL\n"), 0o440, 0) });

    const { steps } = planSudo(withGroups(1), node, []);

    assert.ok(steps.every(({ kind }) => kind !== "write-sudo"));
  });
});

describe("running sessions", () => {
  it("end for those who could log in and cannot any more, and only when asked for", () => {
    const node = aNodeServing({ name: "ada" }, { name: "bob" }, { name: "cyd", active: false });
    const directory = aDirectoryOf({ name: "ada" }, { name: "bob", active: false });
    const sessionsWith = (onRevoke: "nothing" | "end-sessions") =>
      planChanges(directory, node, { ...PLAN_SETTINGS, access: { onRevoke } }).steps.filter(
        ({ kind }) => kind === "end-sessions",
      );

    assert.deepEqual(sessionsWith("end-sessions"), [{ kind: "end-sessions", user: "bob", uid: 10_002 }]);
    assert.deepEqual(sessionsWith("nothing"), []);
  });
});
