/**
 * A daemon at rest: what it asks, that it touches and starts nothing, and that it sees whatever changes.
 */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { changedAt } from "../support/asker.ts";
import { ask, type Daemon, socketOf, startDaemon } from "../support/daemon.ts";
import { type FakeIam, type FakeIamOptions, type Resource, startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, waitFor } from "../support/node-root.ts";
import { aGroup, aUser, someUsers } from "../support/records.ts";

const OFTEN = "schedule: { every: 1s, splay: 0s }\n";
const YESTERDAY = Date.now() - 24 * 3_600_000;

const users = () => someUsers(5).map((user, index) => changedAt(user, YESTERDAY + index * 3_600_000));
const groups = () => [changedAt(aGroup(1, ["u-1"]), YESTERDAY)];
/** Only a sync of its own asks for this. */
const isPull = ({ list }: { readonly list: string }) => list === "ServiceProviderConfig";
const pulls = (iam: FakeIam) => iam.requests.filter(isPull).length;

interface Scene extends AsyncDisposable {
  readonly node: NodeRoot;
  readonly iam: FakeIam;
  readonly daemon: Daemon;
}

async function sceneOf(options: FakeIamOptions, config = OFTEN): Promise<Scene> {
  const node = makeNodeRoot();
  const iam = await startFakeIam(users(), groups(), options);
  node.configure(iam.url, config);
  const daemon = startDaemon(node);
  await daemon.logged(/in step/);
  return {
    node,
    iam,
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await iam[Symbol.asyncDispose]();
      node[Symbol.dispose]();
    },
  };
}

