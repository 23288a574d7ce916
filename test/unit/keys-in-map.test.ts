import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { applyPlan } from "../../src/apply/apply.ts";
import type { Handlers } from "../../src/apply/handlers.ts";
import { undoneAmong } from "../../src/daemon/undone.ts";
import { parseAuthorizedKeys, renderAuthorizedKeys } from "../../src/formats/authorized-keys.ts";
import { parseSshkey } from "../../src/formats/sshkey.ts";
import type { Directory } from "../../src/model/directory.ts";
import type { UserDraft } from "../../src/model/draft.ts";
import { grantOf } from "../../src/model/key-line.ts";
import type { Observed } from "../../src/model/observed.ts";
import type { Plan, Step } from "../../src/model/plan.ts";
import { refusalOf } from "../../src/plan/guard.ts";
import { planChanges } from "../../src/plan/plan.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { anEmptyNode, BEFORE, PLAN_SETTINGS, RULES, someDrafts } from "../support/drafts.ts";
import { aKey } from "../support/records.ts";
import { afterPlan, fileOf } from "../support/simulated-node.ts";
import { aDirectoryOf, wildUserDraft } from "../support/wild.ts";

const directories = fc
  .array(wildUserDraft(), { maxLength: 8 })
  .map((users) => validateDirectory(someDrafts(users, []), RULES, BEFORE).directory);

function plan(directory: Directory, observed: Observed, files = false): Plan {
  return planChanges(directory, observed, { ...PLAN_SETTINGS, keys: { files } });
}

function aNodeServing(...users: readonly Partial<UserDraft>[]): Observed {
  return afterPlan(anEmptyNode(), plan(aDirectoryOf(...users), anEmptyNode()));
}

/** What was done, and to which map or whom. */
function namesOf(steps: readonly Step[]): string[] {
  return steps
    .filter(({ kind }) => kind !== "keep-ledger" && kind !== "create-home")
    .map((step) => {
      if (step.kind === "publish-map") {
        return step.keys === undefined ? step.map : `${step.map}: ${step.keys}`;
      }
      const verb = step.kind === "revoke-keys" && step.content === undefined ? "remove" : step.kind;
      return "user" in step ? `${verb} ${step.user}` : step.kind;
    });
}

/** The grants in the map of each user, and with key files those in their file too. */
function grantsIn(node: Observed, withFiles = false): Map<string, Set<string>> {
  const grants = new Map<string, Set<string>>();
  const add = (name: string, keys: readonly string[]) =>
    grants.set(name, new Set([...(grants.get(name) ?? []), ...keys.map(grantOf)]));
  parseSshkey(node.maps.sshkey.data?.bytes ?? new Uint8Array()).forEach(({ name, keys }) => add(name, keys));
  if (withFiles) {
    node.keyFiles.forEach(({ bytes }, name) => add(name, parseAuthorizedKeys(Buffer.from(bytes).toString())));
  }
  return grants;
}

/** The node after each step. */
function everyMoment(node: Observed, { steps, ...rest }: Plan): Observed[] {
  return steps.map((_, nth) => afterPlan(node, { ...rest, steps: steps.slice(0, nth + 1) }));
}

