import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { type Drafts, draftsAmong } from "../../src/model/draft.ts";
import { Secret } from "../../src/model/secret.ts";
import { attributeReader } from "../../src/source/attributes.ts";
import { parseDrafts, renderDrafts } from "../../src/source/draft-lines.ts";
import {
  type Patches,
  patchLines,
  pickDrafts,
  type Wanted,
  withPatches,
} from "../../src/source/draft-parts.ts";
import { groupReader, userReader } from "../../src/source/drafts.ts";
import { pulledFrom } from "../../src/source/pulled.ts";
import { pageUrl, parseQuery } from "../../src/source/query.ts";
import { createRecords } from "../../src/source/records.ts";
import type { AttributePaths } from "../../src/source/settings.ts";

const valueAt = (resource: unknown, path: string) => attributeReader(path)(resource);

/** The same, one name after the other and without any care for speed. */
function valueAtSlowly(resource: unknown, path: string): unknown {
  const step = (value: unknown, name: string): unknown => {
    if (Array.isArray(value)) {
      return value.map((entry) => step(entry, name)).filter((entry) => entry !== undefined);
    }
    const record = typeof value === "object" && value !== null ? value : {};
    const entries = new Map(Object.entries(record));
    const inAnyCase = [...entries].find(([key]) => key.toLowerCase() === name.toLowerCase());
    return entries.has(name) ? entries.get(name) : inAnyCase?.[1];
  };
  return path.split("/").reduce(step, resource);
}

/** What comes of two lists, each in one page. */
function draftsOf(
  { users, groups }: Record<"users" | "groups", readonly unknown[]>,
  paths: AttributePaths,
): Drafts {
  const ofUsers = createRecords(userReader(paths.user));
  const ofGroups = createRecords(groupReader(paths.group));
  users.forEach((resource, index) => ofUsers.add(resource, { index, place: index }));
  groups.forEach((resource, index) => ofGroups.add(resource, { index, place: index }));
  const lists = { users: ofUsers.finish("user"), groups: ofGroups.finish("group") };
  const pulled = pulledFrom(lists, { requests: 0, bytes: 0, statuses: {}, mayShift: false });
  assert.ok("drafts" in pulled.lists);
  return pulled.lists.drafts;
}

describe("an attribute path", () => {
  const user = {
    userName: "ada",
    name: { formatted: "Ada L" },
    "urn:x:2.0:User": { uid: 7 },
    emails: [{ value: "a@x" }, { value: "b@x" }, 3],
  };

  it("leads through objects, extensions and lists", () => {
    assert.equal(valueAt(user, "name/formatted"), "Ada L");
    assert.equal(valueAt(user, "urn:x:2.0:User/uid"), 7);
    assert.deepEqual(valueAt(user, "emails/value"), ["a@x", "b@x"]);
  });

  it("does not care about the case of names, as RFC 7643 says", () => {
    assert.equal(valueAt(user, "USERNAME"), "ada");
  });

  it("never finds what every JavaScript object has", () => {
    for (const path of ["constructor", "__proto__", "toString", "name/constructor/name"]) {
      assert.equal(valueAt(user, path), undefined, path);
    }
  });

  it("leads to the same in every resource, however it is read, and never throws", () => {
    const name = fc.constantFrom("a", "A", "b", "aB", "ab", "", "length", "__proto__", "constructor");
    const resource = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(name, tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(resource, fc.array(name, { minLength: 1, maxLength: 4 }), (value, names) => {
        const path = names.join("/");

        assert.deepEqual(valueAt(value, path), valueAtSlowly(value, path));
      }),
      { numRuns: 500 },
    );
  });
});

const ANY: AttributePaths = {
  user: { name: "n", uid: "u", gid: "u", gecos: "n", home: undefined, shell: undefined, keys: "k" },
  group: { name: "n", gid: "g" },
};

