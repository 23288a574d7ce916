import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { GroupDraft, UserDraft } from "../../src/model/draft.ts";
import type { Holding } from "../../src/model/ledger.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import type { Rules } from "../../src/validate/rules.ts";
import { ED25519_BLOB, wireKeyFault } from "../../src/validate/wire-key.ts";
import { aGroupDraft, aUserDraft, BEFORE, LOCAL, RULES, someDrafts } from "../support/drafts.ts";
import { aKey } from "../support/records.ts";

interface Given {
  readonly users?: readonly UserDraft[];
  readonly groups?: readonly GroupDraft[];
  readonly rules?: Partial<Rules>;
  readonly holdings?: readonly Holding[];
  readonly holders?: {
    readonly homes?: Record<string, string>;
  };
}

function validate({ users = [], groups = [], rules = {}, holders = {}, holdings = [] }: Given) {
  const before = {
    ...BEFORE,
    ledger: { holdings, rebuiltAt: undefined },
    local: { ...LOCAL, homes: new Set([...LOCAL.homes, "/home/svc", "/home"]) },
    holders: {
      homes: new Map(Object.entries(holders.homes ?? {})),
    },
  };
  const { directory, problems } = validateDirectory(
    someDrafts(users, groups),
    { ...RULES, ...rules },
    before,
  );
  return {
    users: directory.users,
    groups: directory.groups,
    names: directory.users.map((user) => String(user.name)),
    codes: problems.map(({ code, field }) => `${field} ${code}`),
    problems,
  };
}

const HELD = { id: undefined, firstSeen: 0, lastSeen: undefined };
const LONG = "a".repeat(33);

/** One bad field of a user who is then not served, and the problem that says so. */
const REFUSED: readonly [what: string, fields: Partial<UserDraft>, problem: string][] = [
  ["no name", { name: undefined }, "name name-missing"],
  ["an empty name", { name: "" }, "name name-missing"],
  ["a name that is a number", { name: 7 }, "name name-invalid"],
  ["a name that is an object", { name: { value: "ada" } }, "name name-invalid"],
  ["an upper-case name", { name: "Ada" }, "name name-invalid"],
  ["a name that starts with a digit", { name: "1ada" }, "name name-invalid"],
  ["a name that starts with a dash", { name: "-ada" }, "name name-invalid"],
  ["a name with a line feed at its end", { name: "ada\n" }, "name name-invalid"],
  ["a name with a colon", { name: "ada:x" }, "name name-invalid"],
  ["a name with a slash", { name: "../ada" }, "name name-invalid"],
  ["a name with a letter that looks like another", { name: "аda" }, "name name-invalid"],
  ["a name that is too long", { name: LONG }, "name name-invalid"],
  ["a mail address without a configured domain", { name: "ada@example.org" }, "name name-invalid"],
  ["the name root", { name: "root" }, "name name-reserved"],
  ["a name of systemd", { name: "systemd-network" }, "name name-reserved"],
  ["a local name", { name: "localadmin" }, "name name-local"],
  ["no uid", { uid: undefined, gid: 10_001 }, "uid id-missing"],
  ["uid 0", { uid: 0, gid: 10_001 }, "uid id-out-of-range"],
  ['uid "0"', { uid: "0", gid: 10_001 }, "uid id-out-of-range"],
  ["uid -1", { uid: -1, gid: 10_001 }, "uid id-out-of-range"],
  ['uid "-1"', { uid: "-1", gid: 10_001 }, "uid id-invalid"],
  ["uid 4294967295", { uid: 4_294_967_295, gid: 10_001 }, "uid id-out-of-range"],
  ["uid 2147483648", { uid: 2_147_483_648, gid: 10_001 }, "uid id-out-of-range"],
  ["uid 65534", { uid: 65_534, gid: 10_001 }, "uid id-out-of-range"],
  ["uid 65535", { uid: 65_535, gid: 10_001 }, "uid id-out-of-range"],
  ["a local uid", { uid: 1000, gid: 10_001 }, "uid id-local"],
  ["a fractional uid", { uid: 10_001.5, gid: 10_001 }, "uid id-invalid"],
  ["a hexadecimal uid", { uid: "0x2711", gid: 10_001 }, "uid id-invalid"],
  ["a uid with leading zeros", { uid: "0010001", gid: 10_001 }, "uid id-invalid"],
  ["a uid with blanks", { uid: " 10001", gid: 10_001 }, "uid id-invalid"],
  ["a list of uids", { uid: [10_001], gid: 10_001 }, "uid id-invalid"],
  ["a gid of a local group", { gid: 27 }, "gid id-out-of-range"],
  ["a local gid inside the range", { gid: 1500 }, "gid id-local"],
  ["a gid that no served group has", { gid: 30_000 }, "gid primary-group-missing"],
  ["the name of a group of power", { name: "docker" }, "name name-reserved"],
  ["the name of a cloud image's account", { name: "ubuntu" }, "name name-reserved"],
  ["a name that chown would take for an owner and a group", { name: "root.root" }, "name name-reserved"],
  [
    "the home of a local account, with the template's taken too",
    { name: "svc", home: "/home/svc" },
    "home home-contested",
  ],
  [
    "a name that would make a private group of a local name",
    { name: "storage" },
    "gid primary-group-missing",
  ],
];

