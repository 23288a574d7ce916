/**
 * A pull that asks for what changed, by times or by ETags: it comes to the same lists as a whole one, and is left to a whole one
 * where it would not.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { loadConfig } from "../../src/config/load.ts";
import { probe } from "../../src/daemon/wire-probe.ts";
import { pull } from "../../src/daemon/wire-source.ts";
import { type Drafts, textOfDraft } from "../../src/model/draft.ts";
import { systemClock } from "../../src/platform/clock.ts";
import type { Asking } from "../../src/source/remembered.ts";
import { changedAt, surroundingsOf } from "../support/asker.ts";
import {
  type FakeIam,
  pageOf,
  type Resource,
  sendError,
  sendJson,
  startFakeIam,
} from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { aGroup, aKey, aUser } from "../support/records.ts";

const HOUR = 3_600_000;
const START = Math.floor(Date.now() / 1000) * 1000 - 500 * HOUR;

/** Everybody changed an hour after the one before. */
const users = (count = 12) =>
  Array.from({ length: count }, (_, nth) => changedAt(aUser(nth + 1), START + nth * HOUR));
const groups = () => [
  changedAt(aGroup(1, ["u-1", "u-2"]), START),
  changedAt(aGroup(2, ["u-3"]), START + HOUR),
];

const now = () => Date.now();
const isPull = ({ list }: { readonly list: string }) => list === "ServiceProviderConfig";

/** How a sync of a daemon asks: by times; by the ETags of all pages; or by those of the pages that the daemon saw change. */
const WAYS = ["times", "ETags", "ETags of some pages"] as const;
type Way = (typeof WAYS)[number];

interface Scene extends AsyncDisposable {
  readonly iam: FakeIam;
  /** Pulls and remembers, as a sync of a daemon does that knows what its node is in step with. */
  pullOn(): Promise<{
    readonly texts: readonly string[];
    readonly requests: number;
    readonly wholePulls: number;
  }>;
}

async function sceneOf(way: Way = "times"): Promise<Scene> {
  const node = makeNodeRoot();
  const can = way === "times" ? { filters: true } : { etags: true, maxPage: 3 };
  const iam = await startFakeIam(users(), groups(), can);
  node.configure(iam.url);
  await pulled(node);
  return {
    iam,
    async pullOn() {
      iam.requests.length = 0;
      const texts = await pulled(node, way);
      return { texts, requests: iam.requests.length, wholePulls: iam.requests.filter(isPull).length };
    },
    async [Symbol.asyncDispose]() {
      await iam[Symbol.asyncDispose]();
      node[Symbol.dispose]();
    },
  };
}

/** What a pull has; it is remembered then. */
async function pulled(node: NodeRoot, way?: Way) {
  const settings = await loadConfig(join(node.path, "etc/rollcall/rollcall.yaml"));
  const text = node.read("/var/lib/rollcall/etags.json");
  const asking: Asking = text === undefined ? { digest: "", etags: {}, marks: undefined } : JSON.parse(text);
  const around = surroundingsOf(node, systemClock);
  const { signal } = new AbortController();
  const answer =
    way === "ETags of some pages" ? await probe({ settings, asking, least: 0 }, around, signal) : undefined;
  const changedPages = answer?.isUnchanged === false ? answer.changedPages : undefined;
  const inStepWith = { digest: asking.digest, isAskedByTimes: way === "times", changedPages };
  const result = await pull(settings, { ...around, inStepWith }, signal);
  const texts = textsOf(await result.drafts());
  await result.remember();
  return texts;
}

/** What somebody would get who asks this IAM for the first time. */
async function wholeTexts(iam: FakeIam): Promise<readonly string[]> {
  using fresh = makeNodeRoot();
  fresh.configure(iam.url);
  return await pulled(fresh);
}

const textsOf = (drafts: Drafts) => [...drafts.users, ...drafts.groups].map(textOfDraft);

