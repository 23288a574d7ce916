/**
 * Whether glibc finds, through Debian's libnss-cache, exactly who the IAM says.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { parseSshkey, renderSshkey } from "../../src/formats/sshkey.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { aUserDraft, BEFORE, RULES, someDrafts } from "../support/drafts.ts";
import { type FakeIam, type Resource, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { missing, type Namespace, startNamespace } from "../support/namespace.ts";
import { configFor, run } from "../support/node-root.ts";
import { aGroup, aKey, aUser } from "../support/records.ts";

const USERS = 2000;
const GROUPS = 200;
const MAX_ID = 2_147_483_647;
const skip = missing("namespaces", "libnss-cache");
const noPython = spawnSync("python3", ["--version"]).status === 0 ? false : "missing: python3";

/** Every twentieth name is not ASCII; the first users have the highest ids there are. */
const NAMES = ["Zoë Ångström", "Πυθαγόρας", "日本 太郎", "Ада Лавлейс", "👩‍🔬 Mary"];
const uidOf = (nth: number) => (nth <= 5 ? MAX_ID - nth + 1 : 20_000 + nth * 7);
const gecosOf = (nth: number) =>
  nth % 20 === 0 ? `${NAMES[nth % NAMES.length]} ${nth}` : `User Number ${nth}`;
const groupName = (nth: number) => `group${nth}`;
const gidOf = (nth: number) => 50_000_000 + nth;

/** Group n holds every user whose number leaves n behind 200; group 1 holds groups 2 and 3 as well. */
const isMember = (user: number, group: number) =>
  user % GROUPS === group % GROUPS ||
  (group === 1 && [2, 3].includes(user % GROUPS)) ||
  (group === 4 && user === 7);

function theUsers(): Resource[] {
  return Array.from({ length: USERS }, (_, index) => {
    const nth = index + 1;
    return aUser(nth, {
      uid: uidOf(nth),
      gecos: gecosOf(nth),
      ...(nth % 50 === 0 && { keys: [] }),
      ...(nth === 7 && { groups: [{ value: "g-4" }] }),
    });
  });
}

function theGroups(): Resource[] {
  return Array.from({ length: GROUPS }, (_, index) => {
    const nth = index + 1;
    const users = Array.from({ length: USERS }, (_, user) => user + 1).filter(
      (user) => user % GROUPS === nth % GROUPS,
    );
    const nested = nth === 1 ? [{ value: "g-2", type: "Group" }, { value: "g-3" }] : [];
    return aGroup(nth, [...users.map((user) => `u-${user}`), ...nested], { gid: gidOf(nth) });
  });
}

const passwdLine = (nth: number) =>
  `user${nth}:x:${uidOf(nth)}:${uidOf(nth)}:${gecosOf(nth)}:/home/user${nth}:/bin/bash`;
const members = (group: number) =>
  Array.from({ length: USERS }, (_, user) => user + 1)
    .filter((user) => isMember(user, group))
    .map((user) => `user${user}`)
    .sort();

const everyUser = Array.from({ length: USERS }, (_, index) => index + 1);
const everyGroup = Array.from({ length: GROUPS }, (_, index) => index + 1);

let iam: FakeIam;
let node: Namespace;

before(async () => {
  if (skip === false) {
    iam = await startFakeIam(theUsers(), theGroups());
    node = await startNamespace();
    await node.write("/etc/rollcall/token", TOKEN, 0o600);
  }
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
  await iam?.[Symbol.asyncDispose]();
});

async function sync(index: "always" | "never"): Promise<void> {
  const config = configFor(iam.url, `caches: { index: ${index} }\nhomes: { create: false }\n`);
  await node.write("/etc/rollcall/rollcall.yaml", config);
  const ran = await node.rollcall("sync");
  assert.equal(ran.code, 0, ran.err);
}

async function getent(map: string, keys: readonly (string | number)[]): Promise<string[]> {
  const ran = await node.run("getent", map, ...keys.map(String));
  return ran.out.split("\n").filter((line) => line !== "");
}