/** One bad field that is replaced, and what stands there instead. */
const MENDED: readonly [
  what: string,
  fields: Partial<UserDraft>,
  expected: { [field: string]: unknown },
  problem: string,
][] = [
  [
    "a line feed in the display name",
    { gecos: "A\nroot2:x:0:0::/:/bin/sh" },
    { gecos: "A root2 x 0 0 / /bin/sh" },
    "gecos gecos-cleaned",
  ],
  ["a display name that is an object", { gecos: { a: 1 } }, { gecos: "" }, "gecos gecos-cleaned"],
  ["marks that turn text around", { gecos: "\u202eadA" }, { gecos: "adA" }, "gecos gecos-cleaned"],
  [
    "a display name of 300 two-byte letters",
    { gecos: "é".repeat(300) },
    { gecos: "é".repeat(128) },
    "gecos gecos-cleaned",
  ],
  ["an empty component in the home", { home: "/home//ada" }, { home: "/home/user1" }, "home home-replaced"],
  ["a home that climbs", { home: "/home/../root" }, { home: "/home/user1" }, "home home-replaced"],
  ["a home that is relative", { home: "home/ada" }, { home: "/home/user1" }, "home home-replaced"],
  ["the root directory as a home", { home: "/" }, { home: "/home/user1" }, "home home-replaced"],
  ["the prefix itself as a home", { home: "/home" }, { home: "/home/user1" }, "home home-replaced"],
  ["a home outside the prefixes", { home: "/root" }, { home: "/home/user1" }, "home home-replaced"],
  ["a home beside the prefix", { home: "/homely/ada" }, { home: "/home/user1" }, "home home-replaced"],
  ["a home with a colon", { home: "/home/a:b" }, { home: "/home/user1" }, "home home-replaced"],
  [
    "the home of a local account",
    { home: "/home/localadmin" },
    { home: "/home/user1" },
    "home home-replaced",
  ],
  [
    "a home inside that of a local account",
    { home: "/home/localadmin/x" },
    { home: "/home/user1" },
    "home home-replaced",
  ],
  [
    "a home with a component that no file system takes",
    { home: `/home/${"a".repeat(256)}` },
    { home: "/home/user1" },
    "home home-replaced",
  ],
  ["a shell that is not installed", { shell: "/bin/evil" }, { shell: "/bin/bash" }, "shell shell-replaced"],
  ["a shell that is a number", { shell: 1 }, { shell: "/bin/bash" }, "shell shell-replaced"],
  ["active that is text", { active: "false" }, { active: false, keys: [] }, "active active-invalid"],
  [
    "active that is text saying true",
    { active: "true" },
    { active: false, keys: [] },
    "active active-invalid",
  ],
];

