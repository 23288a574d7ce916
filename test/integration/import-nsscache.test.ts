/**
 * Leaving nsscache with the real program: each fixture becomes a sound configuration or is refused, a sync under it makes
 * the same maps, and what differs is named.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { checkConfig } from "../../src/config/load.ts";
import { importNsscache } from "../../src/daemon/import-nsscache.ts";
import { readIni } from "../../src/migrate/ini.ts";
import { Failure } from "../../src/model/failure.ts";
import { type FakeIam, type Resource, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, type Ran, runRollcall } from "../support/node-root.ts";
import { aKey, POSIX } from "../support/records.ts";

const FIXTURES = new URL("../fixtures/nsscache/", import.meta.url).pathname;
const COREWEAVE = "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser";
const EXAMPLE = "urn:example:User";

interface Person {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly keys?: unknown;
  readonly shell?: string;
  readonly active?: boolean;
}

/** A user with the attributes of every fixture that is synced. */
function aPerson({ name, uid, gid, gecos, keys = [], shell, active = true }: Person): Resource {
  const ids = { uidNumber: uid, gidNumber: gid, homeDirectory: `/home/${name}`, loginShell: shell };
  return {
    id: `id-${name}`,
    userName: name,
    name: { formatted: gecos },
    active,
    [POSIX]: { ...ids, sshKeys: keys },
    [EXAMPLE]: ids,
    [COREWEAVE]: { posixUsername: name, sunkSshKeys: keys },
  };
}

function aTeam(name: string, gid: number, members: readonly string[]): Resource {
  return {
    id: `g-${name}`,
    displayName: name,
    [POSIX]: { gidNumber: gid },
    "urn:example:Group": { gidNumber: gid },
    members: members.map((member) => ({ value: member, display: member.replace("id-", "") })),
  };
}

const ADA = aPerson({
  name: "ada",
  uid: 7001,
  gid: 9001,
  gecos: "Ada Lovelace",
  keys: [aKey(1, "ada@laptop"), aKey(2, "ada's desk")],
});
const BOB = aPerson({
  name: "bob",
  uid: 7002,
  gid: 9001,
  gecos: "Bob O'Brien",
  keys: aKey(3, "bob@laptop"),
});
const CAROL = aPerson({ name: "carol", uid: 7003, gid: 9002, gecos: "Carol Čapková", shell: "/usr/bin/zsh" });
const OPS = aTeam("ops", 9002, ["id-carol"]);
const BENIGN = [
  [ADA, BOB, CAROL],
  [aTeam("research", 9001, ["id-ada", "id-bob"]), OPS],
] as const;

/** One of each that nsscache takes as it is. */
const DEVIATING = [
  [
    ADA,
    BOB,
    CAROL,
    aPerson({ name: "dave", uid: 7004, gid: 9001, gecos: "Dave", keys: [aKey(4, "dave")], active: false }),
    aPerson({ name: "eve", uid: 0, gid: 9001, gecos: "Eve", keys: [aKey(5, "eve")] }),
    aPerson({
      name: "frank",
      uid: 7006,
      gid: 7006,
      gecos: "Frank",
      keys: [`${aKey(6, "frank")}\nssh-dss AAAAB3NzaC1kc3M= old`],
    }),
    aPerson({
      name: "grace",
      uid: 7007,
      gid: 9001,
      gecos: "Grace Hopper",
      keys: [`command="/bin/true" ${aKey(4, "grace")}`],
      shell: "/bin/tcsh",
    }),
    aPerson({ name: "heidi", uid: 7008, gid: 9001, gecos: "Heidi: Who" }),
  ],
  [
    aTeam("research", 9001, ["id-ada", "id-bob", "id-dave", "id-grace", "id-heidi"]),
    OPS,
    {
      ...aTeam("all", 9003, ["id-carol"]),
      members: [{ value: "id-carol" }, { value: "g-research", type: "Group" }],
    },
    aTeam("sudo", 27, ["id-ada"]),
  ],
] as const;

/** A node with a fixture for this IAM, imported to its usual place. */
async function importInto(node: NodeRoot, fixture: string, iam: FakeIam): Promise<Ran> {
  const text = readFileSync(join(FIXTURES, fixture), "utf8").replace(
    /https:\/\/iam\.example\.org\/scim\/(?:v2|acme)/,
    iam.url,
  );
  node.write("/etc/nsscache.conf", text, 0o600);
  return runRollcall(["import-nsscache", join(node.path, "etc/nsscache.conf"), "--output", configOf(node)]);
}

