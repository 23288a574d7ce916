/**
 * A file server that hangs under the homes of some people.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { missing, startNamespace } from "../support/namespace.ts";
import { configFor } from "../support/node-root.ts";
import { aKey, aUser } from "../support/records.ts";

const skip = missing("namespaces");
const KEYS = "/etc/ssh/authorized_keys.d/user1";

describe("a place of homes that never answers", { skip }, () => {
  it("keeps no key from being revoked, and nobody from being added", { timeout: 180_000 }, async () => {
    const stuck = aUser(2, { home: "/home/stuck/user2" });
    await using iam = await startFakeIam([aUser(1, { keys: [aKey(1), aKey(2)] }), stuck], []);
    await using node = await startNamespace();
    await node.write("/etc/rollcall/token", TOKEN, 0o600);
    await node.write("/etc/rollcall/rollcall.yaml", configFor(iam.url));
    await node.run("mkdir", "-p", "/home/stuck");
    assert.equal((await node.rollcall("sync")).code, 0);
    await using hanging = node.start("python3", "/run/test/rollcall/test/support/hang.py", "/home/stuck");
    await hanging.printed("hanging");
    iam.users = [aUser(1, { keys: [aKey(1)] }), stuck, aUser(3)];

    const start = performance.now();
    const synced = await node.rollcall("sync");
    const seconds = (performance.now() - start) / 1000;
    const keys = await node.read(KEYS);
    const { out: home } = await node.run("stat", "-c", "%U", "/home/user3");
    const explained = await node.rollcall("explain", "user2");

    console.log(`      a sync beside a hanging file server: ${seconds.toFixed(1)} s`);
    assert.match(synced.out, /user2[^]*\/home\/stuck does not answer[^]*\[home-parent\]/);
    assert.equal(keys.includes(aKey(2)), false);
    assert.equal(home, "user3\n");
    assert.match(synced.out, /^Served: 3 users/m);
    assert.match(explained.out, /The first broken link is "home": Bring the file server back/);
    assert.ok(seconds < 45, "it ends by itself, though a thread of it still waits");
  });
});