describe("two thousand users and two hundred groups", { skip }, () => {
  for (const index of ["never", "always"] as const) {
    describe(`with caches.index: ${index}`, () => {
      before(() => sync(index));

      it(`${index === "always" ? "have" : "have no"} indexes on disk`, async () => {
        const { out } = await node.run("sh", "-c", "ls /etc | grep '.cache.ix'");

        const expected = [
          "group.cache.ixgid",
          "group.cache.ixname",
          "passwd.cache.ixname",
          "passwd.cache.ixuid",
          "shadow.cache.ixname",
          "sshkey.cache.ixname",
        ];
        assert.deepEqual(out.split("\n").filter(Boolean), index === "always" ? expected : []);
      });

      it("are each found by name and by id, byte for byte", async () => {
        const expected = everyUser.map(passwdLine);

        assert.deepEqual(
          await getent(
            "passwd",
            everyUser.map((nth) => `user${nth}`),
          ),
          expected,
        );
        assert.deepEqual(await getent("passwd", everyUser.map(uidOf)), expected);
      });

      it("are each found as a group by name and by gid, with everybody who belongs to it", async () => {
        const expected = everyGroup.map(
          (nth) => `${groupName(nth)}:x:${gidOf(nth)}:${members(nth).join(",")}`,
        );

        assert.deepEqual(await getent("group", everyGroup.map(groupName)), expected);
        assert.deepEqual(await getent("group", everyGroup.map(gidOf)), expected);
      });

      it("are each in the right groups, as id says", async () => {
        const ran = await node.run("id", "-G", "--", ...everyUser.map((nth) => `user${nth}`));

        const found = ran.out
          .trim()
          .split("\n")
          .map((line) =>
            line
              .split(" ")
              .map(Number)
              .toSorted((left, right) => left - right),
          );
        const expected = everyUser.map((nth) =>
          [uidOf(nth), ...everyGroup.filter((group) => isMember(nth, group)).map(gidOf)].toSorted(
            (left, right) => left - right,
          ),
        );
        assert.deepEqual(found, expected);
      });

      it("are all there when everybody is listed, once", async () => {
        const lines = await getent("passwd", []);

        const served = lines.filter((line) => line.startsWith("user"));
        assert.deepEqual(served.toSorted(), everyUser.map(passwdLine).toSorted());
      });

      it("have no password, and have not expired", async () => {
        const lines = await getent(
          "shadow",
          everyUser.map((nth) => `user${nth}`),
        );

        assert.deepEqual(
          lines,
          everyUser.map((nth) => `user${nth}:*:::::::`),
        );
      });
    });
  }

  it("have an empty entry in sshkey.cache where they have no key", async () => {
    const records = parseSshkey(Buffer.from(await node.read("/etc/sshkey.cache")));

    const withoutKeys = records.filter(({ keys }) => keys.length === 0).map(({ name }) => name);
    assert.equal(records.length, USERS);
    assert.deepEqual(
      withoutKeys.toSorted(),
      everyUser
        .filter((nth) => nth % 50 === 0)
        .map((nth) => `user${nth}`)
        .toSorted(),
    );
  });

  it("are gone by name and by id after the IAM has lost them, and nobody else is", async () => {
    iam.users = theUsers().filter((_, index) => index !== 0 && index !== 999);

    await sync("always");

    assert.deepEqual(await getent("passwd", ["user1", uidOf(1), "user1000", uidOf(1000)]), []);
    assert.deepEqual(await getent("group", ["user1", uidOf(1)]), []);
    assert.equal(
      (
        await getent(
          "passwd",
          everyUser.map((nth) => `user${nth}`),
        )
      ).length,
      USERS - 2,
    );
  });

  it("keep their names when inactive, without a shell, expired and in no group", async () => {
    iam.users = theUsers().map((user, index) => (index === 1 ? { ...user, active: false } : user));

    await sync("always");

    assert.deepEqual(await getent("passwd", ["user2"]), [
      passwdLine(2).replace("/bin/bash", "/usr/sbin/nologin"),
    ]);
    assert.deepEqual(await getent("shadow", ["user2"]), ["user2:!::::::1:"]);
    assert.equal((await node.run("id", "-Gn", "user2")).out, "user2\n");
  });
});

describe("the Python list of sshkey.cache", () => {
  const AWKWARD = [
    "ssh-ed25519 AAAA it's",
    'ssh-rsa AAAA "quoted"',
    `both ' and "`,
    "back\\slash",
    "é 日本 👩",
    "a\u00a0b\u200bc",
    "tab\there",
  ];

  it("is read as Python wrote it", { skip: noPython }, async () => {
    const { out } = await run(
      "python3",
      ["-c", `import json, sys; print("ada:" + repr(json.loads(sys.argv[1])))`, JSON.stringify(AWKWARD)],
      { PYTHONIOENCODING: "utf-8" },
    );

    assert.deepEqual(parseSshkey(Buffer.from(out)), [{ name: "ada", keys: AWKWARD }]);
  });

  it("is written as Python reads it, and as Python would write it", { skip: noPython }, async () => {
    const keys = AWKWARD.map((comment, seed) => aKey(seed, comment));
    const { users } = validateDirectory(
      someDrafts([aUserDraft(1, { name: "ada", keys })]),
      RULES,
      BEFORE,
    ).directory;
    const literal = renderSshkey(users[0] ?? assert.fail()).slice("ada:".length);

    const script =
      "import ast, json, sys; keys = ast.literal_eval(sys.argv[1]); print(json.dumps(keys)); print(repr(keys) == sys.argv[1])";
    const { out, err } = await run("python3", ["-c", script, literal], { LC_ALL: "C.UTF-8" });

    const [json = "", same] = out.split("\n");
    assert.deepEqual([JSON.parse(json || err), same], [users[0]?.keys, "True"]);
  });
});
