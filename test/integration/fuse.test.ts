/**
 * The fuse on a real node, one row for each way in which a directory can shrink: what is let through, what is refused
 * whole, and how a person lets a refused one through after all.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { type FakeIam, type Resource, startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, type Ran } from "../support/node-root.ts";
import { aGroup, aUser, POSIX, someUsers } from "../support/records.ts";

/** How many users, each with a key, and how many groups, each with two of them, were there before. */
interface Site {
  readonly users: number;
  readonly groups: number;
}

interface Row {
  /** The large one when undefined. */
  readonly site?: Site;
  readonly shrink: (iam: FakeIam) => void;
  /** Users numbered so cannot log in afterwards as they could before. */
  readonly lost?: readonly number[];
  readonly lostGroups?: readonly number[];
  /** Why it is refused; undefined when it is let through. */
  readonly refused?: string;
  /** Users that were not there before. */
  readonly gained?: readonly number[];
  /** Whether the row goes on with the id that the refusal names: one row for each kind of loss. */
  readonly accept?: boolean;
}

const LARGE: Site = { users: 200, groups: 100 };
const MIDDLE: Site = { users: 40, groups: 20 };
const FIVE: Site = { users: 5, groups: 1 };
const TWO: Site = { users: 2, groups: 1 };
const EMPTY: Site = { users: 0, groups: 0 };

const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const usersOf = ({ users }: Site) => someUsers(users);
const groupsOf = ({ users, groups }: Site) =>
  numbers(1, groups).map((nth) => aGroup(nth, [`u-${users}`, `u-${users - 1}`]));

/** The first so many users are not in the list any more. */
const withoutUsers = (count: number) => (iam: FakeIam) => void (iam.users = iam.users.slice(count));
const withoutGroups = (count: number) => (iam: FakeIam) => void (iam.groups = iam.groups.slice(count));
/** Changes the users with these numbers. */
const changing = (which: readonly number[], change: (user: Resource) => unknown) => (iam: FakeIam) =>
  void (iam.users = iam.users.map((user, index) =>
    which.includes(index + 1) ? change(user as Resource) : user,
  ));
const inactive = (user: Resource) => ({ ...user, active: false });
const posix = (fields: Resource) => (user: Resource) => ({
  ...user,
  [POSIX]: { ...(user[POSIX] as Resource), ...fields },
});
const keyless = posix({ sshKeys: [] });
const shut = posix({ loginShell: "/usr/sbin/nologin" });