describe("one user record", () => {
  for (const [what, fields, problem] of REFUSED) {
    it(`is refused for ${what}, and costs nobody else`, () => {
      const result = validate({ users: [aUserDraft(1, fields), aUserDraft(2)] });

      assert.deepEqual(result.names, ["user2"]);
      assert.deepEqual(result.codes, [problem]);
    });
  }

  for (const [what, fields, expected, problem] of MENDED) {
    it(`is served without ${what}`, () => {
      const result = validate({ users: [aUserDraft(1, fields)] });

      const [user] = result.users;
      assert.partialDeepStrictEqual(user, expected);
      assert.deepEqual(result.codes, [problem]);
    });
  }

  it("takes decimal strings for ids, as some servers send them", () => {
    const { users, codes } = validate({ users: [aUserDraft(1, { uid: "7001", gid: "7001" })] });

    assert.deepEqual([users[0]?.uid, users[0]?.gid, codes], [7001, 7001, []]);
  });

  it("keeps a shell that lets nobody in, listed or not", () => {
    const { users } = validate({ users: [aUserDraft(1, { shell: "/usr/sbin/nologin" })] });

    assert.equal(users[0]?.shell, "/usr/sbin/nologin");
  });

  it("loses its keys, its shell and its memberships when inactive, but not its name", () => {
    const { users, groups } = validate({
      users: [aUserDraft(1, { active: false, shell: "/bin/zsh" })],
      groups: [aGroupDraft(1, ["u-1"])],
    });

    assert.partialDeepStrictEqual(users[0], {
      name: "user1",
      keys: [],
      shell: "/usr/sbin/nologin",
      active: false,
    });
    assert.deepEqual(groups.find((group) => group.name === "group1")?.members, []);
  });

  it("loses a mail domain that the admin named, and no other", () => {
    const rules = { names: { ...RULES.names, localPart: ["example.org"] } };

    const { names } = validate({
      users: [aUserDraft(1, { name: "ada@Example.ORG" }), aUserDraft(2, { name: "bob@evil.org" })],
      rules,
    });

    assert.deepEqual(names, ["ada"]);
  });
});

describe("several records", () => {
  it("that claim one name are all refused", () => {
    const { names, codes } = validate({
      users: [aUserDraft(1, { name: "ada" }), aUserDraft(2, { name: "ada" }), aUserDraft(3)],
    });

    assert.deepEqual(names, ["user3"]);
    assert.deepEqual(codes, ["name name-contested", "name name-contested"]);
  });

  it("that claim one uid are all refused", () => {
    const { names, codes } = validate({
      users: [aUserDraft(1, { uid: 7000, gid: 7000 }), aUserDraft(2, { uid: "7000", gid: 7000 })],
    });

    assert.deepEqual(names, []);
    assert.deepEqual(codes, ["uid id-contested", "uid id-contested"]);
  });

  it("that are refused for something else contest nothing", () => {
    const { names } = validate({ users: [aUserDraft(1), aUserDraft(2, { name: "user1", uid: 0 })] });

    assert.deepEqual(names, ["user1"]);
  });

  it("never share a home, and none lies inside another", () => {
    const { users } = validate({
      users: [
        aUserDraft(1, { home: "/home/user2" }),
        aUserDraft(2),
        aUserDraft(3, { home: "/home/user2/inside" }),
        aUserDraft(4, { home: "/home/shared" }),
        aUserDraft(5, { home: "/home/shared" }),
        aUserDraft(6, { home: "/home/team" }),
        aUserDraft(7, { home: "/home/team/seven" }),
        aUserDraft(8, { home: "/home/own/eight" }),
      ],
    });

    assert.deepEqual(
      users.map((user) => user.home),
      [
        "/home/user1",
        "/home/user2",
        "/home/user3",
        "/home/user4",
        "/home/user5",
        "/home/team",
        "/home/user7",
        "/home/own/eight",
      ],
    );
  });

  it("never move somebody who has a home on this node, whatever they claim or are called", () => {
    const residents = [
      aUserDraft(1, { name: "alice", home: "/home/a/alice" }),
      aUserDraft(2, { name: "bob", home: "/home/bob" }),
    ];
    const holders = { homes: { alice: "/home/a/alice", bob: "/home/bob" } };
    const intruders = [
      aUserDraft(3, { name: "a" }),
      aUserDraft(4, { name: "above", home: "/home/a" }),
      aUserDraft(5, { name: "same", home: "/home/a/alice" }),
      aUserDraft(6, { name: "inside", home: "/home/bob/x" }),
    ];

    const { users, codes } = validate({ users: [...intruders, ...residents], holders });

    assert.deepEqual(
      users.map((user) => `${user.name} ${user.home}`),
      ["above /home/above", "alice /home/a/alice", "bob /home/bob", "inside /home/inside", "same /home/same"],
    );
    assert.deepEqual(codes.toSorted(), [
      "home home-contested",
      "home home-replaced",
      "home home-replaced",
      "home home-replaced",
    ]);
  });
});

