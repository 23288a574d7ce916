/**
 * The ledger of a real node: what it holds back, what a person lets through, and what is left when it is lost.
 */

import assert from "node:assert/strict";
import { chmodSync, chownSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startDaemon } from "../support/daemon.ts";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { aKey, aUser } from "../support/records.ts";

const LEDGER = "var/lib/rollcall/ledger";
const isRoot = process.getuid?.() === 0;

/** Name and uid of everybody on the map. */
function servedBy(node: NodeRoot): string[] {
  const lines = (node.read("/etc/passwd.cache") ?? "").split("\n").filter(Boolean);
  return lines.map((line) =>
    line
      .split(":")
      .filter((_, nth) => nth === 0 || nth === 2)
      .join(" "),
  );
}

/** A node and an IAM with these users, in step. */
async function inStep(...users: unknown[]) {
  const node = makeNodeRoot();
  const iam = await startFakeIam(users, []);
  node.configure(iam.url);
  assert.equal((await node.rollcall("sync")).code, 0);
  return {
    node,
    iam,
    [Symbol.asyncDispose]: async () => {
      await iam[Symbol.asyncDispose]();
      node[Symbol.dispose]();
    },
  };
}

describe("a uid that changes in the IAM", () => {
  it("is held back, shown by plan, and let through by accept alone", async () => {
    await using at = await inStep(aUser(1), aUser(2));
    const { node, iam } = at;
    iam.users = [aUser(1, { uid: 20_001 }), aUser(2)];

    const held = await node.rollcall("sync");
    const before = servedBy(node);
    const mistyped = await node.rollcall("accept", "user2");
    const nobody = await node.rollcall("accept");
    const accepted = await node.rollcall("accept", "user1");
    const again = await node.rollcall("sync");

    assert.equal(held.code, 0);
    assert.match(held.out, /user1[^]*20001[^]*10001[^]*rollcall accept user1[^]*\[id-held\]/);
    assert.deepEqual(before, ["user1 10001", "user2 10002"]);
    assert.deepEqual([mistyped.code, nobody.code], [1, 64]);
    assert.match(mistyped.err, /only these are: "user1".*nothing-held/);
    assert.equal(accepted.code, 0, accepted.err);
    assert.deepEqual(servedBy(node), ["user1 20001", "user2 10002"]);
    assert.match(again.out, /Nothing to do/);
  });

  it("leaves a home that is reported with whose it was", {
    skip: isRoot ? false : "needs root",
  }, async () => {
    await using at = await inStep(aUser(1), aUser(2));
    const { node, iam } = at;
    iam.users = [aUser(1, { uid: 20_001 }), aUser(2)];
    chownSync(join(node.path, "home/user2"), 20_001, 20_001);

    const { out } = await node.rollcall("accept", "user1");

    assert.match(
      out,
      /home\/user1 belongs to uid 10001 \(their own uid before\), user1 is uid 20001; their files: chown -Rh --from=10001 20001:20001 .*home.user1/,
    );
    assert.match(out, /home\/user2 belongs to uid 20001 \(user1\), user2 is uid 10002/);
  });

  it("is let through by the daemon as well, in the words of the command", async () => {
    await using at = await inStep(aUser(1));
    const { node, iam } = at;
    await using daemon = startDaemon(node);
    await daemon.logged(/in step|synced/);
    iam.users = [aUser(1, { uid: 20_001 })];

    const mistyped = await node.rollcall("accept", "--", "--every");
    const accepted = await node.rollcall("accept", "user1");

    assert.match(mistyped.err, /nothing-held/);
    assert.match(daemon.output(), /nothing to accept/);
    assert.doesNotMatch(daemon.output(), /sync failed/);
    assert.equal(accepted.code, 0, accepted.err);
    await daemon.logged(/user:user1.*accepted by a person/);
    assert.deepEqual(servedBy(node), ["user1 20001"]);
  });
});

