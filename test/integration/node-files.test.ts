/**
 * What a sync does to the files of a node, and what it refuses to touch.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, run, runRollcall } from "../support/node-root.ts";
import { aGroup, aKey, aUser, someUsers } from "../support/records.ts";

const isRoot = process.geteuid?.() === 0;
const rootOnly = { skip: isRoot ? false : "only root can give files away" };

function below(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
}

function noTemporaries(node: NodeRoot): void {
  assert.deepEqual(
    below(node.path).filter((path) => path.includes(".rollcall-")),
    [],
  );
}

describe("a sync", () => {
  it("writes every map, key file and home with the promised modes", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1), aUser(2, { keys: [] })], [aGroup(1, ["u-1"])]);
    node.configure(iam.url, "caches: { index: always }\n");

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    const modeOf = (path: string) => (statSync(join(node.path, path)).mode & 0o7777).toString(8);
    const etc = readdirSync(join(node.path, "etc")).filter((name) => name.includes(".cache"));
    assert.deepEqual(Object.fromEntries(etc.sort().map((name) => [name, modeOf(`etc/${name}`)])), {
      "group.cache": "644",
      "group.cache.ixgid": "644",
      "group.cache.ixname": "644",
      "passwd.cache": "644",
      "passwd.cache.ixname": "644",
      "passwd.cache.ixuid": "644",
      "shadow.cache": "640",
      "shadow.cache.ixname": "640",
      "sshkey.cache": "644",
      "sshkey.cache.ixname": "644",
    });
    assert.deepEqual(below(join(node.path, "etc/ssh")), ["authorized_keys.d", "authorized_keys.d/user1"]);
    assert.deepEqual(
      [modeOf("etc/ssh/authorized_keys.d"), modeOf("etc/ssh/authorized_keys.d/user1")],
      ["755", "644"],
    );
    assert.deepEqual([modeOf("home/user1"), modeOf("home/user1/.config/app.conf")], ["700", "600"]);
    assert.match(node.read("/etc/sshkey.cache") ?? "", /^user1:\['ssh-ed25519 .*'\]\nuser2:\n$/);
    noTemporaries(node);
  });

  it(
    "gives homes, and everything from the skeleton, to their owner, and shadow to its group",
    rootOnly,
    async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      node.configure(iam.url);
      symlinkSync("/somewhere", join(node.path, "etc/skel/link"));

      await node.rollcall("sync");

      const home = join(node.path, "home/user1");
      for (const path of ["", ".bashrc", ".config", ".config/app.conf", "link"]) {
        const { uid, gid } = lstatSync(join(home, path));
        assert.deepEqual([path, uid, gid], [path, 10_001, 10_001]);
      }
      assert.equal(readlinkSync(join(home, "link")), "/somewhere");
      assert.equal(statSync(join(node.path, "etc/shadow.cache")).gid, 42);
    },
  );

  it("that has nothing to do touches nothing: the same inodes, the same times", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(30), [aGroup(1, ["u-1"])]);
    node.configure(iam.url, "caches: { index: always }\n");
    await node.rollcall("sync");
    const untouched = node.snapshot();

    const ran = await node.rollcall("sync");

    assert.match(ran.out, /Nothing to do/);
    assert.deepEqual(node.snapshot(), untouched);
  });

  it("that changes one key rewrites that user's file and the sshkey map, no more", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(30), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const before = node.snapshot();
    iam.users = [aUser(1, { keys: [aKey(99)] }), ...iam.users.slice(1)];

    await node.rollcall("sync");

    const after = node.snapshot();
    const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
    assert.deepEqual(changed.map((path) => path.slice(node.path.length)).sort(), [
      "/etc",
      "/etc/ssh/authorized_keys.d",
      "/etc/ssh/authorized_keys.d/user1",
      "/etc/sshkey.cache",
      "/var/lib/rollcall/etags.json",
      "/var/lib/rollcall/history",
      "/var/lib/rollcall/iam.json",
      "/var/lib/rollcall/published",
    ]);
  });

  it("is what plan said it would be, and plan itself writes nothing", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [aGroup(1, ["u-1"])], { etags: true });
    node.configure(iam.url);
    const untouched = node.snapshot();

    const planned = await node.rollcall("plan", "--json");
    const afterPlan = node.snapshot();
    const synced = await node.rollcall("sync", "--json");
    const again = await node.rollcall("plan");

    assert.equal(planned.code, 2);
    assert.deepEqual(afterPlan, untouched);
    assert.deepEqual(JSON.parse(synced.out).changes, JSON.parse(planned.out).changes);
    assert.equal(again.code, 0);
    assert.match(again.out, /Nothing to do/);
  });

  it("puts the indexes away when they are not wanted any more", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, "caches: { index: always }\n");
    await node.rollcall("sync");
    node.configure(iam.url, "caches: { index: never }\n");

    await node.rollcall("sync");

    assert.deepEqual(
      readdirSync(join(node.path, "etc")).filter((name) => name.includes(".ix")),
      [],
    );
  });

  it("lets one refused plan through when a person names it, and no other", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(40), []);
    node.configure(iam.url);
    await node.rollcall("sync");
    iam.users = someUsers(10);
    const refused = await node.rollcall("sync");
    const id = /--accept-removals ([0-9a-f]+)/.exec(refused.err)?.[1] ?? "";

    iam.users = someUsers(9);
    const other = await node.rollcall("sync", "--accept-removals", id);
    iam.users = someUsers(10);
    const accepted = await node.rollcall("sync", "--accept-removals", id);

    assert.deepEqual([refused.code, other.code, accepted.code], [1, 1, 0], accepted.err);
    assert.match(refused.err, /30 of 40 users \(75 %\).*removals-refused/);
    assert.match(accepted.out, /Served: 10 users/);
  });

  it("is refused for everything at once that a wrong path would take, and names the plan that was agreed to", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1), aUser(2), aUser(3, { keys: [] })], []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
    node.write("/etc/rollcall/rollcall.yaml", config.replace("/sshKeys", "/sshkey"));

    const refused = await node.rollcall("sync", "--accept-removals", "abc");
    const planned = await node.rollcall("plan");

    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /every SSH key from all 2 users.*attributes\.user\.keys.*The id "abc" belongs to another plan/,
    );
    assert.match(planned.out, new RegExp(`rollcall sync --root ${node.path} --accept-removals [0-9a-f]{12}`));
  });

  it("works from files on disk, and holds them to the same completeness", async () => {
    using node = makeNodeRoot();
    const page = (resources: unknown[], total = resources.length) => ({
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: total,
      Resources: resources,
    });
    node.configure("https://unused.invalid");
    const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
    node.write(
      "/etc/rollcall/rollcall.yaml",
      config.replace(
        /iam:\n(?: {2}.*\n)+/,
        "iam: { source: file, usersFile: /etc/users.json, groupsFile: /etc/groups.json }\n",
      ),
    );
    const dated = { ...aUser(3), meta: { lastModified: "2026-05-31T10:00:00Z" } };
    node.write("/etc/users.json", JSON.stringify([page(someUsers(2), 3), page([dated], 3)]));
    node.write("/etc/groups.json", JSON.stringify(page([])));

    const whole = await node.rollcall("sync");
    const { iam } = JSON.parse((await node.rollcall("status", "--json")).out);
    node.write("/etc/users.json", JSON.stringify([page(someUsers(2), 3), page([aUser(3)], 3)]));
    await node.rollcall("sync");
    const undated = JSON.parse((await node.rollcall("status", "--json")).out);
    node.write("/etc/users.json", JSON.stringify(page(someUsers(2), 3)));
    const truncated = await node.rollcall("sync");
    node.write("/etc/users.json", JSON.stringify(page(someUsers(2))), 0o666);
    const exposed = await node.rollcall("sync");
    rmSync(`${node.path}/etc/users.json`);
    const missing = await node.rollcall("sync");

    assert.match(missing.err, /Reading the list in \S+\/etc\/users\.json: ENOENT.*\[iam-unreadable\]/);
    assert.match(whole.out, /Served: 3 users/);
    assert.deepEqual([iam.newest, undated.iam.newest], ["2026-05-31T10:00:00.000Z", null]);
    assert.match(truncated.err, /2 different resources, but totalResults is 3.*iam-incomplete/);
    assert.match(exposed.err, /others can change it.*chmod go-w.*iam-untrusted/);
    assert.deepEqual([whole.code, truncated.code, exposed.code], [0, 1, 1]);
  });
});

describe("a sync refuses to write", () => {
  const oddities: readonly [what: string, make: (path: string) => void][] = [
    ["a link", (path) => symlinkSync("/etc/hostname", path)],
    ["a directory", (path) => mkdirSync(path)],
  ];
  for (const [what, make] of oddities) {
    it(`where ${what} stands in the place of a map, and says so`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      node.configure(iam.url);
      make(join(node.path, "etc/passwd.cache"));
      const untouched = node.snapshot();

      const ran = await node.rollcall("sync");

      assert.equal(ran.code, 1);
      assert.match(ran.err, /passwd\.cache.*move it away.*node-unreadable/);
      assert.deepEqual(node.snapshot(), untouched);
    });

    it(`where ${what} stands in the place of a key file, and serves everybody else`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1), aUser(2)], []);
      node.configure(iam.url);
      mkdirSync(join(node.path, "etc/ssh/authorized_keys.d"), { recursive: true });
      make(join(node.path, "etc/ssh/authorized_keys.d/user1"));

      const ran = await node.rollcall("sync");

      assert.equal(ran.code, 1);
      assert.match(ran.err, /grant-keys for "user1".*not a regular file/);
      assert.match(node.read("/etc/ssh/authorized_keys.d/user2") ?? "", /ssh-ed25519/);
      noTemporaries(node);
    });
  }

  it("into a keys directory that others can write to", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    mkdirSync(join(node.path, "etc/ssh/authorized_keys.d"), { recursive: true });
    chmodSync(join(node.path, "etc/ssh/authorized_keys.d"), 0o777);

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /authorized_keys\.d must be a directory that root owns.*chmod 0755/);
  });

  it("where anybody can add maps", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, "caches: { directory: /srv/caches }\n");
    mkdirSync(join(node.path, "srv/caches"), { recursive: true });
    chmodSync(join(node.path, "srv/caches"), 0o1777);

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /Anybody can add files to .*srv\/caches.*chmod o-w.*node-unreadable/);
  });

  it("where the caches' directory is missing, and gives nobody a key", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, "caches: { directory: /srv/caches }\n");

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /publishing group\.cache: .*srv\/caches/);
    assert.equal(existsSync(join(node.path, "etc/ssh/authorized_keys.d/user1")), false);
  });
});

describe("a root that is an image", () => {
  it("is never left through a link in it", async () => {
    using node = makeNodeRoot();
    using outside = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    mkdirSync(join(node.path, "etc/ssh"));
    symlinkSync(outside.path, join(node.path, "etc/ssh/authorized_keys.d"));
    const untouched = outside.snapshot();

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /authorized_keys\.d leads out of .*node-unreadable/);
    assert.deepEqual(outside.snapshot(), untouched);
  });

  it("must be named: an empty word is wrong usage, and no other root", async () => {
    const ran = await runRollcall(["sync", "--root", ""]);

    assert.equal(ran.code, 64);
    assert.match(ran.err, /must name a directory/);
  });
});

describe("lines of /etc/passwd and /etc/group that glibc takes", () => {
  it("reserve their names and ids, however odd", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(
      [
        aUser(1, { name: "foo" }),
        aUser(2, { uid: 1500 }),
        aUser(3, { name: "sp" }),
        aUser(4, { name: "bar" }),
      ],
      [aGroup(1, [], { name: "localgrp" }), aGroup(2, [], { gid: 1700 })],
    );
    node.configure(iam.url);
    node.write(
      "/etc/passwd",
      "root:x:0:0::/root:/bin/sh\nfoo:x:1500:1500::/home/foo\n  sp:x:1501:1501::/:/bin/sh\nbar:x:1502:1502::/:/bin/bash:\n",
    );
    node.write("/etc/group", "root:x:0:\nlocalgrp:x:1700\n");

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 3);
    assert.match(ran.out, /Served: 0 users .*, 0 groups/);
  });
});

describe("a keys directory", () => {
  it("that others can write to is noticed also when no key changes, because sshd then lets nobody in", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    await node.rollcall("sync");
    chmodSync(join(node.path, "etc/ssh/authorized_keys.d"), 0o777);

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /chown root .*authorized_keys\.d; chmod 0755 .*node-unreadable/);
  });

  it("behind a link is not mended by changing what the link leads to", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    mkdirSync(join(node.path, "etc/ssh"));
    mkdirSync(join(node.path, "elsewhere"));
    chmodSync(join(node.path, "elsewhere"), 0o777);
    symlinkSync(join(node.path, "elsewhere"), join(node.path, "etc/ssh/authorized_keys.d"));

    const ran = await node.rollcall("sync");

    assert.match(ran.err, /The link leads to .*elsewhere; make it a directory instead/);
    assert.doesNotMatch(ran.err, /chmod/);
  });
});

describe("a home", () => {
  it("is not made below a directory that others can write to, or that a user owns", rootOnly, async () => {
    for (const harm of [
      (path: string) => chmodSync(path, 0o777),
      (path: string) => chownSync(path, 10_002, 0),
    ]) {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      node.configure(iam.url);
      harm(join(node.path, "home"));

      const ran = await node.rollcall("sync");

      assert.match(ran.out, /on the way to \/home belongs to uid \d+ with mode 0\d+.*home-parent/);
      assert.deepEqual(readdirSync(join(node.path, "home")), []);
    }
  });

  it("is not made through a link that a user owns, but through one of root's", rootOnly, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(
      [aUser(1, { home: "/home/mine/user1" }), aUser(2, { home: "/home/roots/user2" })],
      [],
    );
    node.configure(iam.url);
    mkdirSync(join(node.path, "mnt"));
    symlinkSync("/mnt", join(node.path, "home/mine"));
    symlinkSync("/mnt", join(node.path, "home/roots"));
    const { lchownSync } = await import("node:fs");
    lchownSync(join(node.path, "home/mine"), 10_001, 10_001);

    const ran = await node.rollcall("sync");

    assert.match(ran.out, /goes through a link that belongs to uid 10001.*home-parent/);
    assert.deepEqual(readdirSync(join(node.path, "mnt")), ["user2"]);
  });

  it("is not made where its parent is missing, which may be a mount that is not there", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1, { home: "/home/unmounted/user1" })], []);
    node.configure(iam.url);

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /\/home\/unmounted does not exist.*home-parent/);
  });

  it("that is there already is left as it is, whatever stands there", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1), aUser(2), aUser(3)], []);
    node.configure(iam.url);
    node.write("/home/user1/theirs", "mine");
    node.write("/home/user2", "a file");
    symlinkSync("/etc/passwd", join(node.path, "home/user3"));

    const ran = await node.rollcall("sync");

    assert.match(ran.out, /home-blocked/);
    assert.equal(node.read("/home/user1/theirs"), "mine");
    assert.deepEqual(below(join(node.path, "home")), ["user1", "user1/theirs", "user2", "user3"]);
    assert.equal(node.read("/home/user2"), "a file");
  });
});

/** Swaps things as fast as it can until it is ended, as somebody would who waits for a chance. */
function startSwapper(script: string): ChildProcess {
  return spawn(process.execPath, [
    "-e",
    `const fs = require("node:fs"); const end = Date.now() + 20000; while (Date.now() < end) { try { ${script} } catch {} }`,
  ]);
}

