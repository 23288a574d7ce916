/**
 * Whether anything is new, asked of an IAM without ETags: what is noticed, which servers are not asked that way, and what a daemon
 * makes of it.
 */

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { type Asker, changedAt, createAsker } from "../support/asker.ts";
import {
  type FakeIam,
  type FakeIamOptions,
  type IamRequest,
  listOf,
  pageOf,
  type Resource,
  sendError,
  sendJson,
  startFakeIam,
} from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { aGroup, aUser } from "../support/records.ts";

const MINUTE = 60_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const NEWEST = NOW - 60 * MINUTE;

/** Users of whom the first four changed in the same instant, the fifth just before, the others earlier and earlier. */
const datedUsers = (count = 12) =>
  Array.from({ length: count }, (_, index) =>
    changedAt(aUser(index + 1), index < 4 ? NEWEST : NEWEST - (index - 3) * 7 * MINUTE),
  );
const datedGroups = () => [
  changedAt(aGroup(1, ["u-1", "u-2"]), NEWEST - 50 * MINUTE),
  changedAt(aGroup(2, ["u-3"]), NEWEST - 90 * MINUTE),
];

const FILTERS: FakeIamOptions = { filters: true };
const isAsked = ({ query }: IamRequest) => query.get("filter")?.includes("meta.lastModified") === true;

interface Scene extends AsyncDisposable {
  readonly node: NodeRoot;
  readonly iam: FakeIam;
  readonly asker: Asker;
}

async function sceneOf(
  options: FakeIamOptions = FILTERS,
  configure: (node: NodeRoot, iam: FakeIam) => void = (node, iam) => node.configure(iam.url),
): Promise<Scene> {
  const node = makeNodeRoot();
  const iam = await startFakeIam(datedUsers(), datedGroups(), options);
  configure(node, iam);
  const asker = await createAsker(node);
  return {
    node,
    iam,
    asker,
    async [Symbol.asyncDispose]() {
      await iam[Symbol.asyncDispose]();
      node[Symbol.dispose]();
    },
  };
}

/** In the place of the users' and groups' own time. */
const edit = (list: unknown[], nth: number, change: (record: Resource) => Resource) =>
  list.map((one, index) => (index === nth ? change(one as Resource) : one));

const CHANGES: Readonly<Record<string, (iam: FakeIam) => void>> = {
  "an addition": (iam) => iam.users.push(changedAt(aUser(90), NOW)),
  "an addition to the groups": (iam) => iam.groups.push(changedAt(aGroup(9), NOW)),
  "a change": (iam) => {
    iam.users = edit(iam.users, 11, () => changedAt(aUser(12, { gecos: "Other" }), NOW));
  },
  "a removal of an old record": (iam) => void iam.users.pop(),
  "a removal of the newest": (iam) => void iam.users.shift(),
  "an addition and a removal": (iam) => {
    iam.users = [...iam.users.slice(0, -1), changedAt(aUser(90), NOW)];
  },
  "an addition and a removal of the same instant as the newest": (iam) => {
    iam.users = [...iam.users.slice(1), changedAt(aUser(90), NEWEST)];
  },
  "a membership": (iam) => {
    iam.groups = edit(iam.groups, 1, () => changedAt(aGroup(2, ["u-3", "u-4"]), NOW));
  },
  "another change in the instant of the newest": (iam) => {
    iam.users = edit(iam.users, 0, () => changedAt(aUser(1, { keys: [] }), NEWEST));
  },
  "a change by a clock that is two minutes late": (iam) => {
    iam.users = edit(iam.users, 11, () => changedAt(aUser(12, { keys: [] }), NEWEST - 2 * MINUTE));
  },
  "a removal of everybody": (iam) => {
    iam.users = [];
  },
};

