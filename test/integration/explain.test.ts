/**
 * `explain` by the real program; every situation of a person is in test/full.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot } from "../support/node-root.ts";
import { aUser, someUsers } from "../support/records.ts";

/** Who is asked for, the first broken link, the exit code, and words of the remedy. */
const SITUATIONS = [
  ["user1", null, 0, /user1 can log in here, if /],
  ["usr1", "record", 1, /[Dd]id you mean "user1"/],
  ["user2", "active", 1, /Activate them in the IAM/],
  ["user3", "keys", 1, /add an ed25519 key/],
  ["localadmin", "record", 1, /up to \/etc\/passwd/],
] as const;

describe("explain", () => {
  it("names the first broken link, what to do about it, and whether they can log in", async () => {
    const people = [...someUsers(1), aUser(2, { active: false }), aUser(3, { keys: [] })];
    await using iam = await startFakeIam(people, []);
    using node = makeNodeRoot();
    node.configure(iam.url);
    await node.rollcall("sync");
    for (const [user, broken, code, says] of SITUATIONS) {
      const ran = await node.rollcall("explain", user);
      const json = JSON.parse((await node.rollcall("explain", user, "--json")).out);

      assert.equal(ran.code, code, ran.out);
      assert.match(ran.out.trimEnd().split("\n").at(-1) ?? "", says);
      assert.deepEqual([json.user, json.canLogIn, json.firstBroken], [user, code === 0, broken]);
    }
  });
});