const ROWS: Readonly<Record<string, Row>> = {
  "1 % gone": { shrink: withoutUsers(2), lost: numbers(1, 2) },
  "19 % gone": { shrink: withoutUsers(38), lost: numbers(1, 38) },
  "20 % gone": { shrink: withoutUsers(40), lost: numbers(1, 40) },
  "21 % gone": {
    shrink: withoutUsers(42),
    lost: numbers(1, 42),
    refused: "it would take login from 42 of 200 users (21 %)",
  },
  "all but one gone": {
    shrink: withoutUsers(199),
    lost: numbers(1, 199),
    refused: "it would take login from 199 of 200 users (100 %)",
  },
  "everybody gone": {
    shrink: withoutUsers(200),
    lost: numbers(1, 200),
    refused: "it would leave nobody of the 200 users who can log in",
    accept: true,
  },
  "21 % unreadable": {
    shrink: changing(numbers(1, 42), () => null),
    lost: numbers(1, 42),
    refused: "it would take login from 42 of 200 users (21 %)",
  },
  "21 % deactivated": {
    shrink: changing(numbers(1, 42), inactive),
    lost: numbers(1, 42),
    refused: "it would take login from 42 of 200 users (21 %)",
    accept: true,
  },
  "everybody deactivated": {
    shrink: changing(numbers(1, 200), inactive),
    lost: numbers(1, 200),
    refused: "it would take every SSH key from all 200 users who have one",
  },
  "21 % without a key": {
    shrink: changing(numbers(1, 42), keyless),
    lost: numbers(1, 42),
    refused: "it would take login from 42 of 200 users (21 %)",
  },
  "everybody without a key": {
    shrink: changing(numbers(1, 200), keyless),
    lost: numbers(1, 200),
    refused: "it would take every SSH key from all 200 users who have one",
  },
  "everybody behind a closed shell": {
    shrink: changing(numbers(1, 200), shut),
    lost: numbers(1, 200),
    refused: "it would take login from 200 of 200 users (100 %)",
  },
  "15 % gone, 5 % deactivated": {
    shrink: (iam) => {
      changing(numbers(31, 40), inactive)(iam);
      withoutUsers(30)(iam);
    },
    lost: numbers(1, 40),
  },
  "15 % gone, 10 % deactivated": {
    shrink: (iam) => {
      changing(numbers(31, 50), inactive)(iam);
      withoutUsers(30)(iam);
    },
    lost: numbers(1, 50),
    refused: "it would take login from 50 of 200 users (25 %)",
    accept: true,
  },
  "21 % gone, as many new": {
    shrink: (iam) => {
      withoutUsers(42)(iam);
      iam.users.push(...numbers(201, 242).map((nth) => aUser(nth)));
    },
    lost: numbers(1, 42),
    gained: numbers(201, 242),
    refused: "it would take login from 42 of 200 users (21 %)",
    accept: true,
  },
  "20 % of the groups gone": { shrink: withoutGroups(20), lostGroups: numbers(1, 20) },
  "21 % of the groups gone": {
    shrink: withoutGroups(21),
    lostGroups: numbers(1, 21),
    refused: "it would remove 21 of 100 groups (21 %)",
  },
  "all groups gone": {
    shrink: withoutGroups(100),
    lostGroups: numbers(1, 100),
    refused: "it would remove 100 of 100 groups (100 %)",
    accept: true,
  },
  "10 of 40 gone": { site: MIDDLE, shrink: withoutUsers(10), lost: numbers(1, 10) },
  "11 of 40 gone": {
    site: MIDDLE,
    shrink: withoutUsers(11),
    lost: numbers(1, 11),
    refused: "it would take login from 11 of 40 users (28 %)",
  },
  "11 of 20 groups gone": {
    site: MIDDLE,
    shrink: withoutGroups(11),
    lostGroups: numbers(1, 11),
    refused: "it would remove 11 of 20 groups (55 %)",
  },
  "2 of 5 gone": { site: FIVE, shrink: withoutUsers(2), lost: numbers(1, 2) },
  "3 of 5 gone": {
    site: FIVE,
    shrink: withoutUsers(3),
    lost: numbers(1, 3),
    refused: "it would take login from 3 of 5 users (60 %)",
  },
  "1 of 2 gone": { site: TWO, shrink: withoutUsers(1), lost: [1] },
  "2 of 2 gone": {
    site: TWO,
    shrink: withoutUsers(2),
    lost: [1, 2],
    refused: "it would leave nobody of the 2 users who can log in",
  },
  "200 users, where there were none": {
    site: EMPTY,
    shrink: (iam) => void (iam.users = usersOf(LARGE)),
    gained: numbers(1, 200),
  },
  "nobody, where there was nobody": { site: EMPTY, shrink: () => undefined },
};

const templates = new Map<Site, NodeRoot>();
const WITHOUT_HOMES = "homes: { create: false }\n";
const results = new Map<string, string>();

/** A node in step with each site, made once and copied for every test. */
before(async () => {
  for (const site of [LARGE, MIDDLE, FIVE, TWO]) {
    const node = makeNodeRoot();
    templates.set(site, node);
    await using iam = await startFakeIam(usersOf(site), groupsOf(site));
    node.configure(iam.url, WITHOUT_HOMES);
    const ran = await node.rollcall("sync");
    assert.equal(ran.code, 0, ran.err);
  }
  templates.set(EMPTY, makeNodeRoot());
});
after(() => {
  templates.forEach((node) => node[Symbol.dispose]());
  for (const what of Object.keys(ROWS)) {
    console.log(`      ${what.padEnd(46)}${results.get(what) ?? "not run"}`);
  }
});