const edit = (list: unknown[], nth: number, change: (record: Resource) => Resource) =>
  list.map((one, place) => (place === nth ? change(one as Resource) : one));

const CASES: readonly (readonly [what: string, wholePulls: number, change: (iam: FakeIam) => void])[] = [
  ["nothing", 0, () => undefined],
  [
    "a key",
    0,
    (iam) => void (iam.users = edit(iam.users, 3, () => changedAt(aUser(4, { keys: [aKey(99)] }), now()))),
  ],
  [
    "a membership",
    0,
    (iam) => void (iam.groups = edit(iam.groups, 1, () => changedAt(aGroup(2, []), now()))),
  ],
  ["an addition", 1, (iam) => void iam.users.push(changedAt(aUser(90), now()))],
  ["a removal", 1, (iam) => void iam.users.shift()],
  ["an addition and a removal", 1, (iam) => void iam.users.splice(0, 1, changedAt(aUser(90), now()))],
  ["a server that does not filter any more", 1, (iam) => void (iam.filters = false)],
  [
    "a record without a time",
    1,
    (iam) => void (iam.users = edit(iam.users, 11, (user) => ({ ...user, meta: {} }))),
  ],
  [
    "an answer that is cut short",
    1,
    (iam) => {
      iam.misbehave = ({ query }, response) => {
        const isAsked = query.has("filter");
        if (isAsked) {
          sendJson(response, {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            totalResults: 3,
            Resources: [],
          });
        }
        return isAsked;
      };
    },
  ],
  ...([403, 404, 500] as const).map(
    (status) =>
      [
        `a server that answers such questions with ${status}`,
        1,
        (iam: FakeIam) => {
          iam.users = edit(iam.users, 3, () => changedAt(aUser(4, { active: false }), now()));
          iam.misbehave = ({ query }, response) => {
            const isAsked = query.has("filter");
            if (isAsked) {
              sendError(response, status, "no filters today");
            }
            return isAsked;
          };
        },
      ] as const,
  ),
];

describe("a pull of what changed last", { concurrency: 2 }, () => {
  for (const [what, wholePulls, change] of CASES) {
    it(`after ${what} has what a whole one has`, async () => {
      await using scene = await sceneOf();
      change(scene.iam);

      const { texts, wholePulls: made } = await scene.pullOn();

      assert.deepEqual([...texts].sort(), [...(await wholeTexts(scene.iam))].sort());
      assert.equal(made, wholePulls);
    });
  }

  for (const way of WAYS) {
    it(`by ${way}, of an id that is there twice, is refused, as a whole one is`, async () => {
      await using scene = await sceneOf(way);
      scene.iam.users = edit(scene.iam.users, 3, () => changedAt(aUser(12), now()));

      await assert.rejects(scene.pullOn(), /11 different resources came, but totalResults is 12/);
    });
  }

  it("by ETags, of a page that lost a record though the total is the same, has what a whole one has", async () => {
    await using scene = await sceneOf("ETags");
    const { iam } = scene;
    iam.users = edit(iam.users, 5, () => changedAt(aUser(6, { gecos: "Other" }), now()));
    iam.misbehave = (request, response) => {
      const page = pageOf(iam, request, 3);
      const isCut = request.list === "Users" && request.startIndex === 4;
      return isCut && sendJson(response, { ...page, Resources: [page["Resources"]].flat().slice(0, 2) });
    };

    const { texts } = await scene.pullOn();

    assert.deepEqual(texts, await wholeTexts(iam));
    assert.match(texts[5] ?? "", /Other/);
  });

  for (const way of WAYS) {
    it(`by ${way} has it whatever changes, one time after the other`, async () => {
      const kinds = [
        "key",
        "other",
        "add",
        "remove",
        "member",
        ...(way === "times" ? [] : ["swap", "replace"]),
      ];
      const step = fc.tuple(fc.constantFrom(...kinds), fc.nat(30));
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
          await using scene = await sceneOf(way);
          for (const [kind, nth] of steps) {
            changeBy(scene.iam, kind, nth);
            assert.deepEqual((await scene.pullOn()).texts, await wholeTexts(scene.iam));
          }
        }),
        { numRuns: 12 },
      );
    });
  }
});