describe("drafts", () => {
  it("are made of anything without throwing, one or one problem for each resource", () => {
    const paths = {
      user: {
        name: "userName",
        uid: "u/id",
        gid: "u/id",
        gecos: undefined,
        home: undefined,
        shell: undefined,
        keys: "k",
      },
      group: { name: "displayName", gid: "g" },
    };
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), (users, groups) => {
        const drafts = draftsOf({ users, groups }, paths);

        assert.equal(
          drafts.users.length + drafts.groups.length + drafts.problems.length,
          users.length + groups.length,
        );
      }),
    );
  });

  it("refuse a resource that is nested deeply enough to exhaust a stack, and it alone", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
    const paths = {
      user: { name: "n", uid: "u", gid: "u", gecos: "n", home: undefined, shell: undefined, keys: "k" },
      group: { name: "n", gid: "g" },
    };

    const { users, problems } = draftsOf(
      {
        users: [
          { id: "1", n: deep },
          { id: "2", n: "ada" },
        ],
        groups: [],
      },
      paths,
    );

    assert.deepEqual(
      [users.map(({ id }) => id), problems.map(({ code }) => code)],
      [["2"], ["record-unreadable"]],
    );
  });

  it("are in the order of the list, in whatever order its pages came, and problems say where", () => {
    const resource = fc.oneof(
      fc.nat(99).map((id) => ({ id: String(id) })),
      fc.constantFrom(null, "x", {}),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(resource, { minLength: 1, maxLength: 4 }), { maxLength: 6 }).chain((pages) => {
          const starts = pages.map((_, nth) => pages.slice(0, nth).flat().length);
          const placed = pages.map((page, nth) => ({ page, start: starts[nth] ?? 0 }));
          return fc.tuple(
            fc.constant(pages.flat()),
            fc.shuffledSubarray(placed, { minLength: placed.length }),
          );
        }),
        ([list, pages]) => {
          const records = createRecords(userReader(ANY.user));
          for (const { page, start } of pages) {
            page.forEach((one, nth) => records.add(one, { index: start + nth, place: start + nth }));
          }

          const { drafts, problems, size } = records.finish("user");

          const isKnown = (one: unknown) => JSON.stringify(one).includes("id");
          const ids = list.filter(isKnown).map((one) => (one as { id: string }).id);
          assert.deepEqual(new Set(drafts.map(({ id }) => id)), new Set(ids));
          assert.equal(drafts.length + problems.length, size);
          if (new Set(ids).size === ids.length) {
            assert.deepEqual(
              drafts.map(({ id }) => id),
              ids,
            );
            assert.deepEqual(
              problems.map(({ subject }) => subject.id),
              list.flatMap((one, index) => (isKnown(one) ? [] : [`#${index + 1}`])),
            );
          }
        },
      ),
    );
  });

  it("never hold what JSON has no way to write again", () => {
    const read = userReader({ ...ANY.user, gecos: "displayName" });

    const draft = read("u-1", JSON.parse(`{ "id": "u-1", "active": 1e999, "displayName": -1e999 }`));

    assert.ok("active" in draft);
    assert.deepEqual([draft.active, draft.gecos], ["Infinity", "-Infinity"]);
  });

  it("are refused from the thirty-third level of nesting on", () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : { k: [nested(levels - 1)] });

    const { users, problems } = draftsOf(
      {
        users: [
          // An id stands at level one; so does what is below n.
          { id: "1", n: { deep: nested(15) } },
          { id: "2", n: [{ deep: nested(15) }] },
        ],
        groups: [],
      },
      ANY,
    );

    assert.deepEqual([users.map(({ id }) => id), problems.map(({ subject }) => subject.id)], [["1"], ["#2"]]);
  });

  it("share what is the same: a member its user's id, and those without groups their list", () => {
    const id = "2819c223-7f76-453a-919d-413861904646";
    const copy = JSON.parse(JSON.stringify({ id, members: [{ value: id }] })) as { members: unknown };

    const { users, groups } = draftsOf(
      { users: [{ id }, { id: "2", groups: [] }, { id: "3" }], groups: [{ id: "g", members: copy.members }] },
      ANY,
    );

    assert.deepEqual(groups[0]?.members, [{ id, kind: undefined }]);
    assert.equal(users[1]?.groups, users[2]?.groups);
  });

  it("know members by value, and their kind by type or reference", () => {
    const members = [
      { value: "1", type: "User" },
      { value: "2", $ref: "https://x/Groups/2" },
      { value: "3" },
      { display: "no value" },
      null,
      { value: 4 },
    ];
    const paths = {
      user: {
        name: "",
        uid: "",
        gid: "",
        gecos: undefined,
        home: undefined,
        shell: undefined,
        keys: undefined,
      },
      group: { name: "n", gid: "g" },
    };

    const { groups } = draftsOf({ users: [], groups: [{ id: "g", members }] }, paths);

    assert.deepEqual(groups[0]?.members, [
      { id: "1", kind: "user" },
      { id: "2", kind: "group" },
      { id: "3", kind: undefined },
    ]);
  });
});