/** A node that is in step with an IAM of its own. */
async function aNodeInStep(site: Site): Promise<AsyncDisposable & { node: NodeRoot; iam: FakeIam }> {
  const node = makeNodeRoot();
  execFileSync("cp", ["-a", `${templates.get(site)?.path}/.`, node.path]);
  const iam = await startFakeIam(usersOf(site), groupsOf(site));
  node.configure(iam.url, WITHOUT_HOMES);
  return {
    node,
    iam,
    async [Symbol.asyncDispose]() {
      node[Symbol.dispose]();
      await iam[Symbol.asyncDispose]();
    },
  };
}

/** The node must be served like this: who can log in with a key, and which groups there are beside private ones. */
function assertServes(node: NodeRoot, users: readonly number[], groups: readonly number[]): void {
  const linesOf = (map: string) => (node.read(`/etc/${map}.cache`) ?? "").split("\n");
  const locked = new Set(linesOf("shadow").map((line) => /^([^:]+):!.*:1:$/.exec(line)?.[1]));
  const able = linesOf("passwd").flatMap((line) => {
    const [name = "", , , , , , shell = ""] = line.split(":");
    const hasKey = /^ssh-/m.test(node.read(`/etc/ssh/authorized_keys.d/${name}`) ?? "");
    return hasKey && !locked.has(name) && !/nologin|false/.test(shell) ? [name] : [];
  });
  const shared = linesOf("group").flatMap((line) => /^group\d+/.exec(line)?.[0] ?? []);
  assert.deepEqual(able.sort(), named("user", users));
  assert.deepEqual(shared.sort(), named("group", groups));
}

const named = (kind: "user" | "group", which: readonly number[]) => which.map((nth) => kind + nth).sort();
const without = (count: number, lost: readonly number[]) =>
  numbers(1, count).filter((nth) => !lost.includes(nth));

/** The id in a refusal; "-" where there is none. */
const idIn = ({ err }: Ran) => /--accept-removals ([0-9a-f]{12})"/.exec(err)?.[1] ?? "-";

/** The message says why, names the first ten of whoever is lost, and counts the other users. */
function assertExplains({ code, err }: Ran, { refused, lost = [], lostGroups = [] }: Row): void {
  const firstTen = (names: readonly string[]) =>
    names
      .slice(0, 10)
      .map((name) => `"${name}"`)
      .join(", ");
  const more = lost.length > 10 ? ` and ${lost.length - 10} more` : "";
  assert.equal(code, 1);
  assert.ok(err.includes(`This sync was refused because ${refused}`), err);
  assert.match(err, /Nothing was changed\..*removals-refused/);
  assert.ok(lost.length === 0 || err.includes(`users ${firstTen(named("user", lost))}${more}`), err);
  assert.ok(lostGroups.length === 0 || err.includes(`groups ${firstTen(named("group", lostGroups))}`), err);
}

describe("a sync that would leave the node with", { concurrency: 4 }, () => {
  for (const [what, row] of Object.entries(ROWS)) {
    const { site = LARGE, lost = [], lostGroups = [], gained = [], refused, accept } = row;
    const ending = accept === true ? ", until its id is given" : "";
    it(`${what} is ${refused === undefined ? "let through" : `refused whole${ending}`}`, async () => {
      await using place = await aNodeInStep(site);
      const { node, iam } = place;
      row.shrink(iam);
      const untouched = node.snapshot();

      let ran = await node.rollcall("sync");

      results.set(what, `${/\bremovals-refused\b/.exec(ran.err)?.[0] ?? "synced"}  ${idIn(ran)}`);
      if (refused !== undefined) {
        assertExplains(ran, row);
        assert.deepEqual(node.snapshot(), untouched);
      }
      if (accept === true) {
        ran = await node.rollcall("sync", "--accept-removals", idIn(ran));
      }
      if (refused === undefined || accept === true) {
        assert.equal(ran.code, 0, ran.out + ran.err);
        assertServes(node, [...without(site.users, lost), ...gained], without(site.groups, lostGroups));
      }
    });
  }
});