/** Turns that ended without anything new, since the start. */
async function unchangedTurns({ node }: Scene): Promise<number> {
  const { text } = await ask(socketOf(node, "health"), "/metrics");
  return Number(/^rollcall_syncs_total\{result="unchanged"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** What an admin is told of how the IAM is asked. */
async function askedBy({ node }: Scene): Promise<unknown> {
  const { text } = await ask(socketOf(node, "control"), "/status");
  return JSON.parse(text).iam.askedBy;
}

async function afterUnchangedTurns(scene: Scene, count: number): Promise<void> {
  const before = await unchangedTurns(scene);
  for (let turns = before; turns < before + count; turns = await unchangedTurns(scene)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** With how often everything is fetched for it. */
const STEPS: readonly [what: string, wholePulls: number, change: (iam: FakeIam) => void, logged: RegExp][] = [
  ["an addition", 1, (iam) => iam.users.push(changedAt(aUser(6), Date.now())), /user-added.*user6/],
  [
    "a change",
    0,
    (iam) => {
      iam.users = [changedAt(aUser(1, { gecos: "Other" }), Date.now()), ...iam.users.slice(1)];
    },
    /user-changed.*"after":"Other"/,
  ],
  ["a removal", 1, (iam) => void iam.users.splice(2, 1), /user-removed.*user3/],
  [
    "an addition and a removal",
    1,
    (iam) => {
      iam.users.splice(2, 1, changedAt(aUser(7), Date.now()));
    },
    /user-removed.*user4[^]*user-added.*user7|user-added.*user7[^]*user-removed.*user4/,
  ],
  [
    "a membership",
    0,
    (iam) => {
      iam.groups = [changedAt(aGroup(1, ["u-1", "u-2"]), Date.now())];
    },
    /member-added.*user2/,
  ],
];

describe("a daemon whose IAM has no ETags and can filter", { concurrency: 3 }, () => {
  it("asks four times a turn, touches nothing and starts nothing, and sees each change in the next turn", async () => {
    await using scene = await sceneOf({ filters: true });
    const { node, iam, daemon } = scene;
    await afterUnchangedTurns(scene, 1);
    const untouched = node.snapshot();
    iam.requests.length = 0;
    const before = await unchangedTurns(scene);
    await afterUnchangedTurns(scene, 2);
    const turns = (await unchangedTurns(scene)) - before;

    assert.equal(pulls(iam), 0);
    assert.equal(await askedBy(scene), "times");
    assert.ok(iam.requests.length <= (turns + 1) * 4, `${iam.requests.length} requests in ${turns} turns`);
    assert.deepEqual(node.snapshot(), untouched);
    for (const [what, wholePulls, change, logged] of STEPS) {
      iam.requests.length = 0;
      change(iam);
      await daemon.logged(logged);
      assert.equal(pulls(iam), wholePulls, what);
      await afterUnchangedTurns(scene, 1);
      assert.equal(pulls(iam), wholePulls, `${what}: one sync, and at rest again`);
    }
    assert.doesNotMatch(daemon.output(), /cannot be asked/);
  });

  it("still puts back what is edited on the node", async () => {
    await using scene = await sceneOf({ filters: true });
    await afterUnchangedTurns(scene, 1);

    scene.node.write("/etc/passwd.cache", "evil:x:0:0::/:/bin/sh\n");

    await scene.daemon.logged(/file-repaired/);
  });

  it("finds what a whole sync finds, says that asking did not show it, and asks that way no more", async () => {
    await using scene = await sceneOf(
      { filters: true },
      "schedule: { every: 1s, splay: 0s, fullEvery: 6s }\n",
    );
    const { iam, daemon } = scene;
    await afterUnchangedTurns(scene, 1);
    iam.users = iam.users.map((user, index) =>
      index === 0 ? { ...(user as Resource), displayName: "Other" } : user,
    );

    await daemon.logged(/"after":"Other"/);
    await daemon.logged(/cannot be asked whether anything is new.*|a sync found a change that its totals/);
    iam.requests.length = 0;
    await waitFor(() => pulls(iam) >= 2, daemon.output);

    assert.ok(iam.requests.every(({ query }) => query.get("filter") === null));
    assert.equal(daemon.output().split("cannot be asked").length, 2, "said once");
  });
});

describe("a daemon whose IAM can neither", { concurrency: 3 }, () => {
  it("starts a sync each turn that ends with the pull and touches nothing, and one that works when anything changed", async () => {
    await using scene = await sceneOf({});
    const { node, iam, daemon } = scene;
    await daemon.logged(/cannot be asked whether anything is new/);
    await afterUnchangedTurns(scene, 1);
    const untouched = node.snapshot();
    const report = node.read("/var/lib/rollcall/report.json");
    iam.requests.length = 0;
    await afterUnchangedTurns(scene, 2);

    assert.ok(pulls(iam) >= 2);
    assert.equal(await askedBy(scene), "lists");
    assert.deepEqual(node.snapshot(), untouched);
    assert.equal(node.read("/var/lib/rollcall/report.json"), report);

    node.write("/etc/passwd.cache", "evil:x:0:0::/:/bin/sh\n");
    await daemon.logged(/file-repaired/);
    iam.users = [...iam.users, aUser(9)];
    await daemon.logged(/user-added.*user9/);
  });

  it("looks at everything every fullEvery, whatever the lists say", async () => {
    await using scene = await sceneOf({}, "schedule: { every: 1s, splay: 0s, fullEvery: 5s }\n");
    const { node, daemon } = scene;
    await afterUnchangedTurns(scene, 1);

    rmSync(join(node.path, "home/user1"), { recursive: true });

    await waitFor(() => node.read("/home/user1/.bashrc") !== undefined, daemon.output);
  });

  it("looks at everything under a changed configuration", async () => {
    await using scene = await sceneOf({});
    const { node, daemon, iam } = scene;
    await afterUnchangedTurns(scene, 1);

    node.configure(iam.url, `${OFTEN}shells: { default: /bin/sh }\n`);

    await daemon.logged(/configuration loaded[^]*"after":"\/bin\/sh"/);
  });
});

describe("a sync that is told which lists the node is in step with", () => {
  it("ends with the pull when they came, and is a whole one when others did", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(users(), groups());
    node.configure(iam.url);
    await node.rollcall("sync");
    const { digest } = JSON.parse(node.read("/var/lib/rollcall/etags.json") ?? "");
    const told = ["--json", "sync", `--in-step-with=${digest}`];
    node.write("/etc/passwd.cache", "edited:x:0:0::/:/bin/sh\n");
    const untouched = node.snapshot();

    const same = await node.rollcall(...told);
    const untouchedStill = node.snapshot();
    iam.users.pop();
    const other = await node.rollcall(...told);

    assert.equal(same.code, 0, same.err);
    assert.deepEqual(Object.keys(JSON.parse(same.out)), ["unchanged"]);
    assert.deepEqual(untouchedStill, untouched, "whoever says so has looked at the node");
    assert.match(other.out, /user-removed/);
    assert.match(node.read("/etc/passwd.cache") ?? "", /^user1:/m);
  });

  it("is not known to people: no help names the option", async () => {
    using node = makeNodeRoot();

    assert.doesNotMatch((await node.rollcall("sync", "--help")).out, /in-step/);
  });
});