describe("keys in the map", () => {
  it("need no step once they are there, whatever was there before, in either mode", () => {
    fc.assert(
      fc.property(
        directories,
        directories,
        fc.tuple(fc.boolean(), fc.boolean()),
        (first, second, [one, other]) => {
          const once = afterPlan(anEmptyNode(), plan(first, anEmptyNode(), one));
          const twice = afterPlan(once, plan(second, once, other));

          assert.deepEqual(plan(first, once, one).steps, []);
          assert.deepEqual(plan(second, twice, other).steps, []);
          assert.deepEqual(plan(second, twice, other).changes, []);
          for (const [name, grants] of grantsIn(twice, true)) {
            const user = second.users.find((one) => one.name === name);
            assert.ok(grants.isSubsetOf(new Set(user?.keys.map(grantOf))), `${name} has a key too many`);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("are taken away before anything else, given after it, and never missing in between", () => {
    fc.assert(
      fc.property(directories, directories, (first, second) => {
        const node = afterPlan(anEmptyNode(), plan(first, anEmptyNode()));
        const steps = plan(second, node);
        const before = grantsIn(node);
        const wanted = new Map(
          second.users.map(({ name, keys }) => [String(name), new Set(keys.map(grantOf))]),
        );
        const losers = new Set(
          steps.changes.flatMap((change) => (change.event === "key-revoked" ? [change.user] : [])),
        );

        for (const [nth, moment] of everyMoment(node, steps).entries()) {
          const isLast = nth === steps.steps.length - 1;
          for (const [name, grants] of grantsIn(moment)) {
            assert.ok(grants.isSubsetOf(wanted.get(name) ?? new Set()), `${name} has a key too many`);
            assert.ok(
              isLast || grants.isSubsetOf(before.get(name) ?? new Set()),
              `${name} has a key too early`,
            );
          }
          for (const [name, grants] of before) {
            const stays = losers.has(name) ? new Set() : grants;
            assert.ok(stays.isSubsetOf(grantsIn(moment).get(name) ?? new Set()), `${name} misses a key`);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("are published once where keys only come or only go, and twice where both happen", () => {
    const node = aNodeServing({ name: "ada", keys: [aKey(1), aKey(2)] }, { name: "bob", keys: [aKey(3)] });
    const stepsTo = (...users: readonly Partial<UserDraft>[]) => {
      const { steps, changes } = plan(aDirectoryOf(...users), node);
      return [
        namesOf(steps),
        changes.filter(({ event }) => event.startsWith("key-")).map(({ event }) => event),
      ];
    };
    const bob = { name: "bob", keys: [aKey(3)] };

    const [gone] = [stepsTo({ name: "ada", keys: [aKey(1)] }, bob)];
    const come = stepsTo({ name: "ada", keys: [aKey(1), aKey(2), aKey(5)] }, bob);
    const rotated = stepsTo({ name: "ada", keys: [aKey(1), aKey(5)] }, bob);
    const left = stepsTo(bob);

    assert.deepEqual(gone, [["sshkey: revoked"], ["key-revoked"]]);
    assert.deepEqual(come, [["sshkey: granted"], ["key-granted"]]);
    assert.deepEqual(rotated, [
      ["sshkey: revoked", "sshkey: granted"],
      ["key-revoked", "key-granted"],
    ]);
    assert.deepEqual(left[1], ["key-revoked", "key-revoked"]);
    assert.equal(left[0]?.[0], "sshkey: revoked");
  });

  it("stay with the others when somebody's are rotated, and go first where an account changes too", () => {
    const node = aNodeServing({ name: "ada", keys: [aKey(1), aKey(2)] }, { name: "bob", keys: [aKey(3)] });
    const bob = { name: "bob", keys: [aKey(3)] };
    const afterFirst = (user: Partial<UserDraft>) => {
      const [first] = everyMoment(node, plan(aDirectoryOf({ name: "ada", ...user }, bob), node));
      return first === undefined ? [] : [...grantsIn(first)].map(([name, grants]) => [name, grants.size]);
    };

    const rotated = afterFirst({ keys: [aKey(1), aKey(5)] });
    const moved = afterFirst({ keys: [aKey(1), aKey(5)], home: "/home/elsewhere" });

    assert.deepEqual(rotated, [
      ["ada", 1],
      ["bob", 1],
    ]);
    assert.deepEqual(moved, [
      ["ada", 0],
      ["bob", 1],
    ]);
  });

  it("take the place of key files, which only lose what is revoked, without a moment without a key, or with one too many; and the other way round", () => {
    const keys = [aKey(1), aKey(2)];
    const files = afterPlan(
      anEmptyNode(),
      plan(aDirectoryOf({ name: "ada", keys }, { name: "bob", keys: [aKey(3)] }), anEmptyNode(), true),
    );
    const next = aDirectoryOf({ name: "ada", keys: [aKey(1), aKey(5)] }, { name: "bob", keys: [aKey(3)] });

    const there = plan(next, files);
    const back = plan(next, afterPlan(files, there), true);

    assert.deepEqual(namesOf(there.steps), ["sshkey: revoked", "revoke-keys ada", "sshkey: granted"]);
    assert.deepEqual(namesOf(back.steps), ["grant-keys ada"]);
    for (const moment of everyMoment(files, there).slice(1)) {
      const grants = grantsIn(moment, true);
      assert.ok(grants.get("ada")?.has(grantOf(aKey(1))));
      assert.ok(!grants.get("ada")?.has(grantOf(aKey(2))));
      assert.ok(grants.get("bob")?.has(grantOf(aKey(3))));
    }
  });

  it("leave a file of an admin alone, and report it unless the name is a local account's", () => {
    const planted = fileOf(Buffer.from(`${aKey(7)}\n`), 0o644, 0);
    const node = {
      ...aNodeServing({ name: "ada" }),
      keyFiles: new Map([
        ["ada", planted],
        ["localadmin", planted],
        ["gone", fileOf(Buffer.from(renderAuthorizedKeys([])), 0o644, 0)],
      ]),
    };

    const { steps, problems } = plan(aDirectoryOf({ name: "ada" }), node);

    assert.deepEqual(namesOf(steps), ["remove gone"]);
    assert.deepEqual(
      problems.map(({ code, subject }) => [code, subject.name]),
      [["key-file-foreign", "ada"]],
    );
  });

  it("that go are counted by the fuse", () => {
    const hundred = Array.from({ length: 100 }, (_, nth) => ({ name: `user${nth}`, uid: 20_000 + nth }));
    const node = aNodeServing(...hundred);
    const without = (count: number) =>
      refusalOf(
        plan(
          aDirectoryOf(...hundred.map((user, nth) => ({ ...user, ...(nth < count && { keys: [] }) }))),
          node,
        ).removals,
        PLAN_SETTINGS.guard,
      );

    assert.equal(without(20), undefined);
    assert.match(without(21) ?? "", /21 of 100 users/);
    assert.match(without(100) ?? "", /every SSH key from all 100 users/);
  });
});

describe("a map that cannot be published", () => {
  const node = aNodeServing({ name: "ada", keys: [aKey(1), aKey(2)] }, { name: "bob", keys: [aKey(3)] });
  const next = aDirectoryOf({ name: "ada", keys: [aKey(1), aKey(5)] }, { name: "carl", keys: [aKey(4)] });

  it("keeps keys from being given, and none from being taken away", async () => {
    const { results } = await failing(plan(next, node), ({ map }) => map === "group");

    assert.deepEqual(results, [
      ["sshkey: revoked", "done"],
      ["group", "failed"],
      ["passwd", "skipped"],
      ["shadow", "skipped"],
      ["sshkey: granted", "skipped"],
    ]);
  });

  it("holds nobody up when it is the one without the keys that go", async () => {
    const { results } = await failing(plan(next, node), ({ keys }) => keys === "revoked");

    assert.deepEqual(
      results.map(([, result]) => result),
      ["failed", "done", "done", "done", "done"],
    );
  });

  it("is known for the changes that it would have made", async () => {
    const whole = plan(next, node);
    const eventsOf = async (isBroken: (step: Publish) => boolean) => {
      const { outcomes } = await failing(whole, isBroken);
      return undoneAmong(whole.changes, outcomes)
        .map((place) => whole.changes[place]?.event)
        .filter((event) => event?.startsWith("key-"));
    };

    assert.deepEqual(await eventsOf(({ keys }) => keys === "revoked"), ["key-revoked", "key-revoked"]);
    assert.deepEqual(await eventsOf(({ map }) => map === "group"), ["key-granted", "key-granted"]);
    assert.deepEqual(await eventsOf(() => false), []);
  });
});

type Publish = Extract<Step, { kind: "publish-map" }>;

/** Applies a plan to nothing, where some maps fail. */
async function failing(whole: Plan, isBroken: (step: Publish) => boolean) {
  const done = () => Promise.resolve();
  const handlers: Handlers = {
    "remove-leftover": done,
    "revoke-keys": done,
    "end-sessions": done,
    "write-sudo": done,
    "keep-ledger": done,
    "create-home": done,
    "grant-keys": () => Promise.resolve([]),
    "publish-map": (step) => (isBroken(step) ? Promise.reject(new Error("no space")) : done()),
  };
  const outcomes = await applyPlan(whole, handlers, new AbortController().signal);
  const results = outcomes.flatMap(({ step, result }) => namesOf([step]).map((name) => [name, result]));
  return { outcomes, results };
}