describe("an IAM that is asked for its totals and for what changed last", () => {
  it("gets four requests, and says that nothing is new", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    await asker.sync();
    const asking = await asker.settle();
    iam.requests.length = 0;

    const isUnchanged = await asker.isUnchanged(asking);

    assert.equal(isUnchanged, true);
    assert.deepEqual(
      iam.requests.map(({ list, query }) => `${list} ${query.get("count")} ${query.get("filter")}`).sort(),
      [
        "Groups 0 null",
        `Groups 2 meta.lastModified ge "${time(NEWEST - 60 * MINUTE)}"`,
        "Users 0 null",
        `Users 6 meta.lastModified ge "${time(NEWEST - 10 * MINUTE)}"`,
      ],
    );
  });

  for (const [what, change] of Object.entries(CHANGES)) {
    it(`shows ${what}`, async () => {
      await using scene = await sceneOf();
      const { asker, iam } = scene;
      await asker.sync();
      const asking = await asker.settle();
      change(iam);

      assert.equal(await asker.isUnchanged(asking), false);
      await asker.sync();
      assert.equal(await asker.isUnchanged(await asker.settle()), true, "and the sync has it");
    });
  }

  it("shows what changed behind the pager's back, though the pull saw something newer", async () => {
    await using scene = await sceneOf(FILTERS, (node, iam) => {
      node.configure(iam.url);
      const text = node.read("/etc/rollcall/rollcall.yaml") ?? "";
      node.write("/etc/rollcall/rollcall.yaml", text.replace("pageSize: 50", "pageSize: 5"));
    });
    const { asker, iam } = scene;
    iam.misbehave = (request, response) => {
      if (request.list === "Users" && request.startIndex === 1 && !isAsked(request)) {
        response.on("finish", () => {
          iam.users = edit(iam.users, 0, () => changedAt(aUser(1, { keys: [] }), NOW - 2000));
          iam.users = edit(iam.users, 11, () => changedAt(aUser(12, { gecos: "Newer" }), NOW - 1000));
        });
        iam.misbehave = undefined;
      }
      return false;
    };

    await asker.sync();

    assert.equal((await asker.settle()).marks, undefined, "not the list that the pull saw");
  });

  it("is asked with the filter and the parameters of the configuration, encoded once", async () => {
    const extra = `  users: { query: 'filter=active eq true&department=R%26D' }\n`;
    await using scene = await sceneOf(FILTERS, (node, iam) => {
      node.configure(iam.url);
      const text = node.read("/etc/rollcall/rollcall.yaml") ?? "";
      node.write("/etc/rollcall/rollcall.yaml", text.replace("attributes:\n", `${extra}attributes:\n`));
    });
    const { asker, iam } = scene;
    iam.users.push(changedAt(aUser(91, { active: false }), NOW));
    await asker.sync();
    const asking = await asker.settle();
    iam.requests.length = 0;

    assert.equal(await asker.isUnchanged(asking), true);
    const users = iam.requests.filter(({ list }) => list === "Users");
    assert.deepEqual(users.map(({ query }) => query.get("filter")).sort(), [
      `(active eq true) and meta.lastModified ge "${time(NEWEST - 10 * MINUTE)}"`,
      "active eq true",
    ]);
    assert.ok(users.every(({ query }) => query.get("department") === "R&D"));
  });

  it("with an empty list is asked three times, and shows the first record", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    iam.groups = [];
    await asker.sync();
    const asking = await asker.settle();
    iam.requests.length = 0;
    assert.equal(await asker.isUnchanged(asking), true);
    assert.equal(iam.requests.length, 3);
    iam.groups = datedGroups();

    assert.equal(await asker.isUnchanged(asking), false);
  });

  it("does not show a change that leaves the time alone; a whole sync finds it, and ends the asking", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    await asker.sync();
    const asking = await asker.settle();
    iam.users = edit(iam.users, 11, (user) => ({ ...user, displayName: "Other" }));
    assert.equal(await asker.isUnchanged(asking), true);

    await asker.sync();
    await asker.review(asking);

    assert.match(asker.distrusted.join("|"), /^a sync found a change .* did not show$/);
    assert.equal((await asker.settle()).marks, undefined);
  });

  it("in which somebody changes right after each sync is asked everything meanwhile, and is believed as soon as nobody does", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    for (let nth = 1; nth <= 5; nth += 1) {
      await asker.sync();
      iam.users = edit(iam.users, 3, (user) =>
        changedAt({ ...user, displayName: `Name ${nth}` }, NEWEST + nth * 1000),
      );
      const asking = await asker.settle();
      assert.equal(await asker.isUnchanged(asking), false);
    }

    await asker.sync();
    assert.equal(await asker.isUnchanged(await asker.settle()), true);
    assert.deepEqual(asker.distrusted, []);
  });

  it("is not believed that nothing is new where right after the sync something was", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    await asker.sync();
    await asker.settle();
    await asker.sync();
    const [gone] = iam.users.splice(11, 1);
    const asking = await asker.settle();
    // Somebody else, with a time of long ago: the totals and times are those of the sync again.
    iam.users.push(changedAt(aUser(77), NEWEST - 90 * MINUTE));

    assert.notEqual(gone, undefined);
    assert.equal(await asker.isUnchanged(asking), false);
  });

  it("that gives other times and totals every other time is asked further", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    for (let nth = 0; nth < 30; nth += 1) {
      iam.misbehave = nth % 2 === 0 ? onFilter(sayTwelve) : undefined;
      await asker.sync();
      assert.equal((await asker.settle()).marks === undefined, nth % 2 === 0);
    }

    assert.deepEqual(asker.distrusted, []);
  });

  it("that lists people in another order each time, and gives other times and totals, is given up all the same", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    iam.misbehave = onFilter(sayTwelve);
    for (let nth = 0; nth < 13; nth += 1) {
      iam.users.reverse();
      await asker.sync();
      iam.requests.length = 0;
      await asker.settle();
    }

    assert.equal(iam.requests.length, 0);
    assert.match(asker.distrusted.join("|"), /^12 times in a row its totals .* could not be proven/);
  });

  it("is trusted further when a whole sync found what asking would have shown", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    await asker.sync();
    const asking = await asker.settle();
    CHANGES["a change"]?.(iam);

    await asker.sync();
    await asker.review(asking);

    assert.deepEqual(asker.distrusted, []);
    assert.notEqual((await asker.settle()).marks, undefined);
  });
});

