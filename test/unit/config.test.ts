import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig, renderMistake } from "../../src/config/load.ts";

const SOUND = `iam:
  url: https://iam.example.org/scim
attributes:
  user: { uid: urn:x:User/uid, gid: urn:x:User/gid }
  group: { gid: urn:x:Group/gid }
`;

function mistakesIn(text: string): string[] {
  const loaded = parseConfig(text);
  return loaded.ok ? [] : loaded.mistakes.map((mistake) => renderMistake("r.yaml", mistake));
}

describe("a configuration", () => {
  it("with only what is needed has every default, frozen", () => {
    const loaded = parseConfig(SOUND);

    assert.ok(loaded.ok);
    const { settings } = loaded;
    assert.partialDeepStrictEqual(settings, {
      iam: {
        url: "https://iam.example.org/scim",
        pageSize: 200,
        parallel: 4,
        timeoutMs: 30_000,
        paging: "auto",
      },
      homes: { path: "/home/%u", mode: 0o700, create: true },
      guard: { maxRemovalPercent: 20, minRemovals: 10 },
      attributes: { user: { name: "userName", uid: "urn:x:User/uid", gecos: "displayName" } },
    });
    assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.attributes.user));
  });

  it("takes attribute paths from the preset, and the admin's own before them", () => {
    const loaded = parseConfig(
      SOUND.replace("iam:\n", "iam:\n  preset: coreweave\n").replace("user: {", "user: { name: userName,"),
    );

    assert.ok(loaded.ok);
    const { name, keys } = loaded.settings.attributes.user;
    assert.equal(name, "userName");
    assert.equal(keys, "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser/sunkSshKeys");
  });

  it("says every mistake at once, with its line and the nearest valid name", () => {
    const text = `iam:
  url: http://iam.example.org/scim
  pagesize: 100
  paging: cursors
  timeout: 30
  tokenfile: /x
attributes:
  user: { uid: urn:x:User/uid }
  gruop: {}
ids: { min: 0, max: 2147483648 }
homes:
  path: /srv/%u
  mode: 0700
guards: {}
maxPerUser: 3
`;

    assert.deepEqual(mistakesIn(text), [
      "r.yaml:2: iam.url: must be https, or the token crosses the network in the clear (or set iam.allowHttp)",
      "r.yaml:3: iam.pagesize: unknown key; did you mean pageSize?",
      'r.yaml:4: iam.paging: must be one of auto, index, cursor, not "cursors"; did you mean cursor?',
      "r.yaml:5: iam.timeout: must be a number with a unit: 500ms, 30s, 10m, 1h, 90d, not 30",
      "r.yaml:6: iam.tokenfile: unknown key; did you mean tokenFile?",
      "r.yaml:9: attributes.gruop: unknown key; did you mean group?",
      "r.yaml:10: ids.min: must be at least 500, not 0",
      "r.yaml:10: ids.max: must be at most 2147483647, not 2147483648",
      "r.yaml:12: homes.path: must lie below one of homes.under",
      'r.yaml:13: homes.mode: must be an octal mode in quotes: "0700", not 700',
      "r.yaml:14: guards: unknown key; did you mean guard?",
      "r.yaml:15: maxPerUser: unknown key; did you mean keys.maxPerUser?",
      "r.yaml: attributes.user.gid: is missing: the attribute with the gid of the primary group",
      "r.yaml: attributes.group.gid: is missing: the attribute with the POSIX gid of a group",
    ]);
  });

  it("says of what is there under a mistyped name only that it is mistyped", () => {
    const text = SOUND.replace("url:", "urll:").replace("group: {", "gruop: {");

    assert.deepEqual(mistakesIn(text), [
      "r.yaml:2: iam.urll: unknown key; did you mean url?",
      "r.yaml:5: attributes.gruop: unknown key; did you mean group?",
    ]);
  });

  it("names each block that has a key of the name of one that is nowhere", () => {
    assert.deepEqual(mistakesIn(`${SOUND}path: /srv/%u\n`), [
      "r.yaml:6: path: unknown key; did you mean iam.users.path or iam.groups.path or homes.path?",
    ]);
  });

  it("says of what a default does not fit to that it does not, though it is there under a mistyped name", () => {
    assert.deepEqual(mistakesIn(`${SOUND}ids: { mins: 1000, max: 800 }\n`), [
      "r.yaml:6: ids.mins: unknown key; did you mean min?",
      "r.yaml: ids.min: must not be above ids.max",
    ]);
  });

  it("may speak http to loopback only", () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
      assert.deepEqual(mistakesIn(SOUND.replace("https://iam.example.org", `http://${host}:80`)), []);
    }
    for (const host of ["127.0.0.1.evil.org", "localhost.evil.org", "10.0.0.1", "iam"]) {
      assert.equal(mistakesIn(SOUND.replace("https://iam.example.org", `http://${host}`)).length, 1, host);
    }
  });

  it("never holds a secret in the address", () => {
    assert.match(
      mistakesIn(SOUND.replace("//iam", "//user:pass@iam")).join(),
      /iam.url: must have no user, password/,
    );
  });

  it("does not print what stands where a secret file should be named", () => {
    const [mistake = ""] = mistakesIn(SOUND.replace("iam:\n", "iam:\n  tokenFile: s3cr3t\n"));

    assert.match(mistake, /iam\.tokenFile: must be an absolute path/);
    assert.doesNotMatch(mistake, /s3cr3t/);
  });

  it("that is no YAML says where", () => {
    assert.match(mistakesIn("iam:\n  url: [\n").join("\n"), /^r\.yaml:\d: /);
  });

  it("that has a key twice names it with both lines, and whatever else is wrong", () => {
    const text = `${SOUND}homes:\n  create: false\n  mode: 0700\n  create: true\nids: { min: 2000 }\nids: { max: 1500 }\n`;

    assert.deepEqual(mistakesIn(text), [
      'r.yaml:8: homes.mode: must be an octal mode in quotes: "0700", not 700',
      "r.yaml:9: homes.create: is here twice, also in line 7: keep one",
      "r.yaml:11: ids: is here twice, also in line 10: keep one",
    ]);
    assert.deepEqual(mistakesIn(SOUND.replace("user: { uid", "user: { gid: x, uid")), [
      "r.yaml:4: attributes.user.gid: is here twice, also in line 4: keep one",
    ]);
  });

  it("whose rule lacks what it must have says in the same go what is wrong elsewhere", () => {
    assert.deepEqual(
      mistakesIn(
        `${SOUND.replace("https", "http")}sudo:\n  groups:\n    - { passwordless: true }\nids: { min: 9000, max: 8000 }\n`,
      ),
      [
        "r.yaml:2: iam.url: must be https, or the token crosses the network in the clear (or set iam.allowHttp)",
        "r.yaml:8: sudo.groups.0.group: is missing: text",
        "r.yaml:9: ids.min: must not be above ids.max",
      ],
    );
  });

  it("that is empty says what is missing", () => {
    assert.deepEqual(
      mistakesIn("").map((line) => line.split(":")[1]?.trim()),
      ["iam.url", "attributes.user.uid", "attributes.user.gid", "attributes.group.gid"],
    );
  });

  it("that is a list or a text is refused", () => {
    assert.equal(mistakesIn("- a\n").length >= 1, true);
    assert.equal(mistakesIn("hello\n").length >= 1, true);
  });

  it("refuses paths that climb or are relative", () => {
    for (const path of ["etc", "/etc/../root", "/etc/", "//etc", "/etc/./x", "~/x"]) {
      assert.equal(mistakesIn(`${SOUND}caches: { directory: "${path}" }\n`).length, 1, path);
    }
  });

  it("refuses a limit that would switch a rule off", () => {
    for (const line of [
      "ids: { min: 0 }",
      "keys: { minRsaBits: 512 }",
      "homes: { under: [] }",
      "guard: { maxRemovalPercent: 0 }",
      "names: { maxLength: 1000 }",
    ]) {
      assert.notEqual(mistakesIn(`${SOUND}${line}\n`).length, 0, line);
    }
  });

  it("says what is wrong between the rules of slurm", () => {
    const wrong: [rules: string, says: RegExp][] = [
      ["{ account: a, group: g, match: x }", /0: must have only one of group, match and everybody/],
      [
        '{ account: $2, match: "x-(.*)" }',
        /0\.account: has a \$ for which match has no brackets: it catches 1/,
      ],
      ["{ account: $1, group: g }", /0\.account: has a \$ for which match has no brackets/],
      ["{ account: root, everybody: true }", /0\.account: must not be root/],
      [
        "{ account: NLP, group: g }",
        /0\.account: must be a name in lower case, as Slurm keeps it, not "NLP"/,
      ],
      ['{ account: a, match: "x-(.*" }', /0\.match: must be a regular expression/],
      ["{ account: a, group: g, qos: [x], defaultQos: y }", /0\.defaultQos: must be one of qos/],
      ["{ account: a, parent: b }, { account: b, parent: a }", /1\.parent: leads back to the account itself/],
      [
        "{ account: a, group: g }, { account: a, group: h, fairshare: 3 }",
        /1: is not the first rule for this account/,
      ],
      [
        "{ account: a, group: g, maxJobs: 3 }",
        /0\.maxJobs: unknown key; the keys here are account, group, match/,
      ],
    ];
    for (const [rules, says] of wrong) {
      const mistakes = mistakesIn(`${SOUND}slurm: { enabled: true, accounts: [${rules}] }\n`);
      assert.ok(
        mistakes.some((mistake) => says.test(mistake)),
        `${rules}: ${mistakes.join("; ")}`,
      );
    }
    assert.match(mistakesIn(`${SOUND}slurm: { enabled: true }\n`).join(), /slurm\.accounts: is empty/);
    assert.deepEqual(mistakesIn(`${SOUND}sudo:\n  groups:\n    - { passwordless: true }\n`), [
      "r.yaml:8: sudo.groups.0.group: is missing: text",
    ]);
    assert.match(
      mistakesIn(`${SOUND}slurm: { accounts: [{ account: a, group: g }], adopt: [b] }\n`).join(),
      /slurm\.adopt: has "b", which no rule/,
    );
    assert.deepEqual(
      mistakesIn(`${SOUND}slurm: { accounts: [{ account: $1, match: "x-(.*)|y-(.*)" }] }\n`),
      [],
    );
  });
});
