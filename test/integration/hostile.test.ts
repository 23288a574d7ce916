/**
 * The whole hostile corpus in one IAM beside a thousand good users: each hostile record comes to exactly what it must,
 * and nobody else notices.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { parseSshkey } from "../../src/formats/sshkey.ts";
import { quoted } from "../../src/model/quoted.ts";
import type { ProblemRecord, RunRecord } from "../../src/model/report.ts";
import { COMPANY, type Entry, HOSTILE_GROUPS, HOSTILE_NAMELESS, HOSTILE_USERS } from "../fixtures/hostile.ts";
import { KNOWN_BETTER, UNBELIEVABLE } from "../fixtures/hostile-shapes.ts";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, type Ran } from "../support/node-root.ts";
import { aGroup, POSIX, someUsers } from "../support/records.ts";

const GOOD = 1000;
const GROUPS = 20;
const WITHOUT_HOMES = "homes: { create: false }\n";
const KEYS_DIRECTORY = "/etc/ssh/authorized_keys.d";

const goodUsers = someUsers(GOOD);
const goodNames = goodUsers.map((user) => String(user["userName"]));
const goodGroups = Array.from({ length: GROUPS }, (_, nth) =>
  aGroup(
    nth + 1,
    goodUsers.filter((_user, index) => index % GROUPS === nth).map((user) => user["id"]),
  ),
);
const nameless = Object.values(HOSTILE_NAMELESS);
const ENTRIES = [...HOSTILE_USERS, ...HOSTILE_GROUPS];
const COUNT = ENTRIES.length + Object.keys(HOSTILE_NAMELESS).length;

/** A node that has synced with the corpus, and how that went. */
interface Synced {
  readonly node: NodeRoot;
  readonly ran: Ran;
  readonly record: RunRecord;
  /** A sync for people, right after the first. */
  readonly again: Ran;
  readonly users: readonly (typeof HOSTILE_USERS)[number][];
  readonly groups: readonly (typeof HOSTILE_GROUPS)[number][];
}

let plain: NodeRoot;
const nodes = new Map<string, Synced>();

before(async () => {
  plain = makeNodeRoot();
  await using iam = await startFakeIam(goodUsers, goodGroups);
  plain.configure(iam.url);
  const ran = await plain.rollcall("sync");
  assert.equal(ran.code, 0, ran.out + ran.err);
  const [fresh, held] = await Promise.all([syncFresh(), syncHeld()]);
  nodes.set(FRESH, fresh);
  nodes.set(HELD, held);
});
after(() => {
  plain[Symbol.dispose]();
  nodes.forEach(({ node }) => node[Symbol.dispose]());
});

const FRESH = "a node that never synced";
const HELD = "a node that serves the good users already";

/** Without the records that only a node which serves the good users can tell from them; the corpus comes first. */
function syncFresh(): Promise<Synced> {
  const users = HOSTILE_USERS.filter(({ contests }) => !contests);
  const groups = HOSTILE_GROUPS.filter(({ contests }) => !contests);
  return syncWith(makeNodeRoot(), { users, groups }, (corpus, good) => [...corpus, ...good]);
}

/** With everything; the corpus comes last. */
function syncHeld(): Promise<Synced> {
  const all = { users: HOSTILE_USERS, groups: HOSTILE_GROUPS };
  return syncWith(copyOf(plain), all, (corpus, good) => [...good, ...corpus]);
}

async function syncWith(
  node: NodeRoot,
  { users, groups }: Pick<Synced, "users" | "groups">,
  order: (corpus: readonly unknown[], good: readonly unknown[]) => unknown[],
): Promise<Synced> {
  await using iam = await startFakeIam(
    order([...nameless, ...users.map(({ resource }) => resource)], goodUsers),
    order([...nameless, ...groups.map(({ resource }) => resource), ...COMPANY], goodGroups),
  );
  node.configure(iam.url);
  const ran = await node.rollcall("sync", "--json");
  assert.equal(ran.code, 3, ran.out.slice(0, 2000) + ran.err);
  const again = await node.rollcall("sync", "--all");
  const record: RunRecord = JSON.parse(ran.out);
  return { node, ran, record, again, users, groups };
}