/** Of twelve users, three on each, and of the groups. */
const PAGES = 12 / 3 + 1;

describe("a pull that was told which pages changed", () => {
  it("asks for these alone", async () => {
    await using scene = await sceneOf("ETags of some pages");
    changeBy(scene.iam, "key", 4);

    const { texts, requests } = await scene.pullOn();

    assert.deepEqual(texts, await wholeTexts(scene.iam));
    assert.equal(requests, PAGES + 1, "all by the daemon, one by its sync");
  });
});

describe("a pull that was told of pages under other ETags than it remembers", () => {
  it("asks for all of them", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(users(), groups(), { etags: true, maxPage: 3 });
    node.configure(iam.url);
    await pulled(node);
    const settings = await loadConfig(join(node.path, "etc/rollcall/rollcall.yaml"));
    const around = surroundingsOf(node, systemClock);
    const { signal } = new AbortController();
    const asking: Asking = JSON.parse(node.read("/var/lib/rollcall/etags.json") ?? "");
    // What somebody else's sync remembers meanwhile: the same drafts, and another ETag for the first page.
    iam.users = edit(iam.users, 0, (user) => ({ ...user, nickName: "Ada" }));
    await pulled(node, "ETags");
    changeBy(iam, "key", 0);
    iam.requests.length = 0;

    const { changedPages } = await probe({ settings, asking, least: 0 }, around, signal);
    const inStepWith = { digest: asking.digest, isAskedByTimes: false, changedPages };
    const result = await pull(settings, { ...around, inStepWith }, signal);

    assert.equal(changedPages?.length, 1);
    assert.equal(result.isOld, false);
    assert.equal(iam.requests.length, 2 * PAGES);
  });
});

describe("a pull of what changed", () => {
  it("is of no use once somebody else has changed what is remembered", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(users(), groups(), { etags: true });
    node.configure(iam.url);
    await pulled(node);
    changeBy(iam, "key", 4);
    const settings = await loadConfig(join(node.path, "etc/rollcall/rollcall.yaml"));
    const result = await pull(settings, surroundingsOf(node, systemClock), new AbortController().signal);

    changeBy(iam, "other", 5);
    await pulled(node, "ETags");

    await assert.rejects(result.drafts(), { code: "node-unreadable", message: /replaced or removed/ });
  });
});

function changeBy(iam: FakeIam, kind: string, nth: number): void {
  const place = nth % Math.max(1, iam.users.length);
  const numberOf = (user: Resource) => Number(String(user["id"]).slice(2));
  // An id stands for one person, also after somebody else has gone.
  const fresh = 1000 * (1 + nth) + Math.max(0, ...iam.users.map((user) => numberOf(user as Resource)));
  const remade = (fields: Parameters<typeof aUser>[1]) =>
    void (iam.users = edit(iam.users, place, (user) => changedAt(aUser(numberOf(user), fields), now())));
  if (kind === "key") {
    remade({ keys: [aKey(1000 + nth)] });
  } else if (kind === "other") {
    remade({ gecos: `Other ${nth}` });
  } else if (kind === "add") {
    iam.users.push(changedAt(aUser(fresh), now()));
  } else if (kind === "remove") {
    iam.users.splice(place, 1);
  } else if (kind === "swap") {
    iam.users.push(...iam.users.splice(place, 1));
  } else if (kind === "replace") {
    iam.users[place] = changedAt(aUser(fresh), now());
  } else {
    iam.groups = edit(iam.groups, nth % 2, () => changedAt(aGroup(1 + (nth % 2), [`u-${nth}`]), now()));
  }
}