describe("groups", () => {
  it("never take a local or privileged name or gid", () => {
    const { groups, codes } = validate({
      groups: [
        aGroupDraft(1, [], { name: "sudo" }),
        aGroupDraft(2, [], { name: "storage" }),
        aGroupDraft(3, [], { gid: 1500 }),
        aGroupDraft(4, [], { name: "wheel" }),
        aGroupDraft(5, [], { name: "admin" }),
        aGroupDraft(6, [], { gid: 27 }),
      ],
    });

    assert.deepEqual(groups, []);
    assert.deepEqual(codes, [
      "name name-reserved",
      "name name-local",
      "gid id-local",
      "name name-reserved",
      "name name-reserved",
      "gid id-out-of-range",
    ]);
  });

  it("are renamed to something POSIX where the admin wants that, and collisions are refused", () => {
    const rules = { names: { ...RULES.names, normaliseGroups: true } };

    const { groups, codes } = validate({
      groups: [
        aGroupDraft(1, [], { name: " ML Team! " }),
        aGroupDraft(2, [], { name: "a b" }),
        aGroupDraft(3, [], { name: "A--B" }),
        aGroupDraft(4, [], { name: "a-b" }),
      ],
      rules,
    });

    assert.deepEqual(
      groups.map((group) => String(group.name)),
      ["a--b", "ml-team"],
    );
    assert.deepEqual(codes, ["name name-contested", "name name-contested"]);
  });

  it("have the members of the groups inside them, and a circle ends", () => {
    const users = [1, 2, 3, 4].map((nth) => aUserDraft(nth));
    const groups = [
      aGroupDraft(1, ["u-1", "g-2"]),
      aGroupDraft(2, ["u-2", "g-3"]),
      aGroupDraft(3, ["u-3", "g-2"]),
      aGroupDraft(4, ["g-4", "u-4"]),
    ];

    const result = validate({ users, groups });

    const members = Object.fromEntries(
      result.groups.filter((group) => group.members.length > 0).map((group) => [group.name, group.members]),
    );
    assert.deepEqual(members, {
      group1: ["user1", "user2", "user3"],
      group2: ["user2", "user3"],
      group3: ["user2", "user3"],
      group4: ["user4"],
    });
    assert.deepEqual(
      result.problems.map(({ subject, code }) => `${subject.id} ${code}`),
      ["g-2 group-cycle", "g-3 group-cycle", "g-4 group-cycle"],
    );
  });

  it("hold who either side says, by id and never by display name", () => {
    const users = [aUserDraft(1, { groups: ["g-1"] }), aUserDraft(2), aUserDraft(3, { groups: ["group1"] })];
    const groups = [aGroupDraft(1, ["u-2", "user3", "u-9"])];

    const { groups: served, codes } = validate({ users, groups });

    assert.deepEqual(served.find((group) => group.name === "group1")?.members, ["user1", "user2"]);
    assert.deepEqual(codes, ["members member-unknown"]);
  });

  it("tell users from groups by the kind the server gives, where both have the same id", () => {
    const users = [aUserDraft(1, { id: "7" }), aUserDraft(2)];
    const groups = [
      aGroupDraft(1, ["u-2"], { id: "7" }),
      aGroupDraft(2, [], { members: [{ id: "7", kind: "group" }] }),
      aGroupDraft(3, [], { members: [{ id: "7", kind: "user" }] }),
    ];

    const { groups: served } = validate({ users, groups });

    const members = served.map((group) => `${group.name}: ${group.members.join(",")}`);
    assert.deepEqual(members.slice(0, 3), ["group1: user2", "group2: user2", "group3: user1"]);
  });

  it("are made for a user whose gid is the uid, and for nobody else who wants in", () => {
    const users = [aUserDraft(1), aUserDraft(2, { gid: 10_001 })];

    const { names, groups, codes } = validate({ users });

    assert.deepEqual(names, ["user1"]);
    assert.deepEqual(groups, [{ id: undefined, name: "user1", gid: 10_001, members: [] }]);
    assert.deepEqual(codes, ["gid primary-group-missing"]);
  });

  it("of any depth are expanded for fifty levels, in bounded time, and the rest is reported", () => {
    const users = [aUserDraft(1)];
    const chain = Array.from({ length: 1000 }, (_, nth) =>
      aGroupDraft(nth, nth === 999 ? ["u-1"] : [`g-${nth + 1}`]),
    );

    const { groups, codes } = validate({ users, groups: chain });

    assert.equal(groups.filter((group) => group.members.length === 1).length, 51);
    assert.equal(codes.filter((code) => code === "members group-too-deep").length, 1000 - 51);
  });

  it("never take the gid of a private group that this node has, whoever is in them", () => {
    const users = [aUserDraft(1), aUserDraft(2)];
    const evil = aGroupDraft(1, ["u-2"], { name: "evil", gid: 10_001 });

    const { groups, names, codes } = validate({
      users,
      groups: [evil],
      holdings: [{ ...HELD, kind: "private", name: "user1", number: 10_001 }],
    });

    assert.deepEqual(
      groups.map((group) => `${group.name} ${group.gid}`),
      ["user1 10001", "user2 10002"],
    );
    assert.deepEqual([names, codes], [["user1", "user2"], ["gid id-remembered"]]);
  });

  it("called like a user lose their name, not the user the login; unless the node has that group", () => {
    const users = [aUserDraft(1)];
    const groups = [aGroupDraft(1, [], { name: "user1" })];

    const newcomer = validate({ users, groups });
    const incumbent = validate({
      users,
      groups,
      holdings: [{ ...HELD, kind: "group", name: "user1", number: 50_001 }],
    });

    assert.deepEqual([newcomer.names, newcomer.codes], [["user1"], ["name name-contested"]]);
    assert.deepEqual([incumbent.names, incumbent.codes], [[], ["gid primary-group-missing"]]);
  });

  it("served with a user's gid are that user's primary group, also under the user's name", () => {
    const { groups, codes } = validate({
      users: [aUserDraft(1)],
      groups: [aGroupDraft(1, [], { name: "user1", gid: 10_001 })],
      holdings: [{ ...HELD, kind: "group", name: "user1", number: 10_001 }],
    });

    assert.deepEqual([groups.length, codes], [1, []]);
  });
});