function copyOf(template: NodeRoot): NodeRoot {
  const node = makeNodeRoot();
  execFileSync("cp", ["-a", `${template.path}/.`, node.path]);
  return node;
}

/**
 * The lines of a map that are records, by their first field; none may be there twice. The last one of a map with
 * indexes stands for nobody.
 */
function linesOf(node: NodeRoot, map: string): Map<string, string> {
  const lines = (node.read(`/etc/${map}.cache`) ?? "").split("\n").filter((line) => line !== "");
  if (map !== "sshkey") {
    assert.match(lines.pop() ?? "", /^(?:nobody|nogroup):/);
  }
  const records = lines.filter((line) => !/^#[ -]* *$/.test(line));
  const byName = new Map(records.map((line) => [line.split(":")[0] ?? "", line]));
  assert.equal(byName.size, records.length, `${map} has a name twice`);
  return byName;
}

/** Everything below a root, as what it is. */
function pathsOf(node: NodeRoot): string[] {
  return readdirSync(node.path, { recursive: true, encoding: "utf8" })
    .map((path) => {
      const found = lstatSync(join(node.path, path));
      const kind = found.isDirectory() ? "directory" : found.isFile() && found.nlink === 1 ? "file" : "odd";
      return `${kind} /${path}`;
    })
    .sort();
}

/** Every key line of every key file, with the user it is for. */
function keyLinesOf(node: NodeRoot): (readonly [user: string, lines: readonly string[]])[] {
  return readdirSync(join(node.path, KEYS_DIRECTORY)).map((user) => {
    const [header = "", ...lines] = (node.read(`${KEYS_DIRECTORY}/${user}`) ?? "").split("\n");
    assert.match(header, /^# Written by Rollcall/);
    assert.equal(lines.pop(), "");
    return [user, lines];
  });
}

/** The problems of users, or of groups, that have an id to call them by. */
function problemsOf({ problems }: RunRecord, kind: "user" | "group"): ProblemRecord[] {
  return problems.filter(({ subject, code }) => subject.kind === kind && code !== "record-unreadable");
}

/** The entries of which something else came than must: what came, and what must have. */
function surprises<Expected>(
  entries: readonly Entry<Expected>[],
  problems: readonly ProblemRecord[],
  { onNode, expected }: { onNode: (served: Expected) => unknown; expected: (served: Expected) => unknown },
): unknown[] {
  const said = Map.groupBy(problems, ({ subject }) => subject.id);
  return entries.flatMap((entry) => {
    const { what, served } = entry;
    const codes = (said.get(entry.id) ?? []).map(({ field, code }) => `${field} ${code}`);
    const came = { problems: [...new Set(codes)].sort(), lines: served && onNode(served) };
    const must = { problems: entry.problems, lines: served && expected(served) };
    return isDeepStrictEqual(came, must) ? [] : [{ what, came, must }];
  });
}

describe("the hostile corpus", () => {
  it(`holds ${COUNT} hostile records, each of its own kind`, () => {
    const kinds = [...ENTRIES.map(({ what }) => what), ...Object.keys(HOSTILE_NAMELESS)];

    assert.ok(COUNT >= 120, `only ${COUNT}`);
    assert.deepEqual(
      kinds.filter((what, index) => kinds.indexOf(what) !== index),
      [],
    );
    const ids = [
      ...HOSTILE_USERS.map(({ id }) => `user ${id}`),
      ...HOSTILE_GROUPS.map(({ id }) => `group ${id}`),
    ];
    assert.equal(new Set(ids).size, ids.length);
  });
});

for (const name of [FRESH, HELD]) {
  describe(`${COUNT} hostile records beside ${GOOD} good users, on ${name}`, () => {
    const synced = (): Synced => nodes.get(name) ?? assert.fail(`${name} was not synced`);
    const servedOf = <Expected>(entries: readonly Entry<Expected>[]) =>
      entries.flatMap(({ served }) => served ?? []);

    it("leave the account, the keys and the groups of every good user as they are, byte for byte", () => {
      const { node } = synced();
      const groupNames = [...goodNames, ...goodGroups.map((group) => String(group["displayName"]))];

      for (const map of ["passwd", "shadow", "sshkey", "group"]) {
        const [lines, usual] = [linesOf(node, map), linesOf(plain, map)];
        const names = map === "group" ? groupNames : goodNames;
        assert.deepEqual(
          names.map((good) => lines.get(good)),
          names.map((good) => usual.get(good) ?? assert.fail(good)),
        );
      }
      for (const good of goodNames) {
        const file = `${KEYS_DIRECTORY}/${good}`;
        assert.equal(node.read(file), plain.read(file) ?? assert.fail(file));
      }
    });

    it("come to exactly the problems and the account that each of the users must", () => {
      const { node, record, users } = synced();
      const [passwd, shadow] = [linesOf(node, "passwd"), linesOf(node, "shadow")];
      const problems = problemsOf(record, "user");
      const keys = new Map(keyLinesOf(node));

      const found = surprises(users, problems, {
        onNode: ({ name }) => [passwd.get(name), shadow.get(name), keys.get(name) ?? []],
        expected: (user) => [user.passwd, user.shadow, user.keys],
      });

      assert.deepEqual(found, []);
    });

    it("come to exactly the problems and the members that each of the groups must", () => {
      const { node, record, groups } = synced();
      const lines = linesOf(node, "group");
      const problems = problemsOf(record, "group");

      const found = surprises(groups, problems, {
        onNode: ({ name }) => lines.get(name),
        expected: ({ line }) => line,
      });

      assert.deepEqual(found, []);
    });

    it("are each reported where they have no id to call them by", () => {
      const { problems } = synced().record;
      const unreadable = problems.filter(({ code }) => code === "record-unreadable");
      const shown = nameless.map((entry) => quoted(entry));

      assert.deepEqual(
        unreadable.map(({ reason }) => reason.replace(/^[^:]*: /, "")).sort(),
        [...shown, ...shown].sort(),
      );
    });

    it("cause no problem of anybody else's", () => {
      const { record, users, groups } = synced();
      const ids = new Set([...users, ...groups].map(({ id }) => id));
      const company = new Set(COMPANY.map((group) => String(group["id"])));
      const others = record.problems.filter(
        ({ subject, code }) => !ids.has(subject.id) && code !== "record-unreadable",
      );

      assert.ok(
        others.every(({ subject, code }) => company.has(subject.id) && code === "group-too-deep"),
        JSON.stringify(others),
      );
    });

    it("put no name into a map that is not to be served", () => {
      const { node, users, groups } = synced();
      const accounts = servedOf(users);
      const names = [...goodNames, ...accounts.map((user) => user.name)].sort();
      const shared = goodGroups.map((group) => (group[POSIX] as { gidNumber: number }).gidNumber);
      const groupNames = [
        ...goodNames,
        ...accounts.filter(({ uid }) => !shared.includes(uid)).map((user) => user.name),
        ...[...goodGroups, ...COMPANY].map((group) => String(group["displayName"])),
        ...servedOf(groups).map((group) => group.name),
      ].sort();

      for (const map of ["passwd", "shadow", "sshkey"]) {
        assert.deepEqual([...linesOf(node, map).keys()].sort(), names, map);
      }
      assert.deepEqual([...linesOf(node, "group").keys()].sort(), groupNames);
    });

    it("put no line into a map that has an id out of range, an id twice, or a field too many", () => {
      const { node } = synced();
      const fieldsOf = (map: string) => [...linesOf(node, map).values()].map((line) => line.split(":"));
      const isInRange = (id = "") => /^[1-9]\d*$/.test(id) && Number(id) > 1000 && Number(id) < 2 ** 31;
      const isSound = (id = "") => isInRange(id) && id !== "65534" && id !== "65535";

      for (const [map, length, ids] of [
        ["passwd", 7, [2, 3]],
        ["group", 4, [2]],
        ["shadow", 9, []],
      ] as const) {
        const records = fieldsOf(map);
        assert.deepEqual(
          records.filter((fields) => fields.length !== length || !ids.every((at) => isSound(fields[at]))),
          [],
        );
        const own = records.map((fields) => fields[map === "shadow" ? 0 : 2]);
        assert.equal(new Set(own).size, own.length, map);
      }
    });

    it("put nothing on the disk but what the good users have, and the files of those who are served", () => {
      const { node, users } = synced();
      const skeleton = pathsOf(plain).filter((path) => path.includes("/home/user1/"));
      const homeOf = (home: string) => [
        `directory ${home}`,
        ...skeleton.map((path) => path.replace("/home/user1/", `${home}/`)),
      ];
      const added = servedOf(users).flatMap((user) => [
        ...(user.keys.length > 0 ? [`file ${KEYS_DIRECTORY}/${user.name}`] : []),
        ...(user.home === undefined ? [] : homeOf(user.home)),
      ]);

      assert.ok(skeleton.length > 0);
      assert.deepEqual(pathsOf(node), [...pathsOf(plain), ...added].sort());
    });

    it("leave a list of keys that can be read, and that says what the key files say", () => {
      const { node } = synced();
      const files = new Map(keyLinesOf(node));
      const bytes = readFileSync(join(node.path, "/etc/sshkey.cache"));
      const records = parseSshkey(bytes);

      assert.equal(records.length, bytes.toString().split("\n").length - 1);
      assert.deepEqual(
        records.map(({ name, keys }) => [name, keys]),
        records.map(({ name }) => [name, files.get(name) ?? []]),
      );
    });

    it("leave only keys that ssh-keygen reads as what they are, none of them with an option", () => {
      const { node } = synced();
      const lines = keyLinesOf(node).flatMap(([, keys]) => keys);
      node.write("/tmp/all.pub", `${lines.join("\n")}\n`);

      const read = execFileSync("ssh-keygen", ["-l", "-f", join(node.path, "/tmp/all.pub")], {
        encoding: "utf8",
      });

      const fingerprints = read
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ")[1]);
      assert.deepEqual(fingerprints, lines.map(fingerprintOf));
    });

    it("are printed without a character that a terminal would obey", () => {
      const { ran, again } = synced();

      for (const text of [ran.out, ran.err, again.out, again.err]) {
        assert.doesNotMatch(text, /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
      }
    });

    it("are all settled after one sync: the next has nothing to do", () => {
      const { again } = synced();

      assert.equal(again.code, 3, again.err);
      assert.match(again.out, /Nothing to do/);
    });
  });
}

/** The fingerprint of the one key that a line must be, options aside: there are none. */
function fingerprintOf(line: string): string {
  assert.match(line, /^(?:ssh-|ecdsa-|sk-)\S+ \S+/);
  const blob = Buffer.from(line.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

describe("a list that may not be believed", { concurrency: 2 }, () => {
  const listed = { users: goodUsers.slice(0, 100), groups: goodGroups };
  let template: NodeRoot;

  before(async () => {
    template = makeNodeRoot();
    await using iam = await startFakeIam(listed.users, listed.groups);
    template.configure(iam.url, WITHOUT_HOMES);
    const ran = await template.rollcall("sync");
    assert.equal(ran.code, 0, ran.out + ran.err);
  });
  after(() => template[Symbol.dispose]());

  for (const [what, { make, says }] of Object.entries(UNBELIEVABLE)) {
    it(`leaves the node as it is: ${what}`, async () => {
      using node = copyOf(template);
      await using iam = await startFakeIam(listed.users, listed.groups);
      node.configure(iam.url, WITHOUT_HOMES);
      make(iam);
      const untouched = node.snapshot();

      const ran = await node.rollcall("sync");

      assert.equal(ran.code, 1, ran.out);
      assert.match(ran.out + ran.err, says);
      assert.deepEqual(node.snapshot(), untouched);
    });
  }

  for (const [what, { make, says }] of Object.entries(KNOWN_BETTER)) {
    it(`takes nothing from anybody: ${what}`, async () => {
      using node = copyOf(template);
      await using iam = await startFakeIam(listed.users, listed.groups);
      node.configure(iam.url, WITHOUT_HOMES);
      make(iam);
      const untouched = node.snapshot("/etc");

      const ran = await node.rollcall("sync", "--all");

      assert.ok(ran.code === 0 || ran.code === 3, ran.err);
      assert.match(ran.out, says);
      assert.deepEqual(node.snapshot("/etc"), untouched);
    });
  }
});
