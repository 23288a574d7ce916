/**
 * Three nodes with rules of their own, fed from one IAM: who exists on each, by getent, and whom its sshd lets in.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LoginNode, startLoginNode } from "../support/login-node.ts";
import { missing, PROGRAM } from "../support/namespace.ts";
import { configFor } from "../support/node-root.ts";
import { aGroup, aUser } from "../support/records.ts";

const skip = missing("namespaces", "libnss-cache", "sshd");
const NAMES = ["ada", "bob", "cyd"];

/** The rules of a node, who exists there, and who gets in. */
const NODES: Readonly<Record<string, { access: string; env: string[]; exist: string[]; enter: string[] }>> = {
  "a node for everybody": { access: "", env: [], exist: NAMES, enter: NAMES },
  "a node for a group": {
    access: "access: { visible: [research], login: { groups: [research] } }\n",
    env: [],
    exist: ["ada", "bob"],
    enter: ["ada", "bob"],
  },
  "a login pod of one person, named by the environment": {
    access: "",
    env: ["ROLLCALL_LOGIN_USERS=cyd"],
    exist: NAMES,
    enter: ["cyd"],
  },
};

describe("three nodes of one IAM", () => {
  it("show and let in whom the rules of each say, and files keep their owners' names", { skip }, async () => {
    await using first = await startLoginNode({ usePam: true, keysFrom: "files" });
    await using second = await startLoginNode({ usePam: true, keysFrom: "files" });
    await using third = await startLoginNode({ usePam: true, keysFrom: "files" });
    const key = await first.makeKey();
    first.iam.users = NAMES.map((name, nth) => aUser(nth + 1, { name, keys: [key.line] }));
    first.iam.groups = [aGroup(1, ["u-1", "u-2"], { name: "research" })];

    const found: Record<string, { exist: string[]; enter: string[] }> = {};
    for (const [nth, door] of [first, second, third].entries()) {
      const [what = "", { access, env } = { access: "", env: [] }] = Object.entries(NODES)[nth] ?? [];
      await door.node.write("/etc/rollcall/rollcall.yaml", configFor(first.iam.url, access));
      const synced = await door.node.run("env", ...env, ...PROGRAM, "sync");
      assert.equal(synced.code, 0, synced.err);
      found[what] = {
        exist: await those(async (name) => (await door.node.run("getent", "passwd", name)).code === 0),
        enter: await those(async (user) => isLetIn(door, { user, key, command: "id -un" })),
      };
    }
    const owner = await third.node.run(
      "sh",
      "-c",
      "touch /home/file && chown 10001 /home/file && stat -c %U /home/file",
    );

    console.log(`      ${JSON.stringify(found)}`);
    assert.deepEqual(
      found,
      Object.fromEntries(Object.entries(NODES).map(([what, { exist, enter }]) => [what, { exist, enter }])),
    );
    assert.equal(owner.out, "ada\n");
  });
});

async function those(holds: (name: string) => Promise<boolean>): Promise<string[]> {
  const answers = await Promise.all(NAMES.map(holds));
  return NAMES.filter((_, nth) => answers[nth]);
}

async function isLetIn(door: LoginNode, attempt: Parameters<LoginNode["openSsh"]>[0]): Promise<boolean> {
  const { code, out } = await door.openSsh(attempt);
  return code === 0 && out === `${attempt.user}\n`;
}

/** Processes are told apart by uid, and those of the tests that run beside these can be seen: nobody there has these. */
const FIRST_UID = 17_000;

describe("a person who may not log in any more", () => {
  const outcomes = { nothing: "stays", "end-sessions": "ends" } as const;
  for (const [onRevoke, outcome] of Object.entries(outcomes)) {
    it(`and is logged in ${outcome} with access.onRevoke: ${onRevoke}, and nobody else`, {
      skip,
    }, async () => {
      await using door = await startLoginNode({ usePam: true, keysFrom: "files" });
      const key = await door.makeKey();
      const config = await door.node.read("/etc/rollcall/rollcall.yaml");
      await door.node.write("/etc/rollcall/rollcall.yaml", `${config}access: { onRevoke: ${onRevoke} }\n`);
      const [ada, bob] = [1, 2].map((nth) =>
        aUser(nth, { uid: FIRST_UID + nth, name: NAMES[nth - 1], keys: [key.line] }),
      );
      await door.serve([ada ?? {}, bob ?? {}]);
      const ended: string[] = [];
      const sessions = ["ada", "bob"].map(async (user) => {
        await door.openSsh({ user, key, command: STAY });
        ended.push(user);
      });
      await waitInside(door, "test -e /home/ada/in && test -e /home/bob/in");

      await door.serve([ada ?? {}, { ...bob, active: false }]);

      await waitInside(door, onRevoke === "nothing" ? "true" : "! pgrep -u bob sshd");
      const left = await door.node.run("sh", "-c", "pgrep -u ada sshd; pgrep -u bob sshd");
      assert.equal(left.out.trim().split("\n").length, outcome === "ends" ? 1 : 2);
      await door.node.write("/run/test/over", "");
      await Promise.all(sessions);
      assert.deepEqual(ended.toSorted(), ["ada", "bob"]);
      assert.equal(ended[0] === "bob" || outcome === "stays", true);
    });
  }
});

/** A session that says that it is there, and lasts until it is told to end, or half a minute. */
const STAY = "touch ~/in; for i in $(seq 300); do test -e /run/test/over && exit; sleep 0.1; done";

/** Asks again for ten seconds at most. */
async function waitInside(door: LoginNode, holds: string): Promise<void> {
  const script = `for i in $(seq 100); do ${holds} && exit 0; sleep 0.1; done; exit 1`;
  assert.equal((await door.node.run("sh", "-c", script)).code, 0, holds);
}