describe("a refusal that a mistake in the configuration has caused", { concurrency: 4 }, () => {
  it("begins with the name that nobody has, and the nearest one", async () => {
    await using place = await aNodeInStep(LARGE);
    const { node, iam } = place;
    node.configure(iam.url, `${WITHOUT_HOMES}access: { login: { users: [user11] } }\n`);
    const right = await node.rollcall("plan");
    node.configure(iam.url, `${WITHOUT_HOMES}access: { login: { users: [usr11] } }\n`);

    const ran = await node.rollcall("sync");

    assert.doesNotMatch(right.out + right.err, /First look at this/);
    assert.match(
      ran.err,
      /Nothing was changed\. First look at this: access\.login\.users: "usr11" is not served on this node.*did you mean "user11/,
    );
  });

  it("says what is wrong with most of the records", async () => {
    await using place = await aNodeInStep(LARGE);
    const { node } = place;
    node.write(
      "/etc/rollcall/rollcall.yaml",
      (node.read("/etc/rollcall/rollcall.yaml") ?? "").replace(/uid: .*?uidNumber/, "uid: no/such"),
    );

    const ran = await node.rollcall("sync");

    assert.match(
      ran.err,
      /First look at this: 200 records are refused for the same reason: .*\[id-missing\]/,
    );
  });
});

describe("the id in a refusal", { concurrency: 4 }, () => {
  it("lets no other plan through: one person more, one less, or as many others", async () => {
    await using place = await aNodeInStep(LARGE);
    const { node, iam } = place;
    withoutUsers(42)(iam);
    const id = idIn(await node.rollcall("sync"));
    const untouched = node.snapshot();

    for (const [count, users] of [
      [43, usersOf(LARGE).slice(43)],
      [41, usersOf(LARGE).slice(41)],
      [42, usersOf(LARGE).slice(0, -42)],
    ] as const) {
      iam.users = [...users];
      const ran = await node.rollcall("sync", "--accept-removals", id);

      assert.equal(ran.code, 1, ran.out);
      assert.ok(ran.err.includes(`The id "${id}" belongs to another plan.`), ran.err);
      assert.ok(ran.err.includes(`login from ${count} of 200 users`), ran.err);
      assert.notEqual(idIn(ran), id);
      assert.deepEqual(node.snapshot(), untouched);
    }
  });

  it("still lets the removals through when somebody was added meanwhile", async () => {
    await using place = await aNodeInStep(LARGE);
    const { node, iam } = place;
    withoutUsers(42)(iam);
    const id = idIn(await node.rollcall("sync"));
    iam.users.push(aUser(201));

    const ran = await node.rollcall("sync", "--accept-removals", id);

    assert.equal(ran.code, 0, ran.err);
    assertServes(node, numbers(43, 201), numbers(1, 100));
  });

  it("that is wrong changes nothing", async () => {
    await using place = await aNodeInStep(LARGE);
    const { node, iam } = place;
    withoutUsers(42)(iam);
    const id = idIn(await node.rollcall("sync"));
    const untouched = node.snapshot();

    for (const wrong of ["000000000000", ""]) {
      const ran = await node.rollcall("sync", "--accept-removals", wrong);

      assert.equal(ran.code, 1, ran.out);
      assert.match(ran.err, /belongs to another plan.*removals-refused/);
      assert.equal(idIn(ran), id);
      assert.deepEqual(node.snapshot(), untouched);
    }
  });

  it("is not remembered: the next refusal needs its own, even for the same people", async () => {
    await using place = await aNodeInStep(LARGE);
    const { node, iam } = place;
    withoutUsers(42)(iam);
    const id = idIn(await node.rollcall("sync"));
    const accepted = await node.rollcall("sync", "--accept-removals", id);
    withoutUsers(40)(iam);
    const untouched = node.snapshot();

    const next = await node.rollcall("sync");
    const reused = await node.rollcall("sync", "--accept-removals", id);

    assert.equal(accepted.code, 0, accepted.err);
    for (const ran of [next, reused]) {
      assert.equal(ran.code, 1, ran.out);
      assert.match(ran.err, /login from 40 of 158 users/);
      assert.notEqual(idIn(ran), id);
      assert.deepEqual(node.snapshot(), untouched);
    }
    iam.users = usersOf(LARGE);
    assert.equal((await node.rollcall("sync")).code, 0);
    withoutUsers(42)(iam);
    assert.match((await node.rollcall("sync")).err, /login from 42 of 200 users/);
  });
});