describe("remembered drafts", () => {
  const anyText = fc.string({ unit: "binary" });
  const userDraft = fc.record({
    id: anyText,
    name: fc.jsonValue(),
    uid: fc.jsonValue(),
    gid: fc.jsonValue(),
    gecos: fc.jsonValue(),
    home: fc.jsonValue(),
    shell: fc.jsonValue(),
    keys: fc.jsonValue(),
    active: fc.jsonValue(),
    groups: fc.array(anyText),
  });
  const kind = fc.constantFrom("user", "group", undefined);
  const member = fc.record({ id: anyText, kind });
  const groupDraft = fc.record({
    id: anyText,
    name: fc.jsonValue(),
    gid: fc.jsonValue(),
    members: fc.array(member),
  });
  const subject = fc.record({ kind: fc.constantFrom("user", "group"), id: anyText });
  const problem = fc.record({
    code: fc.constantFrom("record-unreadable", "name-missing"),
    subject,
    field: anyText,
    reason: anyText,
  });
  const draftsOfAnyKind = fc.record({
    users: fc.array(userDraft),
    groups: fc.array(groupDraft),
    problems: fc.array(problem),
  });
  const linesOf = (drafts: Drafts, settings = "s") =>
    Array.from(renderDrafts(settings, drafts).lines, (line) => Buffer.from(line));
  const streamOf = (lines: Iterable<Buffer>) => Readable.from(lines) as AsyncIterable<Buffer>;
  const read = (lines: Iterable<Buffer>, settings = "s") => parseDrafts(settings, streamOf(lines));
  const pick = (lines: Iterable<Buffer>, wanted: Wanted, settings = "s") =>
    pickDrafts(settings, streamOf(lines), wanted);

  it("are read as they were written", async () => {
    await fc.assert(
      fc.asyncProperty(draftsOfAnyKind, async (drafts) => {
        const kept = await read(linesOf(drafts));

        // As JSON, which has one zero.
        assert.deepEqual(JSON.stringify(kept?.drafts), JSON.stringify(drafts));
      }),
      { numRuns: 30 },
    );
  });

  it("are read as far as somebody asks for them, and are whole all the same", async () => {
    const idsOf = (records: readonly { readonly id: string }[]) => records.map(({ id }) => id);
    await fc.assert(
      fc.asyncProperty(draftsOfAnyKind, fc.array(anyText, { maxLength: 20 }), async (drafts, others) => {
        const ids = [...idsOf(drafts.users), ...idsOf(drafts.groups)].filter((_, nth) => nth % 3 === 0);
        const only = { users: new Set([...ids, ...others]), groups: new Set([...others, ...ids]) };

        const picked = await pick(linesOf(drafts), { ids: only });

        const { users, groups } = draftsAmong(drafts, only);
        assert.equal(JSON.stringify([...(picked?.users.values() ?? [])]), JSON.stringify(users));
        assert.equal(JSON.stringify([...(picked?.groups.values() ?? [])]), JSON.stringify(groups));
      }),
      { numRuns: 30 },
    );
  });

  it("are found by their places, and others stand there as if they had been written so", async () => {
    const all: Drafts = {
      users: many(1200),
      groups: many(700).map(({ id }) => ({ id, name: "n", gid: 1, members: [] })),
      problems: [],
    };
    const places = (least: number, most: number) => fc.uniqueArray(fc.integer({ min: least, max: most }));
    await fc.assert(
      fc.asyncProperty(places(0, 1199), places(0, 699), userDraft, async (ofUsers, ofGroups, other) => {
        const wanted = { users: new Set(ofUsers), groups: new Set(ofGroups) };
        const patches: Patches = {
          users: new Map(ofUsers.map((place) => [place, { ...other, groups: [`${place}`] }])),
          groups: new Map(ofGroups.map((place) => [place, { id: `${place}`, name: 1, gid: 2, members: [] }])),
        };

        const picked = await pick(linesOf(all), { places: wanted });
        const patched = patchLines("s", streamOf(linesOf(all)), patches);
        const lines = await Array.fromAsync(patched.lines, (line) => Buffer.from(line).toString());

        assert.deepEqual(new Set(picked?.users.keys()), wanted.users);
        assert.deepEqual(new Set(picked?.groups.keys()), wanted.groups);
        picked?.users.forEach(({ id }, place) => assert.equal(id, all.users[place]?.id));
        picked?.groups.forEach(({ id }, place) => assert.equal(id, all.groups[place]?.id));
        assert.deepEqual(picked?.counts, { users: 1200, groups: 700, problems: 0 });
        assert.deepEqual(lines, linesOf(withPatches(all, patches)).map(String));
        assert.equal(patched.digest(), (await read(lines.map((line) => Buffer.from(line))))?.digest);
      }),
      { numRuns: 20 },
    );
  });

  it("are not found, nor anything put in their place, in what is not whole or of other settings", async () => {
    const lines = linesOf({ users: many(1200), groups: [], problems: [] });
    const only = { users: new Set(["u7"]), groups: new Set<string>() };
    const places = { users: new Set([7]), groups: new Set<number>() };
    const patches = { users: new Map(many(8).map((user) => [7, user])), groups: new Map() };
    const patch = (some: Iterable<Buffer>, settings = "s") =>
      Array.fromAsync(patchLines(settings, streamOf(some), patches).lines);
    const changed = lines.map((line) => Buffer.from(line.toString().replace('"u777"', '"u778"')));
    assert.equal((await pick(lines, { ids: only }))?.users.size, 1);
    for (const wanted of [{ ids: only }, { places }]) {
      for (const one of [changed, lines.slice(0, -1), lines.toSpliced(1, 1), lines.slice(1), []]) {
        assert.equal(await pick(one, wanted), undefined);
      }
      assert.equal(await pick(lines, wanted, "other"), undefined);
    }
    for (const one of [lines.slice(0, -1), lines.slice(1), []]) {
      await assert.rejects(patch(one));
    }
    await assert.rejects(patch(lines, "other"), /other settings/);
  });

  it("are told from others by their digest, and it depends on every byte of them", async () => {
    const drafts: Drafts = { users: many(1200), groups: [], problems: [] };
    const rendered = renderDrafts("s", drafts);
    const lines = Array.from(rendered.lines, (line) => Buffer.from(line));

    const kept = await read(lines);
    const others = renderDrafts("s", { ...drafts, users: many(1199) });
    [...others.lines].forEach(() => undefined);

    assert.equal(lines.length, 1 + 3 + 1);
    assert.equal(kept?.digest, rendered.digest());
    assert.notEqual(others.digest(), rendered.digest());
  });

  it("are nothing when a line is missing, doubled, out of place, changed or of other settings", async () => {
    const lines = linesOf({ users: many(1200), groups: [], problems: [] });
    const without = (nth: number) => lines.filter((_, index) => index !== nth);
    const changed = lines.map((line) => Buffer.from(line.toString().replace('"u7"', '"u8"')));

    const broken = [
      ...lines.map((_, nth) => without(nth)),
      ...lines.map((_, nth) => lines.slice(0, nth)),
      [...lines.slice(0, 2), ...lines.slice(1)],
      [lines[0], lines[2], lines[1], ...lines.slice(3)].filter((line) => line !== undefined),
      changed,
      [],
    ];

    for (const one of broken) {
      assert.equal(await read(one), undefined);
    }
    assert.equal(await read(lines, "other"), undefined);
  });
});