describe("SSH keys", () => {
  const keysOf = (keys: unknown, rules: Partial<Rules["keys"]> = {}) => {
    const { users, codes } = validate({
      users: [aUserDraft(1, { keys })],
      rules: { keys: { ...RULES.keys, ...rules } },
    });
    return { keys: users[0]?.keys, codes };
  };

  it("come as text, as lines, as a list, or as a list of values", () => {
    const expected = [aKey(1, "a"), aKey(2, "b")];

    for (const raw of [
      expected.join("\n"),
      expected.join("\r\n"),
      expected,
      expected.map((value) => ({ value })),
      [expected.join("\n\n# note\n")],
    ]) {
      assert.deepEqual(keysOf(raw), { keys: expected, codes: [] });
    }
  });

  it("may be absent in every way a server says so", () => {
    for (const raw of [undefined, null, "", [], [""], "\n"]) {
      assert.deepEqual(keysOf(raw), { keys: [], codes: [] });
    }
  });

  it("of another shape cost the keys and not the user", () => {
    assert.deepEqual(keysOf({ key: aKey(1) }), { keys: [], codes: ["keys keys-unreadable"] });
    assert.deepEqual(keysOf([7, { a: 1 }, aKey(1)]), {
      keys: [aKey(1)],
      codes: ["keys key-invalid", "keys key-invalid"],
    });
  });

  it("that follow another on a new line are judged by themselves", () => {
    const smuggled = `${aKey(1)}\ncommand="/bin/sh" ${aKey(2)}`;

    assert.deepEqual(keysOf([smuggled]), { keys: [aKey(1)], codes: ["keys key-options-refused"] });
  });

  it("keep only options that are allowed by name", () => {
    const rules = { allowedOptions: ["restrict", "from"] };
    const good = `restrict,from="10.0.0.0/8,a b" ${aKey(1)}`;

    assert.deepEqual(keysOf([good], rules), { keys: [good], codes: [] });
    for (const options of [
      'restrict,command="x"',
      'from="a\\"b",pty',
      'from="unclosed',
      "restrict;pty",
      `from="*,\\\\",from=" ${aKey(2)} x"`,
      'from="\u00e9"',
      'from="a\ud800"',
    ]) {
      assert.deepEqual(keysOf([`${options} ${aKey(1)}`], rules).keys, []);
    }
  });

  it("of many blanks are read in time that grows with their length, not with its square", () => {
    const start = performance.now();

    keysOf(Array.from({ length: 500 }, () => `x${" ".repeat(8000)}x`));

    assert.ok(performance.now() - start < 2000);
  });

  it("that are listed twice are written once", () => {
    assert.deepEqual(keysOf([aKey(1, "a"), aKey(1, "b")]), {
      keys: [aKey(1, "a")],
      codes: ["keys key-duplicate"],
    });
  });

  it("beyond the limit are left out", () => {
    const { keys, codes } = keysOf([aKey(1), aKey(2), aKey(3)], { maxPerUser: 2 });

    assert.deepEqual([keys, codes], [[aKey(1), aKey(2)], ["keys keys-too-many"]]);
  });

  it("have comments on one line", () => {
    assert.deepEqual(keysOf([aKey(1, "a\u2028b\u202ec")]).keys, [aKey(1, "a b c")]);
  });

  const ed25519 = aKey(1).split(" ")[1] ?? "";
  const certificate = Buffer.from("\0\0\0\x20ssh-ed25519-cert-v01@openssh.com").toString("base64");
  const broken: readonly [what: string, line: string, code: string][] = [
    ["without base64", "ssh-ed25519", "key-invalid"],
    [
      "with a character that a lenient decoder would skip",
      `ssh-ed25519 ${ed25519.slice(0, 20)}*${ed25519.slice(20)}`,
      "key-invalid",
    ],
    ["with broken base64", "ssh-ed25519 AAAA!", "key-invalid"],
    ["with base64 that a lenient decoder would repair", `ssh-ed25519 ${ed25519.slice(0, -1)}`, "key-invalid"],
    [
      "with bytes left over",
      `ssh-ed25519 ${Buffer.concat([Buffer.from(ed25519, "base64"), Buffer.from([0])]).toString("base64")}`,
      "key-invalid",
    ],
    [
      "cut short",
      `ssh-ed25519 ${Buffer.from(ed25519, "base64").subarray(0, -1).toString("base64")}`,
      "key-invalid",
    ],
    ["of another type than it says", `ssh-rsa ${ed25519}`, "key-invalid"],
    ["of type dss", "ssh-dss AAAAB3NzaC1kc3MAAACBAO", "key-type-refused"],
    ["that is a certificate", `ssh-ed25519-cert-v01@openssh.com ${certificate}`, "key-type-refused"],
    ["with a type out of the prototype", "ssh-constructor AAAA", "key-type-refused"],
    ["with a NUL", `${aKey(1)} a\0b`, "key-invalid"],
    ["that is a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", "key-invalid"],
    ["of ten thousand characters", `ssh-ed25519 ${"A".repeat(10_000)}`, "key-invalid"],
  ];
  for (const [what, line, code] of broken) {
    it(`${what} are refused`, () => {
      assert.deepEqual(keysOf([line, aKey(9)]), { keys: [aKey(9)], codes: [`keys ${code}`] });
    });
  }

  it("of ed25519 have one shape: whatever has it decodes, and whatever decodes has it", () => {
    const shape = new RegExp(`^${ED25519_BLOB}$`);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ ";
    const one = fc.nat(letters.length - 1).map((index) => letters[index] ?? "");
    const sound = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => {
      const head = Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20", "latin1");
      return Buffer.concat([head, key]).toString("base64");
    });
    const changed = fc
      .tuple(sound, fc.nat(68), fc.nat(2), fc.array(one, { maxLength: 2 }))
      .map(([blob, at, cut, put]) => blob.slice(0, at) + put.join("") + blob.slice(at + cut));
    fc.assert(
      fc.property(sound, changed, (blob, other) => {
        assert.match(blob, shape);
        assert.equal(wireKeyFault("ssh-ed25519", blob, 2048), undefined);
        assert.equal(shape.test(other), wireKeyFault("ssh-ed25519", other, 2048) === undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it("are the text that came when nothing had to change, and in the list that came", () => {
    const keys = [aKey(1), aKey(2)];
    const { directory } = validateDirectory(someDrafts([aUserDraft(1, { keys })]), RULES, BEFORE);
    assert.equal(directory.users[0]?.keys, keys);
  });
});

describe("Many records", () => {
  it("that all claim one uid, or one home, or are all in one group, are read in time that grows with their number", () => {
    const count = 30_000;
    const users = Array.from({ length: count }, (_, nth) => aUserDraft(nth + 1, { uid: 20_000 }));
    assert.equal(validate({ users }).problems.length, count);
    const homes = users.map(({ id }, nth) => aUserDraft(nth + 1, { id, home: "/home/shared" }));
    const all = validate({
      users: homes,
      groups: [
        aGroupDraft(
          1,
          users.map(({ id }) => id),
          { gid: 5000 },
        ),
      ],
    });
    assert.equal(all.users.length, count);
    assert.equal(all.groups.find(({ name }) => String(name) === "group1")?.members.length, count);
  });
});