const onCount0 =
  (answer: (response: ServerResponse, request: IamRequest, iam: FakeIam) => true): FakeIam["misbehave"] =>
  (request, response, iam) =>
    request.count === 0 && answer(response, request, iam);

const onFilter =
  (answer: (response: ServerResponse, request: IamRequest, iam: FakeIam) => true): FakeIam["misbehave"] =>
  (request, response, iam) =>
    isAsked(request) && answer(response, request, iam);

const sayTwelve = (response: ServerResponse, request: IamRequest, iam: FakeIam) =>
  sendJson(response, { ...pageOf(iam, request), totalResults: 12 });

describe("a server that does not know count=0", () => {
  const servers: Readonly<Record<string, FakeIam["misbehave"]>> = {
    "and rejects it": onCount0((response) => sendError(response, 400, "count must be positive")),
    "and sends a page": onCount0((response, request, iam) =>
      sendJson(response, pageOf(iam, { ...request, count: 100 })),
    ),
    "and sends no total": onCount0((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, request), totalResults: 0 }),
    ),
  };
  for (const [how, misbehave] of Object.entries(servers)) {
    it(`${how} is asked for one record`, async () => {
      await using scene = await sceneOf();
      const { asker, iam } = scene;
      iam.misbehave = misbehave;
      await asker.sync();
      const asking = await asker.settle();
      iam.requests.length = 0;

      assert.equal(await asker.isUnchanged(asking), true);
      assert.equal(iam.requests.length, 4);
      assert.ok(iam.requests.every(({ count }) => count > 0));
      iam.users.pop();
      assert.equal(await asker.isUnchanged(asking), false);
    });
  }
});

describe("a server whose ETags tell of news where there is none", () => {
  const servers: Readonly<Record<string, (response: ServerResponse, request: IamRequest) => void>> = {
    "because it never answers 304": (_, { headers }) => {
      delete headers["if-none-match"];
    },
    "because they are others each time": (response, { nth }) => {
      response.setHeader("etag", `"${nth}"`);
    },
  };
  for (const [why, spoil] of Object.entries(servers)) {
    it(`${why}, is asked for what changed last after three of them`, async () => {
      await using scene = await sceneOf({ filters: true, etags: true });
      const { asker, iam } = scene;
      iam.misbehave = (request, response) => {
        spoil(response, request);
        return why.includes("others") && request.list !== "ServiceProviderConfig"
          ? sendJson(response, pageOf(iam, request))
          : false;
      };
      await asker.sync();
      let asking = await asker.settle();
      for (let turns = 0; turns < 3; turns += 1) {
        assert.equal(await asker.isUnchanged(asking), false);
        await asker.sync();
        asking = await asker.settle(asking);
      }
      iam.requests.length = 0;

      assert.equal(await asker.isUnchanged(asking), true);
      assert.equal(iam.requests.filter(isAsked).length, 2);
      iam.users.pop();
      assert.equal(await asker.isUnchanged(asking), false);
      assert.deepEqual(asker.distrusted, ["3 times in a row its ETags were others, and nothing else was"]);
    });
  }

  it("now and then, for changes that this node does not care about, is asked by its ETags further", async () => {
    await using scene = await sceneOf({ etags: true });
    const { asker, iam } = scene;
    await asker.sync();
    let asking = await asker.settle();

    for (let turns = 0; turns < 5; turns += 1) {
      iam.users = edit(iam.users, 3, (user) => ({ ...user, nickName: `Nick ${turns}` }));
      assert.equal(await asker.isUnchanged(asking), false);
      await asker.sync();
      asking = await asker.settle(asking);
      assert.equal(await asker.isUnchanged(asking), true);
    }

    assert.deepEqual(asker.distrusted, []);
  });
});

