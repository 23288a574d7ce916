import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { Secret } from "../../src/model/secret.ts";
import { valueAt } from "../../src/source/attributes.ts";
import { draftsOf } from "../../src/source/drafts.ts";
import { pageUrl, parseQuery } from "../../src/source/query.ts";

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

  it("never throws, whatever the resource", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom("a", "a/b", "members/value", "length"),
        (value, path) => void valueAt(value, path),
      ),
    );
  });
});

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