function configOf({ path }: NodeRoot): string {
  return join(path, "etc/rollcall/rollcall.yaml");
}

/** As the daemon would run with the variable of nsscache. */
function withToken(node: NodeRoot, ...args: string[]): Promise<Ran> {
  return runRollcall(["--root", node.path, ...args], { NSSCACHE_SCIM_AUTH_TOKEN: TOKEN });
}

function startIam([users, groups]: readonly [readonly Resource[], readonly Resource[]]): Promise<FakeIam> {
  return startFakeIam([...users], [...groups]);
}

/** Records in any order, members too. */
function entriesOf(text: string | undefined, map: string): string[] {
  const lines = (text ?? "").split("\n").filter((line) => line !== "");
  const sorted = lines.map((line) => {
    const [name, password, gid, members = ""] = line.split(":");
    return map === "group" ? [name, password, gid, members.split(",").sort().join(",")].join(":") : line;
  });
  return sorted.sort();
}

describe("import-nsscache", () => {
  const sound: readonly [fixture: string, has: RegExp][] = [
    ["minimal.conf", /There was no scim_path_uid;[^]* uid: id$/m],
    ["coreweave.conf", /path: \/mnt\/home\/%u\n {2}under: \[\/mnt\/home\]$/m],
    ["per-map.conf", /This section has another value; the one of \[passwd\][^]* timeout: 90s$/m],
    [
      "cursor.conf",
      /query: groups=slurm-users&filter=active eq true\n[^]* paging: cursor\n {2}pageSize: 500$/m,
    ],
    ["helm-text.yaml", /scim_proxy, line 16: Not known/],
    ["helm-mapping.yaml", /timeout: 45s\n[^]*scim_shadow_default_max, line 25: Not written, it was "99999"/],
    ["environment.conf", /\$NSSCACHE_SCIM_AUTH_TOKEN[^]* default: \/bin\/zsh$/m],
    ["token.conf", /tokenFile: \/etc\/rollcall\/token\n[^]*path: \/shared\/home\/%u$/m],
    ["insecure.conf", /allowHttp: true\n[^]*scim_verify_ssl, line 8: The certificate[^]*iam\.caFile/],
    ["odd.conf", /url: https:\/\/iam\.example\.org\/scim\/v2\n[^]*query: groups=a b$/m],
  ];
  for (const [fixture, has] of sound) {
    it(`makes a configuration without mistakes, and without a secret, of ${fixture}`, async () => {
      using node = makeNodeRoot();
      const imported = await importNsscache(join(FIXTURES, fixture));
      node.write("/etc/rollcall/rollcall.yaml", imported.yaml);

      assert.match(imported.yaml, has);
      assert.deepEqual(await checkConfig(configOf(node)), { ok: true, settings: imported.settings });
      assert.doesNotMatch(JSON.stringify(imported), /s3cr3t|test-token/);
    });
  }

  const refused: readonly [fixture: string, says: RegExp][] = [
    ["ldap.conf", /\[DEFAULT\] source, line 2: the source is "ldap"/],
    ["helm-ldap.yaml", /\[DEFAULT\] source, line 4: the source is "ldap"/],
    [
      "mixed.conf",
      /\[group\] source, line 9: the source is "http".*\[sshkey\] source, line 13: the source is "s3"/s,
    ],
    [
      "two-services.conf",
      /line 6 and \[group\] scim_base_url, line 10 differ.*scim_auth_token, line 11 differ/s,
    ],
  ];
  for (const [fixture, says] of refused) {
    it(`refuses ${fixture}, with what was found where`, async () => {
      const failure = await importNsscache(join(FIXTURES, fixture)).catch((error: unknown) => error);

      assert.ok(failure instanceof Failure);
      assert.equal(failure.code, "import-refused");
      assert.match(failure.message, says);
      assert.doesNotMatch(failure.message, /s3cr3t/);
    });
  }

  it("fails with the code of its failure, and writes nothing then", async () => {
    using node = makeNodeRoot();
    const ldap = await runRollcall([
      "import-nsscache",
      join(FIXTURES, "ldap.conf"),
      "--output",
      configOf(node),
    ]);

    assert.equal(ldap.code, 1);
    assert.match(ldap.err, /\[import-refused\]/);
    assert.ok(!existsSync(configOf(node)));
  });

  it("names every line of a file that is neither", async () => {
    using node = makeNodeRoot();
    node.write("/x.conf", "[DEFAULT]\nsource = scim\nnonsense\nscim_base_url = %x\n");
    node.write("/x.yaml", "nsscache: { enabled: true }\n");
    const messages: string[] = [];
    for (const name of ["x.conf", "x.yaml", "absent"]) {
      const failure = await importNsscache(join(node.path, name)).catch((error: unknown) => error);
      assert.ok(failure instanceof Failure && failure.code === "import-unreadable");
      messages.push(failure.message);
    }
    const [conf = "", values = "", absent = ""] = messages;

    assert.match(conf, /x\.conf:3: is neither.*x\.conf:4: has a %/s);
    assert.match(values, /neither an nsscache\.conf nor Helm values with an nsscacheConfig/);
    assert.match(absent, /ENOENT/);
  });

  it("replaces no file, and follows no link", async () => {
    using node = makeNodeRoot();
    node.write("/there.yaml", "mine\n");
    symlinkSync(join(node.path, "elsewhere.yaml"), join(node.path, "link.yaml"));
    for (const name of ["there.yaml", "link.yaml"]) {
      const ran = await runRollcall([
        "import-nsscache",
        join(FIXTURES, "minimal.conf"),
        "--output",
        join(node.path, name),
      ]);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /never replaced.*\[import-unwritable\]/s);
    }

    assert.equal(node.read("/there.yaml"), "mine\n");
    assert.equal(node.read("/elsewhere.yaml"), undefined);
  });

  it("says wrong usage, and gives JSON to scripts", async () => {
    const nothing = await runRollcall(["import-nsscache"]);
    const json = await runRollcall(["import-nsscache", join(FIXTURES, "helm-text.yaml"), "--json"]);
    const { config, remarks, yaml } = JSON.parse(json.out);

    assert.equal(nothing.code, 64);
    assert.equal(config.homes.path, "/mnt/home/%u");
    assert.match(yaml, /^ {2}url: https:\/\/iam\.example\.org\/scim\/v2$/m);
    assert.deepEqual(
      remarks
        .filter((remark: { needsLook: boolean }) => remark.needsLook)
        .map((remark: { key: string }) => remark.key),
      ["scim_proxy"],
    );
  });

  it("prints a command that puts the token into its file, whatever the file is called", async () => {
    using node = makeNodeRoot();
    for (const [nth, fixture] of ["token.conf", "per-map.conf"].entries()) {
      const place = join(node.path, `it's ${nth} $HOME`);
      mkdirSync(place);
      writeFileSync(join(place, "nsscache.conf"), readFileSync(join(FIXTURES, fixture)));
      const { yaml, looks } = await importNsscache(join(place, "nsscache.conf"));
      const command = /install -D .*$/m.exec(looks.join("\n"))?.[0] ?? "";
      const file = join(place, "etc/token");
      execFileSync("sh", ["-c", command.replaceAll("/etc/rollcall/token", '"$0"'), file]);

      assert.ok(yaml.includes(command));
      assert.equal(readFileSync(file, "utf8"), `${TOKEN}\n`);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    }
  });
});