describe("a server is not asked for what changed last", () => {
  const servers: Readonly<Record<string, FakeIam["misbehave"]>> = {
    "that ignores filters": onFilter((response, request, iam) =>
      sendJson(response, pageOf(iam, { ...request, query: new URLSearchParams() })),
    ),
    "that rejects filters": onFilter((response) => sendError(response, 400, "invalidFilter")),
    "that implements no filters": onFilter((response) => sendError(response, 501, "no filters")),
    "that fails over filters": onFilter((response) => sendError(response, 500, "oops")),
    "that hangs up over filters": onFilter((response) => response.destroy() !== undefined || true),
    "that answers filters with HTML": onFilter(
      (response) => response.writeHead(200).end("<html>") !== undefined || true,
    ),
    "that finds nothing": onFilter((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, request), totalResults: 0, Resources: [] }),
    ),
    "that counts everything under a filter": onFilter(sayTwelve),
    "that counts a page under a filter": onFilter((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, { ...request, count: 1 }), totalResults: 1 }),
    ),
    "that gives others than it should": onFilter((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, request), Resources: iam.users.slice(3, 8) }),
    ),
    "that gives no total": (request, response, iam) => {
      const { totalResults: _, ...page } = pageOf(iam, request);
      return isAsked(request) && sendJson(response, page);
    },
    "whose clock is years behind its records": (request, response, iam) => {
      response.setHeader("date", new Date(NEWEST - 365 * 24 * 60 * MINUTE).toUTCString());
      return isAsked(request) && sendJson(response, pageOf(iam, request));
    },
  };
  for (const [what, misbehave] of Object.entries(servers)) {
    it(`${what}: three times it is tried, then never again, and that is said once`, async () => {
      await using scene = await sceneOf();
      const { asker, iam } = scene;
      iam.misbehave = misbehave;
      const seen: unknown[] = [];
      for (let syncs = 0; syncs < 4; syncs += 1) {
        await asker.sync();
        iam.requests.length = 0;
        seen.push((await asker.settle()).marks);
      }

      assert.deepEqual(seen, [undefined, undefined, undefined, undefined]);
      assert.equal(iam.requests.length, 0, "the fourth time it is not asked");
      assert.match(asker.distrusted.join("|"), /^3 times its totals .* not those of the sync before$/);
    });
  }

  const lists: Readonly<Record<string, (iam: FakeIam) => void>> = {
    "whose records have no time": (iam) => {
      iam.users = iam.users.map((user) => ({ ...(user as Resource), meta: {} }));
    },
    "one of whose records has no time": (iam) => {
      iam.users = edit(iam.users, 9, (user) => ({ ...user, meta: undefined }));
    },
    "whose times have no place on earth": (iam) => {
      iam.users = edit(iam.users, 9, (user) => ({ ...user, meta: { lastModified: "2026-05-05T01:01:01" } }));
    },
    "with a record that is null": (iam) => {
      iam.users = edit(iam.users, 9, () => null as unknown as Resource);
    },
    "where hundreds changed at once": (iam) => {
      iam.users = Array.from({ length: 450 }, (_, index) => changedAt(aUser(index + 1), NEWEST));
    },
  };
  for (const [what, change] of Object.entries(lists)) {
    it(`${what}: it gets no request, and nothing is said`, async () => {
      await using scene = await sceneOf();
      const { asker, iam } = scene;
      change(iam);
      await asker.sync();
      iam.requests.length = 0;

      assert.equal((await asker.settle()).marks, undefined);
      assert.equal(await asker.isUnchanged(await asker.settle()), false);
      assert.equal(iam.requests.length, 0);
      assert.deepEqual(asker.distrusted, []);
    });
  }

  it("that has a record of the future", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    iam.users.push(changedAt(aUser(77), NOW + 365 * 24 * 60 * MINUTE));
    await asker.sync();

    assert.equal((await asker.settle()).marks, undefined);
  });

  it("that stops filtering later on, and says so by an answer that changed", async () => {
    await using scene = await sceneOf();
    const { asker, iam } = scene;
    await asker.sync();
    const asking = await asker.settle();
    iam.filters = false;

    assert.equal(await asker.isUnchanged(asking), false);
  });

  for (const [probe, conditional] of [
    ["etag", true],
    ["off", false],
  ] as const) {
    it(`where iam.probe is ${probe}`, async () => {
      await using scene = await sceneOf({ filters: true, etags: true }, (node, iam) => {
        node.configure(iam.url);
        const text = node.read("/etc/rollcall/rollcall.yaml") ?? "";
        node.write("/etc/rollcall/rollcall.yaml", text.replace("iam:\n", `iam:\n  probe: ${probe}\n`));
      });
      const { asker, iam } = scene;
      await asker.sync();
      iam.requests.length = 0;
      assert.equal(await asker.isUnchanged(await asker.settle()), conditional);
      await asker.sync();

      assert.ok(!iam.requests.some(isAsked));
      assert.equal(
        iam.requests.some(({ headers }) => headers["if-none-match"] !== undefined),
        conditional,
      );
      assert.equal(listOf(iam, { list: "Users", query: new URLSearchParams() }).length, 12);
    });
  }
});

function time(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
