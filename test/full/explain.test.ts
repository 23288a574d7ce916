/**
 * Why somebody can or cannot log in: one row for each way in which the chain from the IAM to sshd breaks, or holds
 * although something is wrong. Each says what sshd would do, the first broken link, and what to do about it.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { renderSudoers } from "../../src/formats/sudoers.ts";
import type { Explanation } from "../../src/report/explain.ts";
import { renderExplanation } from "../../src/report/render-explain.ts";
import { type FakeIam, type Resource, sendError, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, nodeRootAt, runRollcall } from "../support/node-root.ts";
import { aGroup, aKey, aUser, someUsers } from "../support/records.ts";

const isRoot = process.geteuid?.() === 0;
const KEYS = "/etc/ssh/authorized_keys.d";
const CONFIG = "/etc/rollcall/rollcall.yaml";
const SUDO = "/etc/sudoers.d/rollcall";
const DSA = `ssh-dss ${Buffer.from("\0\0\0\x07ssh-dss").toString("base64")} old@laptop`;

interface At {
  readonly node: NodeRoot;
  readonly iam: FakeIam;
}

interface Row {
  /** Who is asked for; `user1` when undefined. */
  readonly user?: string;
  /** Lines of the configuration. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False for a node that was never synced. */
  readonly isSynced?: boolean;
  /** What happens after the first sync. */
  readonly change?: (at: At) => unknown;
  readonly needsRoot?: boolean;
  /** The first broken link; undefined for somebody who can log in. */
  readonly broken?: Explanation["firstBroken"];
  /** The node has them still, whatever is broken. */
  readonly isStillIn?: boolean;
  /** The links that warn. */
  readonly warns?: readonly string[];
  /** Words of the link that is broken, or that warns, and of what to do. */
  readonly says: RegExp;
}

/** Three who can log in, the first two of them in group1, and people with one fault each. */
const EVERYBODY: readonly Resource[] = [
  ...someUsers(3),
  aUser(11, { active: false }),
  aUser(12, { active: "yes" }),
  aUser(13, { uid: 0 }),
  aUser(14, { uid: 3_000_000_000 }),
  aUser(15, { name: "User 15", uid: 0 }),
  aUser(16, { name: "twin" }),
  aUser(17, { name: "twin" }),
  aUser(18, { gid: 4711 }),
  aUser(19, { name: "localadmin" }),
  aUser(20, { name: "ada@example.org" }),
  aUser(21, { shell: "/usr/sbin/nologin" }),
  aUser(22, { shell: "/usr/bin/zsh" }),
  aUser(23, { shell: "/opt/odd" }),
  aUser(31, { keys: [] }),
  aUser(32, { keys: [DSA, "rubbish"] }),
  aUser(33, { keys: [aKey(33), DSA] }),
];

/** The IAM has another record for user1. */
const changed =
  (fields: Parameters<typeof aUser>[1]) =>
  ({ iam }: At) =>
    void (iam.users = EVERYBODY.map((user) => (user["id"] === "u-1" ? aUser(1, fields) : user)));
const joined =
  (nth: number, fields: Parameters<typeof aUser>[1] = {}) =>
  ({ iam }: At) =>
    void iam.users.push(aUser(nth, fields));
const isDown = ({ iam }: At) =>
  void (iam.misbehave = (_request, response) => sendError(response, 503, "under maintenance"));
const edited =
  (file: string, edit: (text: string) => string) =>
  ({ node }: At) =>
    node.write(file, edit(node.read(file) ?? ""));
const withSudo = edited(CONFIG, (text) => `${text}sudo: { groups: [{ group: group1 }] }\n`);
const both = (at: At, ...more: ((at: At) => unknown)[]) => more.map((change) => change(at));

