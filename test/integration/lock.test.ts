/**
 * One sync of a node at a time, however the last one ended.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type FakeIam, startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, waitFor } from "../support/node-root.ts";
import { MAIN } from "../support/program.ts";
import { aUser, someUsers } from "../support/records.ts";

/** Starts a sync that goes on until it is ended: the IAM never answers its first request. */
async function startHangingSync(node: NodeRoot, iam: FakeIam): Promise<ChildProcess> {
  iam.misbehave = () => true;
  const child = spawn(process.execPath, [MAIN, "sync", "--root", node.path], { stdio: "ignore" });
  await waitFor(() => iam.requests.length > 0);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("a second sync", () => {
  it("is refused with the pid of the first, and only for as long as that one lives", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    const first = await startHangingSync(node, iam);

    const second = await node.rollcall("sync");
    await kill(first);
    iam.misbehave = undefined;
    const third = await node.rollcall("sync");

    assert.equal(second.code, 1);
    assert.match(second.err, new RegExp(`pid ${first.pid} holds .*node-busy`));
    assert.equal(third.code, 0, third.err);
  });

  it("does not keep plan from looking", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    const first = await startHangingSync(node, iam);
    iam.misbehave = undefined;

    const planned = await node.rollcall("plan");

    await kill(first);
    assert.equal(planned.code, 2, planned.err);
  });

  it("cannot be kept out by other users: only root can open the lock", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);

    await node.rollcall("sync");

    assert.equal(statSync(join(node.path, "run/rollcall/sync.lock")).mode & 0o777, 0o600);
    assert.equal(statSync(join(node.path, "run/rollcall")).mode & 0o022, 0);
  });
});

describe("what a killed sync leaves behind", () => {
  it("is removed by the next one, and nothing that a link in it points to", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const home = join(node.path, "home/.rollcall-0123456789ab");
    mkdirSync(join(home, "deep/er"), { recursive: true });
    node.write("/precious/file", "kept");
    symlinkSync(join(node.path, "precious"), join(home, "deep/link"));
    node.write("/etc/.rollcall-aaaaaaaaaaaa", "half a map");
    node.write("/etc/ssh/authorized_keys.d/.rollcall-bbbbbbbbbbbb", "half a key file");
    node.write("/home/.rollcall-notes", "somebody's own");

    const planned = await node.rollcall("plan");
    const synced = await node.rollcall("sync");
    const again = await node.rollcall("plan");

    assert.equal(planned.code, 2);
    assert.match(planned.out, /- leftover +\/home\/\.rollcall-0123456789ab +half-made/);
    assert.equal(synced.code, 0, synced.err);
    assert.equal(again.code, 0, again.out);
    assert.deepEqual(
      [existsSync(home), node.read("/precious/file"), node.read("/home/.rollcall-notes")],
      [false, "kept", "somebody's own"],
    );
  });

  it("is a whole node after every kill, and after one more sync nothing else", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(40), []);
    node.configure(iam.url);

    for (let round = 0; round < 8; round += 1) {
      const child = spawn(process.execPath, [MAIN, "sync", "--root", node.path], { stdio: "ignore" });
      await waitFor(
        () => existsSync(join(node.path, `home/user${1 + round * 4}`)) || child.exitCode !== null,
      );
      await kill(child).catch(() => undefined);
      const passwd = node.read("/etc/passwd.cache");
      assert.ok(passwd === undefined || passwd.split("\n").length === 41);
    }
    const last = await node.rollcall("sync");

    assert.equal(last.code, 0, last.err);
    const everything = readdirSync(node.path, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      everything.filter((path) => path.includes(".rollcall-")),
      [],
    );
    assert.equal(everything.filter((path) => /^home\/user\d+$/.test(path)).length, 40);
  });
});
