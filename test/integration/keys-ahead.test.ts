/**
 * Keys that are all that is new: changed before anything else is looked at, and only where the whole plan would do the same.
 *
 * A directory where sudoers(5) has its drop-in makes every whole look at the node fail, so what changed in spite of it was changed ahead.
 */

import assert from "node:assert/strict";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type FakeIam, type Resource, startFakeIam } from "../support/fake-iam.ts";
import { configFor, makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { aGroup, aKey, aUser, someUsers } from "../support/records.ts";

const IN_FILES = "homes: { create: false }\n";
const IN_MAP = `${IN_FILES}keys: { files: false }\n`;
const SUDOERS = "etc/sudoers.d/rollcall";

interface Scene extends AsyncDisposable {
  readonly node: NodeRoot;
  readonly iam: FakeIam;
  /** Syncs as the daemon does that has left this node in step with these lists. */
  syncInStep(digest?: string): ReturnType<NodeRoot["rollcall"]>;
  keysOf(user: string): Promise<string>;
}

/** A node in step with eight people, of whom user2 has two keys, and one who is refused. */
async function sceneOf(config: string): Promise<Scene> {
  const node = makeNodeRoot();
  const users = [aUser(1), aUser(2, { keys: [aKey(20), aKey(21)] }), aUser(3), aUser(4, { uid: 0 })];
  // Two pages of ten may change without everything being fetched again.
  users.push(...someUsers(9).slice(4));
  const iam = await startFakeIam(users, [aGroup(1, ["u-1", "u-2"])], { etags: true });
  node.write(
    "/etc/rollcall/rollcall.yaml",
    configFor(iam.url, config).replace("pageSize: 50", "pageSize: 1"),
  );
  await node.rollcall("sync");
  const known = (): string => JSON.parse(node.read("/var/lib/rollcall/etags.json") ?? "").digest;
  return {
    node,
    iam,
    syncInStep: (digest = known()) => node.rollcall("sync", "--json", `--in-step-with=${digest}`),
    keysOf: async (user) => (await node.rollcall("keys", user)).out,
    async [Symbol.asyncDispose]() {
      await iam[Symbol.asyncDispose]();
      node[Symbol.dispose]();
    },
  };
}

const KEY_FILE = "/etc/ssh/authorized_keys.d/user2";
const LEDGER = "/var/lib/rollcall/ledger";
const PUBLISHED = "/var/lib/rollcall/published";

/** What is new, and what the node is said to be in step with where that is not what it remembers. */
const NOT_AHEAD: readonly [why: string, change: (scene: Scene) => string | undefined][] = [
  ["more of the same person is new", ({ iam }) => userIs(iam, aUser(2, { gecos: "B", keys: [aKey(21)] }))],
  [
    "somebody else is new in another way",
    (scene) => {
      rotate(scene);
      return userIs(scene.iam, aUser(3, { active: false }));
    },
  ],
  [
    "a group is new",
    (scene) => {
      rotate(scene);
      scene.iam.groups = [aGroup(1, ["u-1"])];
      return undefined;
    },
  ],
  ["no key would be left", ({ iam }) => userIs(iam, aUser(2, { keys: [] }))],
  [
    "the lists are not those of the node",
    (scene) => {
      rotate(scene);
      return "0".repeat(64);
    },
  ],
  [
    "the name is a local account's by now",
    (scene) => {
      rotate(scene);
      scene.node.write("/etc/passwd", `${scene.node.read("/etc/passwd")}user2:x:500:500::/:/bin/sh\n`);
      return undefined;
    },
  ],
  [
    "nobody knows what was published",
    (scene) => {
      rotate(scene);
      scene.node.write(PUBLISHED, "damaged\n", 0o600);
      return undefined;
    },
  ],
  [
    "the ledger has the name under another record",
    (scene) => {
      rotate(scene);
      scene.node.write(LEDGER, (scene.node.read(LEDGER) ?? "").replaceAll('"u-2"', '"u-9"'), 0o600);
      return undefined;
    },
  ],
];

function userIs(iam: FakeIam, user: Resource): undefined {
  iam.users = iam.users.with(Number(String(user["id"]).slice(2)) - 1, user);
  return undefined;
}

/** user2 has the first of two keys no more, and another in its place. */
function rotate({ iam }: Scene): void {
  iam.users = iam.users.with(1, aUser(2, { keys: [aKey(21), aKey(22)] }));
}

/** What a record says of the whole directory. */
function toldIn(record: Readonly<Record<string, unknown>> | undefined) {
  return ["served", "problems", "shutOut", "source"].map((key) => record?.[key]);
}

const ROTATED = `${aKey(21)}\n${aKey(22)}\n`;

describe("keys ahead of the whole plan", { concurrency: 3 }, () => {
  for (const [where, config] of [
    ["in files", IN_FILES],
    ["in the map", IN_MAP],
  ] as const) {
    it(`changes them ${where}, tells it once, and leaves nothing else to do`, async () => {
      await using scene = await sceneOf(config);
      rotate(scene);

      const synced = await scene.syncInStep();
      const whole = await scene.node.rollcall("sync", "--json");
      const history = await scene.node.rollcall("history", "user2", "--json");
      const verified = await scene.node.rollcall("verify");

      // One record is refused, before and after.
      assert.deepEqual([synced.code, whole.code], [3, 3], synced.err);
      const [record, after]: Record<string, unknown>[] = [synced, whole].map(({ out }) => JSON.parse(out));
      assert.equal(record?.["isOfKeys"], true);
      const changes: { event: string; user: string }[] = JSON.parse(synced.out).changes;
      assert.deepEqual(
        changes.map(({ event, user }) => `${event} ${user}`),
        ["key-revoked user2", "key-granted user2"],
      );
      assert.equal(await scene.keysOf("user2"), ROTATED);
      assert.deepEqual(after?.["steps"], []);
      // Whoever asks is told of everybody, as after a whole sync.
      assert.deepEqual(toldIn(record), toldIn(after));
      assert.equal(verified.code, 0, verified.out);
      // Two came with the first sync.
      const told = history.out.match(/"event":"key-(?:revoked|granted)".*?"why":"iam"/g) ?? [];
      assert.equal(told.length, 2 + 2, history.out);
    });

    it(`changes them ${where} also where the whole plan has more to tell, and cannot look at the node`, async () => {
      await using scene = await sceneOf(config);
      userIs(scene.iam, aUser(2, { keys: [aKey(21), aKey(22), "ssh-ed25519 broken"] }));
      mkdirSync(join(scene.node.path, SUDOERS), { recursive: true });

      const failed = await scene.syncInStep();

      assert.equal(failed.code, 1, failed.out);
      assert.match(failed.out, /node-unreadable.*Before that, the keys of one user were changed/);
      assert.equal(await scene.keysOf("user2"), ROTATED);
      rmdirSync(join(scene.node.path, SUDOERS));
      const whole = JSON.parse((await scene.node.rollcall("sync", "--json")).out);
      assert.deepEqual(whole.changes, []);
      assert.match(JSON.stringify(whole.problems), /"code":"key-/);
    });
  }

  it("leaves it to the whole plan wherever that alone can tell", async () => {
    await using scene = await sceneOf(IN_FILES);
    const { node, iam } = scene;
    const kept = { users: iam.users, groups: iam.groups };
    const files = ["/etc/passwd", LEDGER, PUBLISHED].map((path) => [path, node.read(path) ?? ""] as const);
    const before = node.read(KEY_FILE);
    mkdirSync(join(node.path, SUDOERS), { recursive: true });

    for (const [why, change] of NOT_AHEAD) {
      const failed = await scene.syncInStep(change(scene));

      assert.match(failed.out, /node-unreadable/, why);
      assert.ok(before?.includes(aKey(20)));
      assert.equal(node.read(KEY_FILE), before, why);
      Object.assign(iam, kept);
      files.forEach(([path, content]) => node.write(path, content, path === "/etc/passwd" ? 0o644 : 0o600));
    }
  });

  it("leaves it to the whole plan when a file or a map was edited", async () => {
    for (const [config, file] of [
      [IN_FILES, KEY_FILE],
      [IN_MAP, "/etc/sshkey.cache"],
    ] as const) {
      await using scene = await sceneOf(config);
      rotate(scene);
      scene.node.write(file, (scene.node.read(file) ?? "").replaceAll(aKey(20), aKey(99)));
      const edited = scene.node.read(file);
      mkdirSync(join(scene.node.path, SUDOERS), { recursive: true });

      await scene.syncInStep();

      assert.equal(scene.node.read(file), edited);
    }
  });

  it("does nothing ahead for more than a hundred people", async () => {
    await using scene = await sceneOf(IN_FILES);
    scene.iam.users = someUsers(101);
    await scene.node.rollcall("sync");
    scene.iam.users = scene.iam.users.map((_, nth) => aUser(nth + 1, { keys: [aKey(500 + nth)] }));
    mkdirSync(join(scene.node.path, SUDOERS), { recursive: true });

    await scene.syncInStep();

    assert.ok(scene.node.read(KEY_FILE)?.includes(aKey(2)));
  });
});