describe("links that are swapped in during the run", () => {
  it("in the place of homes never lead anything to their target", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(60), []);
    node.configure(iam.url);
    mkdirSync(join(node.path, "victim"));
    node.write("/victim/file", "precious", 0o600);
    const before = node.snapshot("/victim");
    const home = join(node.path, "home");
    const swapper = startSwapper(
      `for (let n = 1; n <= 60; n++) { const p = ${JSON.stringify(home)} + "/user" + n; try { fs.symlinkSync(${JSON.stringify(join(node.path, "victim"))}, p); } catch {} try { fs.unlinkSync(p); } catch {} }`,
    );

    for (let round = 0; round < 4; round += 1) {
      await node.rollcall("sync");
    }

    swapper.kill("SIGKILL");
    assert.deepEqual(node.snapshot("/victim"), before);
    noTemporaries(node);
  });

  it("in the place of skeleton entries never lead to what they point at", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(60), []);
    node.configure(iam.url);
    node.write("/secret", "root's own secret", 0o600);
    const skel = join(node.path, "etc/skel");
    const swapper = startSwapper(
      `const p = ${JSON.stringify(skel)}; fs.symlinkSync(${JSON.stringify(join(node.path, "secret"))}, p + "/l"); fs.renameSync(p + "/l", p + "/.bashrc"); fs.writeFileSync(p + "/f", "# shell"); fs.renameSync(p + "/f", p + "/.bashrc");`,
    );

    for (let round = 0; round < 4; round += 1) {
      await node.rollcall("sync");
    }

    swapper.kill("SIGKILL");
    const homes = readdirSync(join(node.path, "home"));
    assert.ok(homes.length > 0);
    for (const name of homes) {
      const file = join(node.path, "home", name, ".bashrc");
      const isCopy =
        existsSync(join(node.path, "home", name)) &&
        lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;
      assert.doesNotMatch(isCopy ? readFileSync(file, "utf8") : "", /secret/);
    }
    noTemporaries(node);
  });
});