describe("a sync under an imported configuration", () => {
  for (const [fixture, golden, caches] of [
    ["coreweave.conf", "coreweave", "/etc/nsscache"],
    ["per-map.conf", "per-map", "/var/lib/nsscache/passwd"],
  ] as const) {
    it(`makes the maps that nsscache made of ${fixture}, and the comparison agrees`, async () => {
      await using iam = await startIam(BENIGN);
      using node = makeNodeRoot();
      // The one takes the maps over where they are; the other begins in an empty directory.
      if (golden === "per-map") {
        cpSync(join(FIXTURES, "golden", golden), join(node.path, caches), { recursive: true });
      }
      mkdirSync(join(node.path, caches), { recursive: true });
      mkdirSync(join(node.path, "mnt/home"), { recursive: true });
      const imported = await importInto(node, fixture, iam);
      const checked = await node.rollcall("check");
      assert.deepEqual([imported.code, checked.code], [0, 0], imported.err + checked.err);
      assert.equal(statSync(configOf(node)).mode & 0o777, 0o644);

      const before = node.snapshot();
      const compared = await withToken(
        node,
        "import-nsscache",
        "--compare",
        join(FIXTURES, "golden", golden),
      );
      assert.deepEqual(node.snapshot(), before);
      const synced = await withToken(node, "sync");
      assert.equal(/^ {2}\+ user/m.test(synced.out), golden !== "per-map", synced.out);

      assert.equal(synced.code, 0, synced.err + synced.out);
      for (const map of ["passwd", "group", "shadow", "sshkey"]) {
        const old = readFileSync(join(FIXTURES, "golden", golden, `${map}.cache`), "utf8");
        assert.deepEqual(entriesOf(node.read(`${caches}/${map}.cache`), map), entriesOf(old, map), map);
      }
      assert.equal(compared.code, 0, compared.out + compared.err);
      assert.match(compared.out, /^There: 3 users, 2 groups; here: 3 users, 2 groups\. 0 difference/m);
    });
  }
});

