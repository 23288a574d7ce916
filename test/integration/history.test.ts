/**
 * The history of a node: what a series of syncs leaves in it, what it survives, and what it never stops.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ToldHistory, ToldSync } from "../../src/report/history.ts";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { aGroup, aKey, aUser, someUsers } from "../support/records.ts";

const fileOf = (node: NodeRoot) => join(node.path, "var/lib/rollcall/history");

async function toldBy(node: NodeRoot, ...args: readonly string[]): Promise<ToldHistory> {
  const ran = await node.rollcall("history", "--json", ...args);
  assert.equal(ran.code, 0, ran.err);
  return JSON.parse(ran.out);
}

const inShort = ({ changes }: ToldSync) =>
  changes.map((change) => `${change.event} ${"user" in change ? change.user : ""} ${change.why}`).sort();

const withMeta = (user: Record<string, unknown>, version: string) => ({ ...user, meta: { version } });

describe("rollcall history", () => {
  it("tells who was added, changed, revoked and removed, why, and by which version of the record", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(
      [withMeta(aUser(1), 'W/"1"'), aUser(2), aUser(3)],
      [aGroup(1, ["u-1"])],
    );
    node.configure(iam.url);
    await node.rollcall("sync");
    iam.users = [
      withMeta(aUser(1, { keys: [aKey(91, "new@laptop")] }), 'W/"2"'),
      { ...aUser(2, { gecos: "Somebody Else" }), meta: { lastModified: "2026-05-31T10:00:00Z" } },
      aUser(4),
    ];
    iam.groups = [aGroup(1, ["u-1", "u-2"])];
    const synced = await node.rollcall("sync");

    const { syncs, damaged } = await toldBy(node);
    const text = await node.rollcall("history");
    const ofOne = await toldBy(node, "user1");
    const status = JSON.parse((await node.rollcall("status", "--json")).out);
    const explained = await node.rollcall("explain", "user2");

    assert.equal(synced.code, 0, synced.err);
    assert.deepEqual([syncs.length, damaged], [2, 0]);
    assert.deepEqual(syncs[0] && inShort(syncs[0]), [
      "home-created user4 iam",
      "key-granted user1 iam",
      "key-granted user4 iam",
      "key-revoked user1 iam",
      "key-revoked user3 iam",
      "member-added user2 iam",
      "user-added user4 iam",
      "user-changed user2 iam",
      "user-removed user3 iam",
    ]);
    assert.ok(syncs.every(({ ended, source }) => ended && source === "iam"));
    assert.deepEqual(
      ofOne.syncs[0]?.changes.map((one) => [one.event, one.version, one.result]),
      [
        ["key-revoked", 'W/"2"', "done"],
        ["key-granted", 'W/"2"', "done"],
      ],
    );
    assert.match(
      text.out,
      /~ user +user2 +gecos "User Number 2" → "Somebody Else" {2}\(news of the IAM, version "2026-05-31T10:00:00Z"\)/,
    );
    assert.match(text.out, /\+ key +user1 +SHA256:\S+ ssh-ed25519 "new@laptop"/);
    assert.deepEqual(status.iam, { address: iam.url, newest: "2026-05-31T10:00:00.000Z", askedBy: null });
    assert.match(
      explained.out,
      /\nLast change \S+Z: . \w+ {2}user2 .*\(news of the IAM, version "2026-05-31T10:00:00Z"\)\nuser2 can log in here/,
    );
    assert.doesNotMatch(text.out + readFileSync(fileOf(node), "utf8"), /AAAA/);
    assert.equal(statSync(fileOf(node)).mode & 0o777, 0o600);
  });

  it("tells edits, acceptances, rules of access and changes of the configuration from news of the IAM", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(4), [aGroup(1, ["u-1", "u-2", "u-3"])]);
    node.configure(iam.url);
    await node.rollcall("sync");
    const newest = async () => (await toldBy(node)).syncs[0] ?? assert.fail();

    rmSync(join(node.path, "etc/ssh/authorized_keys.d/user1"));
    await node.rollcall("sync");
    const edited = await newest();
    iam.users = [aUser(1), aUser(2, { uid: 22_222 }), aUser(3), aUser(4)];
    await node.rollcall("sync");
    await node.rollcall("accept", "user2");
    const accepted = await newest();
    node.configure(iam.url, "access: { login: { groups: [group1] } }\n");
    await node.rollcall("sync");
    const access = await newest();
    node.configure(iam.url, "homes: { create: false }\n");
    await node.rollcall("sync");
    const configured = await newest();

    assert.deepEqual(inShort(edited), ["file-repaired  edited", "key-granted user1 edited"]);
    assert.ok(inShort(accepted).includes("user-changed user2 accepted"), inShort(accepted).join());
    assert.ok(inShort(access).includes("user-deactivated user4 access"), inShort(access).join());
    assert.ok(inShort(configured).includes("user-reactivated user4 node"), inShort(configured).join());
  });

  it("gives the reason of each change, whatever else came with it", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(4), [aGroup(1, ["u-1", "u-4"])]);
    const access = "access: { login: { users: [user1, user2, user3] } }\n";
    node.configure(iam.url, access);
    await node.rollcall("sync");
    iam.users = [...someUsers(3), aUser(4, { gecos: "Somebody Else" })];
    iam.groups = [aGroup(1, ["u-1"])];
    await node.rollcall("sync");
    node.configure(
      iam.url,
      `${access}homes: { path: /home/people/%u, under: [/home/people], create: false }\n`,
    );
    iam.users = [...someUsers(3), aUser(4, { gecos: "Somebody Else" }), aUser(5)];
    await node.rollcall("sync");

    const [moved, news] = (await toldBy(node)).syncs.map(inShort);

    assert.deepEqual(news, ["member-removed user4 iam", "user-changed user4 iam"]);
    assert.deepEqual(moved, [
      "user-added user5 iam",
      ...[1, 2, 3, 4].map((nth) => `user-changed user${nth} node`),
    ]);
  });

  it("tells once what is tried again in vain, with its first reason, and that it is done at last", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const blocked = join(node.path, "etc/ssh/authorized_keys.d/user2");
    rmSync(blocked);
    mkdirSync(blocked);
    iam.users = [aUser(1), aUser(2, { keys: [aKey(92)] }), aUser(3)];
    await node.rollcall("sync");
    const once = readFileSync(fileOf(node), "utf8");
    await node.rollcall("sync");
    await node.rollcall("sync");
    const thrice = readFileSync(fileOf(node), "utf8");
    rmSync(blocked, { recursive: true });
    await node.rollcall("sync");

    const { syncs } = await toldBy(node, "user2");
    const granted = syncs.flatMap(({ changes }) => changes.filter(({ event }) => event === "key-granted"));

    assert.equal(thrice, once);
    assert.deepEqual(
      granted.map(({ result }) => result),
      ["done", "not-done", "done"],
    );
    assert.equal(granted[1]?.why, "iam");
  });

  it("has nothing of a sync that changed nothing or was refused, and says whose removals were accepted", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(40), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const before = readFileSync(fileOf(node));
    await node.rollcall("sync");
    iam.users = someUsers(10);
    const refused = await node.rollcall("sync");
    const after = readFileSync(fileOf(node));
    const id = /--accept-removals ([0-9a-f]+)/.exec(refused.err)?.[1] ?? "";
    await node.rollcall("sync", "--accept-removals", id);

    const { syncs } = await toldBy(node);

    assert.deepEqual(after, before);
    assert.deepEqual(
      syncs.map(({ acceptedRemovals }) => acceptedRemovals),
      [true, false],
    );
  });

  it("is bounded by a time and a number, and offers the nearest name", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url);
    await node.rollcall("sync");

    const one = await toldBy(node, "--limit", "1");
    const early = await toldBy(node, "--since", "2000-01-01");
    const late = await node.rollcall("history", "--since", "0s");
    const wrong = await node.rollcall("history", "--since", "yesterday");
    const misspelt = await node.rollcall("history", "usre1");

    assert.deepEqual([one.syncs[0]?.changes.length, one.more], [1, 8]);
    assert.equal(early.syncs[0]?.changes.length, 9);
    assert.match(late.out, /Nothing has changed here/);
    assert.equal(wrong.code, 64);
    assert.match(misspelt.out, /nothing about "usre1"; did you mean "user1"\?/);
  });

  it("counts what is beyond ten thousand changes, and lists first who lost something", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(
      Array.from({ length: 6000 }, (_, nth) => aUser(nth + 1, { keys: [] })),
      [aGroup(1, [])],
    );
    node.configure(iam.url, "homes: { create: false }\n");
    await node.rollcall("sync");
    iam.users = Array.from({ length: 6000 }, (_, nth) =>
      aUser(nth + 1, { gecos: `Other ${"x".repeat(120)}`, keys: [], active: nth > 10 }),
    );
    await node.rollcall("sync");

    const { syncs } = await toldBy(node, "--all");
    const first = syncs.at(-1);
    const last = syncs[0];

    const { "user-changed": counted = 0 } = last?.unlisted ?? {};
    assert.equal((last?.changes.length ?? 0) + counted, 6011);
    assert.ok(counted > 0 && last?.changes.length !== 0);
    assert.ok(last?.changes.slice(0, 11).every(({ event }) => event === "user-deactivated"));
    assert.equal(first?.changes.length, 6001);
    assert.ok(statSync(fileOf(node)).size < 3 * 1024 ** 2);
  });
});

describe("a history that is damaged", () => {
  it("by half a line at its end goes on behind the last whole one", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const whole = readFileSync(fileOf(node), "utf8");
    appendFileSync(fileOf(node), '{"history":1,"sync":"torn","changes":[{"event":"user-add');
    const torn = await toldBy(node);
    iam.users = someUsers(3);
    const synced = await node.rollcall("sync");

    const { syncs, damaged } = await toldBy(node);

    assert.deepEqual([torn.syncs.length, torn.damaged], [1, 0]);
    assert.equal(synced.code, 0, synced.err);
    assert.deepEqual([syncs.length, damaged], [2, 0]);
    assert.ok(readFileSync(fileOf(node), "utf8").startsWith(`${whole}{"history":1,`));
  });

  it("in the middle tells the rest, and says how many lines are lost", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const whole = readFileSync(fileOf(node), "utf8");
    writeFileSync(fileOf(node), `\u0000\u001b[2J\n{"history":1}\n[]\n${whole}{"history":1,"sync":7}\n`);

    const ran = await node.rollcall("history");

    assert.equal(ran.code, 0);
    assert.match(ran.err, /4 line\(s\) of the history are damaged/);
    assert.match(ran.out, /\+ user +user1/);
    assert.doesNotMatch(ran.out + ran.err, /\u001b/);
  });

  it("tells of a sync that was killed that its end is not known", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const [begun = ""] = readFileSync(fileOf(node), "utf8").split("\n");
    truncateSync(fileOf(node), begun.length + 1);

    const text = await node.rollcall("history");
    const { syncs } = await toldBy(node);

    assert.match(text.out, /it was killed, so some of this may have been left to the next one/);
    assert.ok(syncs[0]?.changes.every(({ result }) => result === "unknown"));
  });

  const oddities: readonly [what: string, make: (path: string) => void, says: RegExp][] = [
    ["a directory stands in its place", (path) => mkdirSync(path), /EISDIR|not a regular file/],
    ["it is a link", (path) => symlinkSync("/etc/hostname", path), /ELOOP|symbolic link/],
    [
      "others can change it",
      (path) => (writeFileSync(path, ""), chmodSync(path, 0o666)),
      /changed by others/,
    ],
  ];
  for (const [what, make, says] of oddities) {
    it(`so that ${what} stops no sync, which says so, and is a notice in the status`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam(someUsers(2), []);
      node.configure(iam.url);
      mkdirSync(join(node.path, "var/lib/rollcall"), { recursive: true, mode: 0o700 });
      make(fileOf(node));

      const synced = await node.rollcall("sync");
      const status = await node.rollcall("status");
      const told = await node.rollcall("history");

      assert.equal(synced.code, 0, synced.err);
      assert.match(synced.err, /The history lacks what this sync changed: .*history-unwritable/);
      assert.match(synced.err, says);
      assert.match(node.read("/etc/ssh/authorized_keys.d/user1") ?? "", /ssh-ed25519/);
      assert.equal(status.code, 0, status.out);
      assert.match(status.out, /notice: The history lacks what the last sync changed/);
      assert.equal(told.code, 1);
      assert.match(told.err, /Reading the history failed.*node-unreadable/);
    });
  }
});

describe("the file of the history", () => {
  it("is set aside when it is full, and both are told", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const whole = readFileSync(fileOf(node), "utf8");
    writeFileSync(fileOf(node), whole + `${" ".repeat(1023)}\n`.repeat(8191));
    iam.users = someUsers(3);
    await node.rollcall("sync");

    const { syncs } = await toldBy(node);

    assert.deepEqual(
      syncs.map(({ changes }) => changes.length),
      [3, 6],
    );
    assert.ok(statSync(fileOf(node)).size < 4096);
    assert.ok(statSync(`${fileOf(node)}.1`).size > 8 * 1024 ** 2 - 4096);
  });

  it("is root's: nobody else reads it", {
    skip: process.geteuid?.() === 0 ? false : "must be root",
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(2), []);
    node.configure(iam.url);
    await node.rollcall("sync");

    const ran = spawnSync("cat", [fileOf(node)], { uid: 65534, gid: 65534, encoding: "utf8" });

    assert.notEqual(ran.status, 0);
    assert.equal(ran.stdout, "");
  });
});