const AT_THE_IAM: Readonly<Record<string, Row>> = {
  "nobody has that name, and somebody has one like it": {
    user: "usr1",
    broken: "record",
    says: /none of 19 records has this name .*Did you mean "user1"\?/s,
  },
  "nobody has that name, and the query may be why": {
    user: "ada",
    change: edited(CONFIG, (text) => text.replace("pageSize", "users: { query: groups=staff }\n  pageSize")),
    broken: "record",
    says: /iam\.users\.query \("groups=staff"\) may leave them out/,
  },
  "the record was renamed": {
    change: changed({ name: "newname" }),
    broken: "record",
    isStillIn: true,
    says: /called "newname" now.*Did you mean "newname"\?/s,
  },
  "the name is a local account's": {
    user: "localadmin",
    broken: "record",
    says: /local accounts are never Rollcall's.*name-local.*Whether they get in is up to \/etc\/passwd.*rename one of the two/s,
  },
  "two new records have the name": {
    user: "twin",
    broken: "accepted",
    warns: ["record"],
    says: /2 records: "u-16", "u-17".*name: "twin" is also claimed by.*name-contested.*Give each record its own name/s,
  },
  "a second record takes the name of somebody who is here": {
    change: joined(9, { name: "user1" }),
    warns: ["record"],
    says: /2 records: "u-1", "u-9"; the first counts/,
  },
  "they are inactive": {
    user: "user11",
    broken: "active",
    says: /inactive in the IAM.*the name alone.*Activate them in the IAM/s,
  },
  "they are inactive since a moment ago, and no sync has seen it": {
    change: changed({ active: false }),
    broken: "active",
    isStillIn: true,
    warns: ["maps", "keys"],
    says: /shadow\.cache still lets them in.*still there: 1 key.*can still log in here, and should not/s,
  },
  "active is no boolean": {
    user: "user12",
    broken: "active",
    says: /"yes" is neither true nor false.*Make the IAM send active as true or false/s,
  },
  "the uid is root's": {
    user: "user13",
    broken: "accepted",
    says: /uid: 0 is not between 1000 and .* \[id-out-of-range\].*widen ids\.min and ids\.max/s,
  },
  "the uid is out of range": {
    user: "user14",
    broken: "accepted",
    says: /uid: 3000000000 is not between 1000 and 2147483647 \[id-out-of-range\]/,
  },
  "the uid and the name are both refused": {
    user: "User 15",
    broken: "accepted",
    says: /name: "User 15" does not match .*\[name-invalid\]; uid: 0 .*\[id-out-of-range\].*Rename it in the IAM.*widen/s,
  },
  "the uid is another's": {
    user: "heir",
    change: joined(9, { name: "heir", uid: 10_002 }),
    broken: "accepted",
    says: /id-contested.*kept on this node for "user2" \(10002, record "u-2"\).*Give each record its own id/s,
  },
  "the uid was that of somebody who is gone": {
    user: "heir",
    change: async (at) => {
      at.iam.users = EVERYBODY.filter(({ id }) => id !== "u-3");
      await at.node.rollcall("sync");
      joined(9, { name: "heir", uid: 10_003 })(at);
    },
    broken: "accepted",
    says: /id-remembered.*"user3" \(10003, record "u-3", gone since .*"rollcall accept heir"/s,
  },
  "the uid was changed, and the old one stays": {
    change: changed({ uid: 20_001 }),
    warns: ["accepted"],
    says: /the IAM says 20001 now.*id-held.*rollcall accept user1.*uid 10001.*user1 can log in here/s,
  },
  "the name was changed to somebody else's, and the old one stays": {
    change: changed({ name: "user2" }),
    warns: ["accepted"],
    says: /record "u-1", called "user2" in the IAM.*name-held.*rollcall accept user2.*user1 can log in here/s,
  },
  "the name has a mail domain": {
    user: "ada@example.org",
    broken: "accepted",
    says: /name: "ada@example\.org" does not match .*name-invalid.*names\.localPart/s,
  },
  "the name has a mail domain that is cut off": {
    user: "ada",
    config: "names: { localPart: [example.org] }\n",
    says: /record "u-20" .*ada, uid 10020.*ada can log in here/s,
  },
  "the gid is of no group": {
    user: "user18",
    broken: "accepted",
    says: /gid: .*4711.*primary-group-missing.*Serve a group with that gid/s,
  },
};

const AT_THE_RULES: Readonly<Record<string, Row>> = {
  "they are in none of the groups that may log in": {
    user: "user3",
    config: "access: { login: { groups: [group1] } }\n",
    broken: "access",
    says: /may not log in here: in none of "group1".*access\.login.*put them into one of "group1" in the IAM/s,
  },
  "they are in a group that may log in": {
    config: "access: { login: { groups: [group1] } }\n",
    says: /may log in here \(access\.login\.groups: group1\)/,
  },
  "the rule has a typing mistake, and no sync has gone by it": {
    change: edited(CONFIG, (text) => `${text}access: { login: { groups: [groop1] } }\n`),
    broken: "access",
    isStillIn: true,
    warns: ["maps", "keys"],
    says: /"groop1" is not served on this node; did you mean "group1"\?/,
  },
  "the pod is somebody else's": {
    env: { ROLLCALL_LOGIN_USERS: "user2" },
    broken: "access",
    isStillIn: true,
    warns: ["maps", "keys"],
    says: /not named in \$ROLLCALL_LOGIN_USERS \("user2"\).*name them in access\.login\.users/s,
  },
  "the pod is theirs": {
    env: { ROLLCALL_LOGIN_USERS: "user1" },
    says: /may log in here \(\$ROLLCALL_LOGIN_USERS\)/,
  },
  "they do not exist here": {
    user: "user3",
    config: "access: { visible: [group1] }\n",
    broken: "access",
    says: /does not exist here: in none of "group1" \(access\.visible\).*a group of theirs into access\.visible/s,
  },
  "the IAM gives them a shell that lets nobody in": {
    user: "user21",
    broken: "shell",
    says: /\/usr\/sbin\/nologin lets nobody in .*loginShell.*Give them a shell in the IAM/s,
  },
  "their shell is not installed": {
    user: "user22",
    change: ({ node }) => node.write("/usr/bin/ls", "", 0o755),
    broken: "shell",
    says: /\/usr\/bin\/zsh is not installed on this node/,
  },
  "the IAM gives them a shell that is not allowed": {
    user: "user23",
    warns: ["shell"],
    says: /\/bin\/bash: shell: "\/opt\/odd" is neither in .*shell-replaced.*Install the shell/s,
  },
};

const AT_THE_NODE: Readonly<Record<string, Row>> = {
  "nothing was ever synced": {
    isSynced: false,
    broken: "maps",
    warns: ["home"],
    says: /passwd\.cache does not have them.*Run "rollcall sync"; none has come to its end here yet/s,
  },
  "the line of the map was taken out by hand": {
    change: edited("/etc/passwd.cache", (text) => text.replace(/^user1:.*\n/m, "")),
    broken: "maps",
    says: /passwd\.cache does not have them.*Run "rollcall sync"/s,
  },
  "the uid on the map was edited by hand": {
    change: edited("/etc/passwd.cache", (text) => text.replace(":10001:", ":10002:")),
    broken: "maps",
    says: /passwd\.cache has uid 10002, not 10001/,
  },
  "the display name on the map was edited by hand": {
    change: edited("/etc/passwd.cache", (text) => text.replace("User Number 1", "Nobody")),
    warns: ["maps"],
    says: /passwd\.cache has gecos "Nobody", not "User Number 1"/,
  },
  "somebody else's line was edited by hand": {
    change: edited("/etc/passwd.cache", (text) => text.replace("User Number 2", "Nobody")),
    says: /✓ maps .*as it should be; of others, passwd\.cache will change/,
  },
  "the account was expired by hand": {
    change: edited("/etc/shadow.cache", (text) => text.replace("user1:*:::::::", "user1:!::::::1:")),
    broken: "maps",
    says: /shadow\.cache has them expired.*a \$ROLLCALL_LOGIN_USERS that is not set here/s,
  },
  "a membership was taken out by hand": {
    change: edited("/etc/group.cache", (text) => text.replace("user1,user2", "user2")),
    warns: ["maps"],
    says: /group\.cache lacks them in group1/,
  },
  "the fuse refused the sync that would bring them": {
    user: "user9",
    change: ({ node, iam }) => {
      iam.users = [aUser(9)];
      return node.rollcall("sync");
    },
    broken: "maps",
    warns: ["home"],
    says: /The fuse refuses a sync because it would take login from .* users.*rollcall sync --accept-removals [0-9a-f]{12}/s,
  },
  "they are gone, and the fuse refuses to take them off": {
    change: ({ node, iam }) => {
      iam.users = [aUser(9)];
      return node.rollcall("sync");
    },
    broken: "record",
    isStillIn: true,
    warns: ["maps", "keys"],
    says: /this node has them from an earlier sync.*The fuse refuses a sync.*user1 can still log in here, and should not/s,
  },
  "the last sync failed": {
    user: "user9",
    change: async (at) => {
      joined(9)(at);
      at.iam.token = "another";
      await at.node.rollcall("sync");
      at.iam.token = TOKEN;
    },
    broken: "maps",
    warns: ["home"],
    says: /Run "rollcall sync"; the last one failed: .*token.* \[iam-refused\]/s,
  },
  "the home is somebody else's": {
    needsRoot: true,
    change: ({ node }) => chownSync(join(node.path, "home/user1"), 4711, 4711),
    warns: ["home"],
    says: /home\/user1 belongs to uid 4711 \(nobody known here\).*home-owner.*before you chown/s,
  },
  "the home is gone": {
    change: ({ node }) => rmSync(join(node.path, "home/user1"), { recursive: true }),
    warns: ["home"],
    says: /not there yet; a sync makes it/,
  },
  "there is no home, and nobody makes one": {
    config: "homes: { create: false }\n",
    warns: ["home"],
    says: /homes\.create is off: a login starts in \/.*give it to 10001:10001, or set homes\.create/s,
  },
  "the place of homes is open to everybody": {
    change: ({ node }) => {
      rmSync(join(node.path, "home/user1"), { recursive: true });
      chmodSync(join(node.path, "home"), 0o777);
    },
    warns: ["home"],
    says: /home-parent.*owned by root and writable by root alone/s,
  },
};

const AT_THE_KEYS: Readonly<Record<string, Row>> = {
  "they have no key": {
    user: "user31",
    broken: "keys",
    says: /none in the IAM .*sshKeys.*Ask the user to add an ed25519 key/s,
  },
  "every key of theirs is refused": {
    user: "user32",
    broken: "keys",
    says: /none that is accepted; keys: .*key-type-refused.*key-invalid.*ssh-keygen -t ed25519/s,
  },
  "one key of theirs is refused": {
    user: "user33",
    warns: ["keys"],
    says: /1 key: SHA256:[\w+/]{43} ssh-ed25519; keys: .*key-type-refused/,
  },
  "no attribute has keys": {
    change: edited("/etc/rollcall/rollcall.yaml", (text) => text.replace(/^ *keys: .*\n/m, "")),
    broken: "keys",
    isStillIn: true,
    says: /attributes\.user\.keys is not set/,
  },
  "the key file is gone": {
    change: ({ node }) => rmSync(join(node.path, KEYS, "user1")),
    broken: "keys",
    says: /1 key: SHA256:.*the key file is not there.*Run "rollcall sync"/s,
  },
  "an admin's own key file stands in its place": {
    change: ({ node }) => node.write(`${KEYS}/user1`, `${aKey(99)}\n`),
    broken: "keys",
    says: /the key file, which Rollcall did not write, has none of them.*Run "rollcall sync"/s,
  },
  "a key was added by hand": {
    change: edited(`${KEYS}/user1`, (text) => `${text}${aKey(99)}\n`),
    warns: ["keys"],
    says: /1 in the key file that should not be/,
  },
  "others can write to the key file": {
    change: ({ node }) => chmodSync(join(node.path, KEYS, "user1"), 0o666),
    broken: "keys",
    says: /sshd takes no key from the key file: others can write to it/,
  },
  "the user cannot read the key file": {
    needsRoot: true,
    change: ({ node }) => chmodSync(join(node.path, KEYS, "user1"), 0o600),
    broken: "keys",
    says: /sshd takes no key from the key file: the user cannot read it/,
  },
  "a key file of theirs lies there, and nobody has the name": {
    user: "mallory",
    change: ({ node }) => node.write(`${KEYS}/mallory`, `${aKey(99)}\n`),
    broken: "record",
    warns: ["keys"],
    says: /key-file-foreign.*Remove it if nobody needs it/s,
  },
  "a rule of sudo is for a group of theirs": {
    needsRoot: true,
    change: (at) => {
      withSudo(at);
      at.node.write(SUDO, renderSudoers(["%group1 ALL=(ALL:ALL) ALL"]), 0o440);
    },
    says: /✓ sudo .*%group1 ALL=\(ALL:ALL\) ALL \(\/etc\/sudoers\.d\/rollcall\)/,
  },
  "the drop-in for sudo cannot be written": {
    change: async (at) => {
      withSudo(at);
      await at.node.rollcall("sync");
    },
    warns: ["sudo"],
    says: /%group1 .*not in the drop-in yet.*Run "rollcall sync"; the last one left something undone: ENOENT/s,
  },
};

const WITHOUT_THE_IAM: Readonly<Record<string, Row>> = {
  "it is down, and they are remembered": {
    change: isDown,
    warns: ["iam"],
    says: /\[iam-unreachable\]; what it said \d+ s ago is used in its place.*user1 can log in here/s,
  },
  "it is down, and a newcomer is asked for": {
    user: "user9",
    change: isDown,
    broken: "record",
    warns: ["iam"],
    says: /Who is new is seen when the IAM answers again/,
  },
  "it is down, and the maps are lost": {
    change: (at) =>
      both(at, isDown, ({ node }) => {
        ["passwd", "shadow", "group"].forEach((map) => rmSync(join(node.path, `/etc/${map}.cache`)));
      }),
    broken: "maps",
    warns: ["iam"],
    says: /Run "rollcall sync --offline"/,
  },
  "it is down, and nothing is remembered": {
    isSynced: false,
    change: isDown,
    broken: "iam",
    says: /nothing is remembered of it; nobody is in place either/,
  },
  "it is down, what it said is lost, and the node has them": {
    change: (at) => both(at, isDown, ({ node }) => rmSync(join(node.path, "var/lib/rollcall/iam.json"))),
    warns: ["iam"],
    says: /only what lies on this node is known.*there \(uid 10001\).*1 key: SHA256:/s,
  },
  "it has been away for longer than stale.lockAfter": {
    config: "stale: { warnAfter: 1ms, lockAfter: 1ms }\nschedule: { fullEvery: 1ms }\n",
    change: async (at) => {
      isDown(at);
      await at.node.rollcall("sync", "--offline");
    },
    broken: "iam",
    warns: [],
    says: /for longer than stale\.lockAfter, so nobody has a key/,
  },
  "the token is wrong": {
    change: ({ iam }) => void (iam.token = "another"),
    warns: ["iam"],
    says: /\[iam-refused\].*token/s,
  },
};

const TABLES = {
  "at the IAM": AT_THE_IAM,
  "at the rules of the node": AT_THE_RULES,
  "at what lies on the node": AT_THE_NODE,
  "at the keys": AT_THE_KEYS,
  "without the IAM": WITHOUT_THE_IAM,
};

describe("explain", () => {
  let iam: FakeIam;
  /** Nodes after their first sync, by what makes them different; each row gets a copy. */
  const bases = new Map<string, NodeRoot>();
  before(async () => {
    iam = await startFakeIam([], []);
  });
  after(async () => {
    bases.forEach((node) => node[Symbol.dispose]());
    await iam[Symbol.asyncDispose]();
  });

  async function nodeFor({ config = "", isSynced = true, change }: Partial<Row> = {}): Promise<NodeRoot> {
    Object.assign(iam, {
      users: [...EVERYBODY],
      groups: [aGroup(1, ["u-1", "u-2"])],
      token: TOKEN,
      misbehave: undefined,
    });
    const kind = JSON.stringify([config, isSynced]);
    const base = bases.get(kind) ?? makeNodeRoot();
    if (!bases.has(kind)) {
      bases.set(kind, base);
      base.configure(iam.url, config);
      const { code, err } = isSynced ? await base.rollcall("sync") : { code: 0, err: "" };
      assert.ok(code === 0 || code === 3, err);
    }
    const path = mkdtempSync(join(tmpdir(), "rollcall-test-"));
    execFileSync("cp", ["-a", `${base.path}/.`, path]);
    const node = nodeRootAt(path);
    await change?.({ node, iam });
    return node;
  }

  async function explain(node: NodeRoot, { user = "user1", env = {} }: Partial<Row> = {}) {
    const { code, out } = await runRollcall(["--root", node.path, "--json", "explain", user], env);
    const explanation: Explanation = JSON.parse(out);
    return { code, explanation, text: renderExplanation(explanation, { colour: false }).join("\n") };
  }

  for (const [where, rows] of Object.entries(TABLES)) {
    describe(`finds the first broken link ${where}`, () => {
      for (const [what, row] of Object.entries(rows)) {
        const skip = row.needsRoot === true && !isRoot ? "needs root" : false;
        it(what, { skip }, async () => {
          using node = await nodeFor(row);
          const untouched = node.snapshot();

          const { code, explanation, text } = await explain(node, row);

          const { links, firstBroken, canLogIn } = explanation;
          assert.match(text, row.says);
          assert.equal(firstBroken, row.broken ?? null, text);
          assert.equal(canLogIn, row.broken === undefined || row.isStillIn === true, text);
          assert.equal(code, canLogIn ? 0 : 1);
          if (row.broken === undefined || row.warns !== undefined) {
            const warnings = links.filter(({ state }) => state === "warning").map(({ link }) => link);
            assert.deepEqual(warnings, row.warns ?? [], text);
          }
          assert.deepEqual(node.snapshot(), untouched);
        });
      }
    });
  }

  it("says of somebody who can log in that every link holds, in a line for each", async () => {
    using node = await nodeFor();

    const { code, out, err } = await node.rollcall("explain", "user1");
    const { text } = await explain(node);

    const lines = out.trimEnd().split("\n");
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(lines.toSpliced(-2, 1).join("\n"), text);
    assert.deepEqual(
      lines.slice(0, -2).map((line) => line.slice(2, 14)),
      `✓ iam       |✓ record    |✓ active    |✓ accepted  |✓ uid       |✓ groups    |✓ access    |✓ shell     |✓ maps      |✓ home      |✓ keys      |– slurm     |– sudo      `.split(
        "|",
      ),
    );
    assert.match(lines.at(-2) ?? "", /^Last change /);
    assert.equal(
      lines.at(-1),
      'user1 can log in here, if the name service and sshd read these files: "rollcall doctor" looks.',
    );
  });

  it("prints JSON with a value and a source for each link, and no key", async () => {
    using node = await nodeFor();

    const { explanation } = await explain(node, { user: "user33" });

    const { links, ...verdict } = explanation;
    assert.deepEqual(verdict, { user: "user33", canLogIn: true, firstBroken: null, wayOut: null });
    assert.deepEqual(Object.keys(links[0] ?? {}), ["link", "state", "value", "source"]);
    assert.ok(links.every(({ value, source }) => value !== "" && source !== ""));
    assert.deepEqual(
      links.filter(({ remedy }) => remedy !== undefined).map(({ link }) => link),
      ["keys"],
    );
    assert.doesNotMatch(JSON.stringify(explanation), /AAAA/);
  });

  it("takes no lock, asks the IAM for nothing but the two lists, and wants exactly one name", async () => {
    using node = await nodeFor();
    const asked = iam.requests.length;

    await explain(node);
    const lists = iam.requests.slice(asked).map(({ list }) => list);
    const { code, err } = await node.rollcall("explain");

    assert.deepEqual([...new Set(lists)].sort(), ["Groups", "ServiceProviderConfig", "Users"]);
    assert.equal(code, 64);
    assert.match(err, /missing required argument/);
  });

  it("prints nothing of a name that could steer a terminal", async () => {
    using node = await nodeFor();

    const { code, out } = await node.rollcall("explain", "../../etc\u001b[31m\u202ex");

    assert.equal(code, 1);
    assert.doesNotMatch(out, /[\u001b\u202e]/);
    assert.match(out, /none of 19 records has this name/);
  });
});