/** What a comparison says, as short as it can be. */
async function compare(node: NodeRoot, directory: string, ...args: string[]) {
  const ran = await withToken(node, "import-nsscache", "--compare", directory, "--json", ...args);
  const { ok, deviations, notes, losing } = JSON.parse(ran.out);
  const lines = deviations.map(
    ({ kind, name, field, reason }: Record<string, string>) => `${kind} ${name} ${field}: ${reason ?? "?"}`,
  );
  return {
    code: ran.code,
    ok,
    lines: lines as string[],
    notes: notes as string[],
    losing: losing as string[],
  };
}

describe("a comparison with the maps of nsscache", () => {
  it("names each difference that is meant", async () => {
    await using iam = await startIam(DEVIATING);
    using node = makeNodeRoot();
    await importInto(node, "coreweave.conf", iam);
    const { code, ok, lines, notes, losing } = await compare(node, join(FIXTURES, "golden/deviating"));

    assert.deepEqual(
      lines.filter((line) => !line.endsWith("shadow: password-ageing")),
      [
        "user ada key: key-duplicate",
        "user dave shell: inactive",
        "user dave shadow: inactive",
        "user dave key: inactive",
        "user eve record: id-out-of-range",
        "user frank key: key-type-refused",
        "user grace shell: shell-replaced",
        "user grace key: key-options-refused",
        "user heidi record: broken-line",
        "group all member: nested-member",
        "group all member: nested-member",
        "group all member: nested-member",
        "group all member: nested-member",
        "group frank record: private-group",
        "group research member: inactive",
        "group research member: member-display",
        "group sudo record: name-reserved",
      ],
    );
    assert.deepEqual(losing, ["dave", "eve", "grace"]);
    assert.deepEqual([code, ok], [0, true]);
    assert.deepEqual(
      notes.map((note) => note.slice(0, 24)),
      ["passwd.cache: 1 line(s) ", "sshkey.cache: 1 line(s) "],
    );
  });

  it("names whom the rules of access leave out", async () => {
    await using iam = await startIam(BENIGN);
    using node = makeNodeRoot();
    await importInto(node, "coreweave.conf", iam);
    const config = node.read("/etc/rollcall/rollcall.yaml");
    node.write(
      "/etc/rollcall/rollcall.yaml",
      `${config}access: { visible: [research], login: { users: [ada] } }\n`,
    );
    const { code, lines } = await compare(node, join(FIXTURES, "golden/coreweave"));

    assert.deepEqual(lines, [
      "user bob shell: not-let-in",
      "user bob shadow: not-let-in",
      "user bob key: not-let-in",
      "user carol record: not-visible",
      "group ops member: not-visible",
    ]);
    assert.equal(code, 0);
  });

  it("marks what nothing explains, first, and ends with 2", async () => {
    await using iam = await startIam(BENIGN);
    using node = makeNodeRoot();
    await importInto(node, "coreweave.conf", iam);
    const files: Readonly<Record<string, string>> = {
      passwd: `toor:x:0:0::/root:/bin/bash\nada:x:7009:9001:Ada Byron:/mnt/nvme/ada:/bin/sh\ncarol:x:7003:9002:Carol Čapková:/mnt/home/carol:/usr/bin/zsh\n`,
      group: "research:x:9009:ada,carol\nold:x:9004:\nops:x:9002:carol\n",
      shadow: "ada:!:::::::\ncarol:*:::::::\n",
      sshkey: `ada:['${aKey(9)}', '${aKey(1)} other words']\ntoor:['${aKey(8)}']\n\u001b[2Jghost:${aKey(7)}\n`,
    };
    for (const [map, text] of Object.entries(files)) {
      node.write(`/old/${map}.db`, text);
    }
    node.write(
      "/etc/nsscache.conf",
      `${node.read("/etc/nsscache.conf")}`.replace("suffix = cache", "suffix = db"),
    );
    const args = [join(node.path, "etc/nsscache.conf"), "--config", configOf(node)];
    const { code, ok, lines } = await compare(node, join(node.path, "old"), ...args);
    const shown = await withToken(node, "import-nsscache", "--compare", join(node.path, "old"), ...args);

    assert.deepEqual(lines, [
      "user \u001b[2Jghost key: ?",
      "user ada uid: ?",
      "user ada gecos: ?",
      "user ada home: ?",
      "user ada shell: ?",
      "user ada shadow: ?",
      "user ada key: ?",
      "user ada key: ?",
      "user bob record: ?",
      "user toor record: ?",
      "group old record: ?",
      "group research gid: ?",
      "group research member: ?",
      "group research member: ?",
    ]);
    assert.deepEqual([code, ok, shown.code], [2, false, 2]);
    assert.match(shown.out, /^Could log in there and not here: 1 of 3: "toor"$/m);
    assert.match(shown.out, /^Not explained, look at these:\n/);
    assert.match(shown.out, /user "toor": only there: "uid 0, gid 0, home \/root"$/m);
    assert.match(shown.out, /user "ada": key only here: SHA256:\S+ ssh-ed25519 "ada's desk"$/m);
    assert.ok(!shown.out.includes("\u001b"));
  });

  it("says so where there are no maps, and gives up nothing to bad ones", async () => {
    await using iam = await startIam(BENIGN);
    using node = makeNodeRoot();
    await importInto(node, "coreweave.conf", iam);
    node.write("/old/passwd.cache", `${"x".repeat(2 * 1024 ** 2)}\n\0\n:::\nada\n${"[".repeat(5000)}:\n`);
    node.write(
      "/old/sshkey.cache",
      `ada:[${"'a',".repeat(100_000)}]\nbob:['${"\\'".repeat(400_000)}\n:['x']\n`,
    );
    const bad = await compare(node, join(node.path, "old"));
    const none = await withToken(node, "import-nsscache", "--compare", join(node.path, "nowhere"));

    assert.equal(bad.code, 2);
    assert.match(bad.notes.join("\n"), /no group\.cache.*no shadow\.cache.*passwd\.cache: 5 line\(s\)/s);
    assert.match(none.err, /There is no passwd\.cache in .*\[import-unreadable\]/);
    assert.equal(none.code, 1);
  });
});