describe("the keys command", () => {
  it("prints the keys of exactly that user", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(
      [aUser(1, { name: "al" }), aUser(2, { name: "alan" }), aUser(3, { name: "nokeys", keys: [] })],
      [],
    );
    node.configure(iam.url);
    await node.rollcall("sync");

    const answers = await Promise.all(
      ["al", "alan", "ala", "nokeys", "../alan", "", "Al", "al*"].map((name) => node.rollcall("keys", name)),
    );

    assert.deepEqual(
      answers.map(({ code, out }) => [code, out.trim()]),
      [
        [0, aKey(1, "user1@laptop")],
        [0, aKey(2, "user2@laptop")],
        ...Array.from({ length: 6 }, () => [0, ""]),
      ],
    );
  });
});

describe("bad input", () => {
  it("without a configuration points to the first steps", async () => {
    using node = makeNodeRoot();

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /rollcall\.yaml failed.*Run "rollcall" without arguments.*config-unreadable/);
  });

  it("says of a file without mistakes what cannot work yet: an address of an example, a token that is not there", async () => {
    using node = makeNodeRoot();
    node.configure("https://iam.example.org/scim");
    const fresh = await node.rollcall("check");
    rmSync(join(node.path, "etc/rollcall/token"));
    const bare = await node.rollcall("check");
    symlinkSync("..data/token", join(node.path, "etc/rollcall/token"));
    node.configure("https://iam.example.edu/scim");
    const linked = await node.rollcall("check");

    assert.equal(bare.code, 0, bare.err);
    assert.match(fresh.out, /no mistakes[^]*Note: iam\.url still leads to iam\.example\.org/);
    assert.doesNotMatch(fresh.out, /token/);
    assert.match(bare.out, /Note: \/etc\/rollcall\/token is not there yet\./);
    assert.doesNotMatch(linked.out, /Note:/);
  });

  it("of a configuration with mistakes lists them all and does nothing", async () => {
    using node = makeNodeRoot();
    node.configure("ftp://x", "guards: {}\n");
    const untouched = node.snapshot();

    const synced = await node.rollcall("sync");
    const checked = await node.rollcall("check");

    assert.deepEqual([synced.code, checked.code], [1, 1]);
    assert.match(
      synced.err,
      /rollcall\.yaml:2: iam\.url: .*\n.*rollcall\.yaml:16: guards: unknown key; did you mean guard\?/,
    );
    assert.match(checked.err, /guards: unknown key/);
    assert.deepEqual(node.snapshot(), untouched);
  });

  it("of a configuration that others can change is refused, with the command that mends it", async () => {
    using node = makeNodeRoot();
    node.configure("https://x.invalid");
    chmodSync(join(node.path, "etc/rollcall/rollcall.yaml"), 0o666);

    const ran = await node.rollcall("check");

    assert.match(ran.err, /can be changed by others.*chmod go-w/);
  });

  const tokens: readonly [what: string, content: string, mode: number, says: RegExp][] = [
    ["readable by others", "token", 0o644, /mode 0644.*chmod 0600.*token-exposed/],
    ["writable by its group", "token", 0o620, /mode 0620.*chmod 0600.*token-exposed/],
    ["empty", "", 0o600, /empty or holds characters.*token-unreadable/],
    ["of two lines", "one\ntwo\n", 0o600, /holds characters.*token-unreadable/],
    ["that would add a header", "x\r\nX-Evil: 1", 0o600, /holds characters.*token-unreadable/],
  ];
  for (const [what, content, mode, says] of tokens) {
    it(`of a token file ${what} is refused before any request`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      node.configure(iam.url);
      node.write("/etc/rollcall/token", content, mode);

      const ran = await node.rollcall("sync");

      assert.equal(ran.code, 1);
      assert.match(ran.err, says);
      assert.equal(iam.requests.length, 0);
    });
  }

  it("of a token file that is missing names the file", async () => {
    using node = makeNodeRoot();
    node.configure("https://x.invalid", "");
    node.write(
      "/etc/rollcall/rollcall.yaml",
      (node.read("/etc/rollcall/rollcall.yaml") ?? "").replace("/token", "/absent"),
    );

    const ran = await node.rollcall("sync");

    assert.match(ran.err, /token file .*\/etc\/rollcall\/absent failed: ENOENT.*token-unreadable/);
  });

  it("of a node without /etc/passwd is refused: nobody would know which names are local", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    node.write("/etc/passwd", "");
    rmSync(join(node.path, "etc/passwd"));

    const ran = await node.rollcall("sync");

    assert.match(ran.err, /local accounts.*ENOENT.*node-unreadable/);
  });

  it("of a command or an option is answered with what was meant", async () => {
    using node = makeNodeRoot();

    const command = await node.rollcall("synk");
    const option = await node.rollcall("sync", "--acept-removals", "x");

    assert.deepEqual([command.code, option.code], [64, 64]);
    assert.match(command.err, /unknown command "synk"; did you mean sync\?/);
    assert.match(option.err, /--accept-removals/);
  });

  it("is none when nothing is asked: the first steps are shown", async () => {
    using node = makeNodeRoot();

    const first = await node.rollcall();
    node.configure("https://x.invalid");
    const next = await node.rollcall();

    assert.deepEqual([first.code, next.code], [0, 0]);
    assert.match(first.out, /not set up here yet[^]*rollcall plan/);
    assert.match(next.out, /configured in .*rollcall\.yaml/);
  });
});