/** Users that have an id each. */
function many(count: number): Drafts["users"] {
  return draftsOf({ users: Array.from({ length: count }, (_, nth) => ({ id: `u${nth}` })), groups: [] }, ANY)
    .users;
}

describe("a query", () => {
  it("is encoded exactly once, however the admin wrote it", () => {
    const encoded = "https://x/scim/Users?groups=slurm-users&filter=active%20eq%20true&count=5";

    for (const query of [
      "groups=slurm-users&filter=active eq true",
      "groups=slurm-users&filter=active%20eq%20true",
    ]) {
      assert.equal(pageUrl("https://x/scim/", { path: "/Users", query }, { count: "5" }), encoded);
    }
  });

  it("keeps an ampersand and an equals sign inside quotes", () => {
    assert.deepEqual(parseQuery('filter=displayName eq "R&D=1"&a=b'), [
      ["filter", 'displayName eq "R&D=1"'],
      ["a", "b"],
    ]);
  });

  it("keeps plus signs and stray percent signs", () => {
    assert.deepEqual(parseQuery('filter=x gt "2026-01-01T00:00:00+01:00"&p=100%'), [
      ["filter", 'x gt "2026-01-01T00:00:00+01:00"'],
      ["p", "100%"],
    ]);
  });

  it("never overrides the paging", () => {
    assert.equal(
      pageUrl("https://x", { path: "Users", query: "count=1&a=b" }, { count: "5" }),
      "https://x/Users?a=b&count=5",
    );
  });
});

describe("a secret", () => {
  it("is printed by nothing", () => {
    const secret = new Secret("hunter2");

    const printed = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(secret, { showHidden: true }),
    ];

    assert.ok(
      printed.every((text) => !text.includes("hunter2")),
      printed.join(),
    );
    assert.equal(secret.reveal(), "hunter2");
  });
});