describe("the uid of somebody who is gone", () => {
  it("goes to nobody else until a person says so, or the time is over", async () => {
    await using at = await inStep(aUser(1), aUser(2), aUser(3));
    const { node, iam } = at;
    const heir = aUser(9, { name: "heir", uid: 10_003 });
    iam.users = [aUser(1), aUser(2)];
    await node.rollcall("sync");
    iam.users = [aUser(1), aUser(2), heir];

    const refused = await node.rollcall("sync");
    const meanwhile = servedBy(node);
    node.configure(iam.url, "ledger: { rememberFor: 0s }\n");
    const later = await node.rollcall("sync");

    assert.equal(refused.code, 3);
    assert.match(
      refused.out,
      /uid: 10003 is kept on this node for the user "user3" .*rollcall accept heir.*id-remembered/,
    );
    assert.deepEqual(meanwhile, ["user1 10001", "user2 10002"]);
    assert.equal(later.code, 0);
    assert.deepEqual(servedBy(node), ["heir 10003", "user1 10001", "user2 10002"]);
  });
});

describe("a ledger that is lost", () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    deleted: (path) => rmSync(path),
    truncated: (path) => truncateSync(path, 100),
    "open to others": (path) => chmodSync(path, 0o666),
  };
  for (const [how, damage] of Object.entries(damages)) {
    it(`because it was ${how} is made anew, told for a day, and lets no contested id through`, async () => {
      await using at = await inStep(aUser(1), aUser(2));
      const { node, iam } = at;
      damage(join(node.path, LEDGER));
      // One claims a uid, one a name, and the third makes user2's place unclear: both records have all of it.
      iam.users = [
        aUser(1),
        aUser(2),
        aUser(7, { name: "eve", uid: 10_001 }),
        aUser(8, { name: "user1" }),
        aUser(9, { name: "user2", uid: 10_002 }),
      ];

      const { out } = await node.rollcall("sync");
      const { out: status } = await node.rollcall("status");

      assert.deepEqual(servedBy(node), ["user1 10001"]);
      assert.equal(out.match(/id-contested\]|name-contested\]/g)?.length, 2 + 4 + 2);
      assert.match(status, /ledger was missing or damaged/);
      assert.match(node.read(`/${LEDGER}`) ?? "", /"u-1","user1",10001/);
    });
  }
});

describe("a ledger that cannot be written", { skip: isRoot ? false : "needs root" }, () => {
  it("stops whoever would be given an id, and no revocation", async () => {
    await using at = await inStep(aUser(1), aUser(2, { keys: [aKey(2), aKey(22)] }));
    const { node, iam } = at;
    chownSync(join(node.path, "var/lib/rollcall"), 1234, 1234);
    iam.users = [aUser(1), aUser(2), aUser(3)];

    const sync = await node.rollcall("sync");

    assert.equal(sync.code, 1);
    assert.match(sync.err, /state-unwritable/);
    assert.match(sync.err, /nobody is given an id that it does not have/);
    assert.deepEqual(servedBy(node), ["user1 10001", "user2 10002"]);
    assert.equal(node.read("/etc/ssh/authorized_keys.d/user2")?.includes(aKey(22)), false);
    assert.equal(node.read("/etc/ssh/authorized_keys.d/user3"), undefined);
  });
});

describe("a map that somebody has edited", () => {
  it("adds to the ledger whom it names under another's uid, and once", async () => {
    await using at = await inStep(aUser(1), aUser(2));
    const { node } = at;
    const map = node.read("/etc/passwd.cache") ?? "";

    const syncEdited = async () => {
      node.write("/etc/passwd.cache", `${map}zoe:x:10001:10001::/home/zoe:/bin/bash\n`);
      assert.equal((await node.rollcall("sync")).code, 0);
      return node.read(LEDGER) ?? "";
    };
    const first = await syncEdited();
    const second = await syncEdited();

    const holdings = first.split("\n").filter((line) => line.startsWith('["user",'));
    const names = holdings.map((line) => line.split(",").slice(2, 4).join(" "));
    assert.deepEqual(names, ['"user1" 10001', '"zoe" 10001', '"user2" 10002']);
    // Since when it is gone as well.
    assert.equal(second, first);
    assert.equal(node.read("/etc/passwd.cache"), map);
  });
});