/** Reads many files as nsscache does, and prints what each section sees, or null where it gives up. */
const PYTHON = `
import configparser, json, sys
out = []
for text in json.load(sys.stdin):
    try:
        parser = configparser.ConfigParser()
        parser.read_string(text)
        out.append([[s, sorted(parser.items(s))] for s in ["DEFAULT"] + parser.sections()])
    except configparser.Error:
        out.append(None)
json.dump(out, sys.stdout)
`;

describe("the INI reader", () => {
  it("reads what Python reads, and refuses what Python refuses", {
    skip: !hasPython() && "no python3",
  }, () => {
    const piece = fc.constantFrom(
      "[DEFAULT]",
      "[passwd]",
      "[group]",
      "[a]b]",
      "[]",
      "key",
      "Key",
      "other",
      " ",
      "\t",
      "  ",
      "=",
      ":",
      " = ",
      "value",
      '"quoted"',
      "%%u",
      "%(key)s",
      "%(other)s",
      "%",
      "#",
      ";",
      "é",
      "\u00a0",
      "\u001c",
      "\n",
      "\n",
      "\n",
      "\r\n",
      "\n  ",
      "\n# note\n",
      "\nkey = one\n",
      "\nother: two\n",
    );
    const texts = fc.sample(
      fc.array(piece, { maxLength: 25 }).map((pieces) => `[DEFAULT]\n${pieces.join("")}`),
      { numRuns: 3000, seed: 7 },
    );
    const input = JSON.stringify(texts);
    const output = execFileSync("python3", ["-c", PYTHON], { input, maxBuffer: 64 * 1024 ** 2 }).toString();
    const theirs: unknown[] = JSON.parse(output);
    const read = theirs.filter((one) => one !== null).length;

    assert.ok(read > 300 && read < 2700, `${read} of 3000 files can be read, so the test says little`);
    for (const [nth, text] of texts.entries()) {
      assert.deepEqual(itemsOf(text), theirs[nth], JSON.stringify(text));
    }
  });
});

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function itemsOf(text: string): unknown {
  const { sections, defaults, mistakes } = readIni(text);
  const all = [["DEFAULT", defaults] as const, ...sections];
  return mistakes.length > 0
    ? null
    : all.map(([name, options]) => [
        name,
        [...options]
          .map(([key, { value }]) => [key, value])
          .sort(([left = ""], [right = ""]) => compareCodes(left, right)),
      ]);
}

function compareCodes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