describe("a directory for the keys", () => {
  it("is passed through by everybody, whatever the umask", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, "keys: { directory: /srv/ssh/keys }\n");
    const rollcall = [join(import.meta.dirname, "../../packaging/rollcall"), "--root", node.path, "sync"];

    const ran = await run("sh", ["-c", 'umask 077; exec "$@"', "sh", ...rollcall]);

    assert.equal(ran.code, 0, ran.err);
    for (const path of ["srv", "srv/ssh", "srv/ssh/keys"]) {
      assert.equal(statSync(join(node.path, path)).mode & 0o777, 0o755, path);
    }
  });
});

describe("the token of the environment", () => {
  it("is used when no file is named, and both names work", async () => {
    for (const variable of ["ROLLCALL_IAM_TOKEN", "NSSCACHE_SCIM_AUTH_TOKEN"]) {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], [], { token: "from-env" });
      node.configure(iam.url);
      node.write(
        "/etc/rollcall/rollcall.yaml",
        (node.read("/etc/rollcall/rollcall.yaml") ?? "").replace(/ {2}tokenFile: .*\n/, ""),
      );

      const ran = await runRollcall(["--root", node.path, "sync"], { [variable]: "from-env" });

      assert.equal(ran.code, 0, ran.err);
    }
  });

  const credentials = [
    { name: "gives way to a systemd credential", content: "from-credential" },
    { name: "is used where the credential has nothing in it, as the unit's may", content: "\n" },
    { name: "is used where the credentials are for something else", content: undefined },
  ] as const;
  for (const { name, content } of credentials) {
    it(name, async () => {
      using node = makeNodeRoot();
      const token = content?.trim() || "from-env";
      await using iam = await startFakeIam([aUser(1)], [], { token });
      node.configure(iam.url);
      node.write(
        "/etc/rollcall/rollcall.yaml",
        (node.read("/etc/rollcall/rollcall.yaml") ?? "").replace(/ {2}tokenFile: .*\n/, ""),
      );
      node.write(`/run/credentials/${content === undefined ? "other" : "iam-token"}`, content ?? "x", 0o400);

      const ran = await runRollcall(["--root", node.path, "sync"], {
        CREDENTIALS_DIRECTORY: join(node.path, "run/credentials"),
        ROLLCALL_IAM_TOKEN: "from-env",
      });

      assert.equal(ran.code, 0, ran.err);
    });
  }
});
