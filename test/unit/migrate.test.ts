import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseConfig } from "../../src/config/load.ts";
import { renderGroup } from "../../src/formats/group.ts";
import { renderPasswd } from "../../src/formats/passwd.ts";
import { renderShadow } from "../../src/formats/shadow.ts";
import { renderSshkey } from "../../src/formats/sshkey.ts";
import { readConf } from "../../src/migrate/conf.ts";
import { compareMaps } from "../../src/migrate/deviations.ts";
import { readIni } from "../../src/migrate/ini.ts";
import { fileNamesOf, parseOldMaps } from "../../src/migrate/old-maps.ts";
import { renderConfig } from "../../src/migrate/render.ts";
import { translate } from "../../src/migrate/translate.ts";
import type { Translation } from "../../src/migrate/translation.ts";
import type { Drafts } from "../../src/model/draft.ts";
import { grantOf } from "../../src/model/key-line.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { toKeys } from "../../src/validate/ssh-keys.ts";
import { aGroupDraft, aUserDraft, BEFORE, RULES, someDrafts } from "../support/drafts.ts";
import { aKey } from "../support/records.ts";
import { wildGroupDraft, wildUserDraft } from "../support/wild.ts";

const BASE = "[DEFAULT]\nsource = scim\nscim_base_url = https://iam.example.org/scim\n";

function translationOf(text: string): Translation {
  const read = readConf(text);
  assert.ok(read.ok, JSON.stringify(read));
  const translated = translate(read.conf, "nsscache.conf");
  assert.ok(translated.ok, JSON.stringify(translated));
  return translated.translation;
}

function refusalOf(text: string): string {
  const read = readConf(text);
  const translated = read.ok ? translate(read.conf, "nsscache.conf") : undefined;
  assert.ok(translated?.ok === false, JSON.stringify(translated));
  return translated.reasons.join("\n");
}

function settingsOf(text: string): Record<string, unknown> {
  return Object.fromEntries(translationOf(text).settings.map(({ path, value }) => [path, value]));
}

function valuesIn(text: string, section: string): Record<string, string> {
  const { sections, defaults, mistakes } = readIni(text);
  assert.deepEqual(mistakes, []);
  const options = section === "DEFAULT" ? defaults : sections.get(section);
  return Object.fromEntries([...(options ?? [])].map(([key, { value }]) => [key, value]));
}

describe("the INI reader", () => {
  it("reads back what was written, however it was laid out", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
    const line = fc.stringMatching(/^[!-"$-:<-Z\\^-~][ -~]{0,12}[!-~]$/);
    const layout = fc.record({
      delimiter: fc.constantFrom("=", ":", " = ", "\t:  "),
      before: fc.constantFrom("", "\n", "# note\n", "   ; note = 1\n"),
      isUpper: fc.boolean(),
      end: fc.constantFrom("\n", "\r\n"),
    });
    const options = fc.dictionary(word, fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), layout));
    fc.assert(
      fc.property(fc.dictionary(word, options, { maxKeys: 4 }), (sections) => {
        const text = Object.entries(sections).map(([name, options]) => {
          const lines = Object.entries(options).map(([key, [value, { delimiter, before, isUpper, end }]]) => {
            const escaped = value.map((one) => one.replaceAll("%", "%%"));
            return `${before}${isUpper ? key.toUpperCase() : key}${delimiter}${escaped.join(`${end}   `)}${end}`;
          });
          return `[${name}]\n${lines.join("")}`;
        });

        for (const [name, options] of Object.entries(sections)) {
          const expected = Object.entries(options).map(([key, [value]]) => [key, value.join("\n")]);
          assert.deepEqual(valuesIn(text.join(""), name), Object.fromEntries(expected));
        }
      }),
    );
  });

  it("lets a section override DEFAULT, and fills names in with what the section has", () => {
    const text = "[DEFAULT]\nhost = one\nurl = https://%(HOST)s/%%u\n[passwd]\nhost: two\n[group]\n";

    assert.equal(valuesIn(text, "passwd")["url"], "https://two/%u");
    assert.equal(valuesIn(text, "group")["url"], "https://one/%u");
  });

  it("names every mistake with its line", () => {
    const text = "early = 1\n[a]\nnothing\n= 2\nk = %u\nk = 1\n[a]\n";

    assert.deepEqual(
      readIni(text).mistakes.map(({ line }) => line),
      [1, 3, 4, 6, 7],
    );
  });

  it("comes to an end where names stand for names for ever", () => {
    const rounds = Array.from({ length: 10 }, (_, nth) => `k${nth + 1} = ${`%(k${nth})s`.repeat(20)}`);

    assert.ok(readIni(`[a]\nk0 =\n${rounds.join("\n")}\n`).mistakes.length > 0);
    assert.ok(readIni(`[a]\nk0 = ${"x".repeat(9999)}\n${rounds.join("\n")}\n`).mistakes.length > 0);
    assert.equal(readIni("[a]\nx = %(y)s\ny = %(x)s\n").mistakes.length, 2);
  });
});

describe("Helm values", () => {
  it("give the same as text, as a mapping, and with anchors", () => {
    const text = `[DEFAULT]\nsource = scim\nmaps = passwd, group\nscim_base_url = https://i.example/s\n[passwd]\nscim_override_home_directory = /mnt/%%u\n`;
    const block = `a:\n  b:\n    - nsscacheConfig: |\n${text.replace(/^(?=.)/gm, "        ")}`;
    const mapping = `x: &p { scim_override_home_directory: /mnt/%u }\nnsscacheConfig:\n  default: { source: scim, maps: [passwd, group], scim_base_url: "https://i.example/s" }\n  passwd: *p\n`;
    const inside = `nsscacheConfig:\n  nsscache.conf: |\n${text.replace(/^(?=.)/gm, "    ")}`;

    for (const values of [block, mapping, inside]) {
      assert.deepEqual(settingsOf(values), settingsOf(text));
    }
    const line = (values: string) =>
      translationOf(values).remarks.find(({ key }) => key === "scim_override_home_directory")?.line;
    assert.deepEqual([line(text), line(block), line(inside)], [6, 9, 8]);
  });

  it("with two different configurations are refused, and with two equal ones are not", () => {
    const one = `nsscacheConfig: { default: { scim_base_url: "https://a.example" } }`;

    assert.equal(readConf(`a:\n  ${one}\nb:\n  ${one}\n`).ok, true);
    assert.equal(readConf(`a:\n  ${one}\nb:\n  ${one.replace("a.ex", "b.ex")}\n`).ok, false);
  });

  it("that are broken or bombs are refused", () => {
    const bomb = `a: &a [x, x]\n${"bcdefghijk"
      .split("")
      .map((name, nth) => `${name}: &${name} [${`*${"abcdefghij"[nth]}, `.repeat(9)}]\n`)
      .join("")}nsscacheConfig: { default: { maps: *k } }\n`;

    assert.equal(readConf("nsscacheConfig: {\n").ok, false);
    assert.equal(readConf("nsscacheConfig: 3\n").ok, false);
    assert.equal(readConf("nsscacheConfig: { default: { maps: { a: 1 } } }\n").ok, false);
    assert.equal(readConf(bomb).ok, false);
    assert.equal(readConf("nsscacheConfig: *nowhere\n").ok, false);
    assert.equal(readConf(`x: ${"[".repeat(100_000)}\nnsscacheConfig: ""\n`).ok, false);
  });

  it("that are broken at the token do not repeat it", () => {
    for (const value of ["*s3cr3t-token", "|s3cr3t-token", '"x" s3cr3t-token', "@s3cr3t-token", "&a &b x"]) {
      const read = readConf(`nsscacheConfig:\n  default:\n    scim_auth_token: ${value}\n`);

      assert.ok(!read.ok);
      assert.doesNotMatch(JSON.stringify(read), /s3cr3t/);
    }
  });
});

describe("a translation", () => {
  const keys =
    `source cache maps lockfile timestamp_dir files_dir files_cache_filename_suffix scim_base_url scim_auth_token
    scim_users_endpoint scim_groups_endpoint scim_users_parameters scim_groups_parameters scim_max_cursor_pages
    scim_timeout scim_verify_ssl scim_retry_delay scim_retry_max scim_path_username scim_path_uid scim_path_gid
    scim_path_home_directory scim_path_login_shell scim_path_groupname scim_path_ssh_keys scim_default_shell
    scim_override_home_directory scim_shadow_default_lstchg scim_shadow_default_min scim_shadow_default_max
    scim_shadow_default_warn scim_shadow_default_inact scim_shadow_default_expire scim_shadow_default_flag`.split(
      /\s+/,
    );
  const valueOf = (key: string) =>
    key === "source" ? "scim" : key === "scim_base_url" ? "https://iam.example.org" : "passwd";

  it("leaves no key out: each is a setting, or named in a comment", () => {
    for (const key of keys) {
      const bare = `${BASE}x = 1\n`.replace(new RegExp(`^${key} =.*\n`, "m"), "");
      const without = key === "scim_base_url" ? "" : renderConfig(translationOf(bare));
      const text = renderConfig(translationOf(`${bare}${key} = ${valueOf(key)}\n`));

      assert.ok(text.includes(key) || withoutComments(text) !== withoutComments(without), key);
      assert.ok(!text.includes(`${key}, line 5: Not known`), key);
    }
  });

  it("names keys that it does not know, without their values, and those in the wrong section", () => {
    const { remarks } = translationOf(
      `${BASE}ldap_bind_password = s3cr3t\n[group]\nscim_path_ssh_keys = keys\n[auto.home]\nsource = ldap\n`,
    );
    const said = remarks.map(({ key, section, text }) => `${section} ${key}: ${text}`).join("\n");

    assert.match(said, /DEFAULT ldap_bind_password: Not known/);
    assert.match(
      said,
      /group scim_path_ssh_keys: Not translated: no map that is made has a use for it there/,
    );
    assert.match(said, /auto\.home source: Not translated: maps does not name "auto\.home"/);
    assert.doesNotMatch(JSON.stringify(remarks), /s3cr3t/);
  });

  it("turns a home for everybody into homes.path, and lets it win over the one of the IAM", () => {
    const text = `${BASE}scim_override_home_directory = /mnt/home/%%u/\nscim_path_home_directory = home\n`;

    assert.partialDeepStrictEqual(settingsOf(text), {
      "homes.path": "/mnt/home/%u",
      "homes.under": ["/mnt/home"],
    });
    assert.equal(settingsOf(text)["attributes.user.home"], undefined);
    assert.equal(settingsOf(`${BASE}scim_override_home_directory = /mnt/%%u/x\n`)["homes.path"], undefined);
    assert.equal(settingsOf(`${BASE}scim_override_home_directory = /shared\n`)["homes.path"], "/shared/%u");
  });

  it("gives nobody a key where nobody had one, and says how that is changed", () => {
    const keys = "[sshkey]\nscim_path_ssh_keys = keys\n";
    const without = translationOf(`${BASE}maps = passwd, group\n${keys}`);

    assert.equal(settingsOf(`${BASE}maps = passwd, sshkey\n${keys}`)["attributes.user.keys"], "keys");
    assert.ok(!without.settings.some(({ path }) => path === "attributes.user.keys"));
    assert.ok(without.remarks.some(({ text }) => text.includes('Set attributes.user.keys: "keys"')));
  });

  it("takes paging out of the parameters", () => {
    const cases: readonly [text: string, query: string | undefined, paging: string | undefined][] = [
      ["?groups=a,b", "groups=a,b", undefined],
      ["cursor", undefined, "cursor"],
      ["groups=a&cursor=&startIndex=3", "groups=a", "cursor"],
      ["\"filter=displayName eq 'x'\"", "filter=displayName eq 'x'", undefined],
      ["precursor=1", "precursor=1", undefined],
      ["", undefined, undefined],
    ];
    for (const [text, query, paging] of cases) {
      const settings = settingsOf(`${BASE}scim_users_parameters = ${text}\n`);
      assert.deepEqual([settings["iam.users.query"], settings["iam.paging"]], [query, paging], text);
    }
  });

  it("is refused where keys would go to people who had none", () => {
    const ofKeys = "scim_path_ssh_keys = keys\nscim_users_parameters = groups=staff\n";

    assert.match(refusalOf(`${BASE}[sshkey]\n${ofKeys}`), /\[sshkey\] scim_users_parameters, line 6: .*keys/);
    assert.match(refusalOf(`${BASE}[passwd]\nscim_users_endpoint = a\n`), /\[passwd\] scim_users_endpoint/);
    assert.match(
      refusalOf(`${BASE}scim_users_parameters = a=b\n[sshkey]\n${ofKeys}`),
      /\[sshkey\] scim_users_parameters, line 7/,
    );
    assert.equal(settingsOf(`${BASE}${ofKeys}`)["iam.users.query"], "groups=staff");
    assert.equal(settingsOf(`${BASE}maps = passwd\n[sshkey]\n${ofKeys}`)["iam.users.query"], undefined);
  });

  it("is refused where another value has the token in it", () => {
    const query = "scim_users_parameters = key=%(scim_auth_token)s\n";
    const refusal = refusalOf(`${BASE}scim_auth_token = 's3cr3t-token'\n${query}`);

    assert.match(refusal, /scim_users_parameters, line 5: the token is in it/);
    assert.doesNotMatch(refusal, /s3cr3t/);
  });

  it("asks for a look at a plus in a query, which may have been a space", () => {
    const { remarks } = translationOf(`${BASE}scim_users_parameters = filter=active+eq+true\n`);

    assert.ok(remarks.some(({ path, needsLook }) => path === "iam.users.query" && needsLook));
  });

  it("mentions what only a later map has", () => {
    const { settings, remarks } = translationOf(`${BASE}[sshkey]\nscim_timeout = 90\n`);

    assert.ok(settings.every(({ path }) => path !== "iam.timeout"));
    assert.ok(remarks.some(({ key, line, needsLook }) => key === "scim_timeout" && line === 5 && needsLook));
  });

  it("allows http where the address has it, but for loopback, and says so", () => {
    const withUrl = (url: string) => BASE.replace("https://iam.example.org/scim", url);

    assert.equal(settingsOf(withUrl("http://iam:8080/scim"))["iam.allowHttp"], true);
    assert.equal(settingsOf(withUrl("http://127.0.0.1:80/scim"))["iam.allowHttp"], undefined);
    assert.equal(settingsOf(withUrl("http://127.0.0.1.evil.org/"))["iam.allowHttp"], true);
  });

  it("is YAML with the same values, whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (value) => {
        const setting = { path: "iam.users.query", value };
        const remark = {
          key: value,
          section: value,
          line: 1,
          path: "iam.users",
          text: value,
          needsLook: true,
        };
        const text = renderConfig({
          settings: [
            { path: "iam.url", value: "https://iam.example.org" },
            { path: "attributes.user.uid", value: "uid" },
            { path: "attributes.user.gid", value: "gid" },
            { path: "attributes.group.gid", value: "gid" },
            setting,
          ],
          remarks: [remark, { ...remark, path: undefined }],
        });
        const loaded = parseConfig(text);

        assert.ok(loaded.ok, text);
        assert.ok(loaded.settings.iam.source === "scim");
        assert.equal(loaded.settings.iam.users.query, value);
      }),
    );
  });
});

function withoutComments(text: string): string {
  return text.replace(/^ *#.*\n/gm, "");
}

/** What a sync under the defaults would make of these records, and the question whether it differs from old maps. */
function deviationsOf(drafts: Drafts, texts: Parameters<typeof parseOldMaps>[0], rules = RULES) {
  const { directory, everybody, problems } = validateDirectory(drafts, rules, BEFORE);
  const old = parseOldMaps(
    texts,
    fileNamesOf(() => undefined),
  );
  return compareMaps(old, {
    directory,
    everybody,
    drafts,
    problems,
    keyFault: (line) => toKeys(line, rules.keys).refusals[0]?.code,
    describeKey: grantOf,
  });
}

function mapsOf(drafts: Drafts): Parameters<typeof parseOldMaps>[0] {
  const { users, groups } = validateDirectory(drafts, RULES, BEFORE).directory;
  const file = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  return {
    passwd: file(users.map(renderPasswd)),
    group: file(groups.map(renderGroup)),
    shadow: file(users.map(renderShadow)),
    sshkey: file(users.map(renderSshkey)),
  };
}

describe("a comparison", () => {
  const wild = fc
    .tuple(fc.array(wildUserDraft(), { maxLength: 10 }), fc.array(wildGroupDraft(), { maxLength: 5 }))
    .map(([users, groups]) => someDrafts(users, groups));

  it("finds nothing between what a sync makes and the same maps", () => {
    fc.assert(
      fc.property(wild, (drafts) => {
        assert.deepEqual(deviationsOf(drafts, mapsOf(drafts)).deviations, []);
      }),
    );
  });

  it("never throws over what is in the maps, and explains nobody whom the IAM does not have", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(fc.constantFrom(":", "user1", "root", "0", "x", "['", "']", "\\", "ssh-ed25519 ", ",", "\n"), {
        maxLength: 20,
      }),
    );
    const file = fc
      .array(line, { maxLength: 8 })
      .map((lines) => lines.map((one) => [one].flat().join("")).join("\n"));
    fc.assert(
      fc.property(file, file, file, (first, second, third) => {
        const texts = { passwd: first, group: second, shadow: third, sshkey: second };
        const { deviations } = deviationsOf(someDrafts([aUserDraft(1)]), texts);

        const strangers = deviations.filter(({ kind, name }) => kind === "user" && name !== "user1");
        assert.ok(strangers.every(({ reason }) => reason === undefined));
      }),
    );
  });

  it("knows somebody under the name that the IAM has for them", () => {
    const drafts = someDrafts(
      [aUserDraft(1, { name: "ada@example.org", gid: 50_001 })],
      [
        aGroupDraft(1, ["u-1"], { name: "ML Team" }),
        aGroupDraft(2, [], { name: "all", members: [{ id: "g-1", kind: "group" }] }),
      ],
    );
    const names = { ...RULES.names, localPart: ["example.org"], normaliseGroups: true };
    const { deviations } = deviationsOf(
      drafts,
      {
        passwd: "ada@example.org:x:10001:50001:User Number 1:/home/ada@example.org:/bin/bash\n",
        group: "ML Team:x:50001:ada@example.org\nall:x:50002:\n",
        shadow: undefined,
        sshkey: `ada@example.org:${aKey(1)}\n`,
      },
      { ...RULES, names },
    );

    assert.deepEqual(
      deviations.map(({ kind, field, reason }) => [kind, field, reason]),
      [
        ["user", "name", "renamed"],
        ["user", "home", undefined],
        ["group", "name", "renamed"],
        ["group", "member", "nested-member"],
      ],
    );
  });

  it("does not take a lost key for one that is meant to be gone", () => {
    const drafts = someDrafts([aUserDraft(1, { keys: [aKey(1), "ssh-dss AAAA old"] })]);
    const maps = { ...mapsOf(drafts), sshkey: `user1:['${aKey(2)}', 'ssh-dss AAAA old', '${aKey(1)}']\n` };

    assert.deepEqual(
      deviationsOf(drafts, maps).deviations.map(({ field, reason }) => [field, reason]),
      [
        ["key", undefined],
        ["key", "key-type-refused"],
      ],
    );
  });

  it("marks a shell that lets nobody in there and is replaced here", () => {
    const drafts = someDrafts([
      aUserDraft(1, { shell: "/opt/no-login" }),
      aUserDraft(2, { shell: "/opt/bin/zsh" }),
      aUserDraft(3, { shell: "/opt/bin/nologin" }),
    ]);
    const line = (nth: number, shell: string) =>
      `user${nth}:x:1000${nth}:1000${nth}:User Number ${nth}:/home/user${nth}:${shell}\n`;
    const passwd = line(1, "/opt/no-login") + line(2, "/opt/bin/zsh") + line(3, "/opt/bin/nologin");

    assert.deepEqual(
      deviationsOf(drafts, { ...mapsOf(drafts), passwd }).deviations.map(({ name, field, reason }) => [
        name,
        field,
        reason,
      ]),
      [
        ["user1", "shell", undefined],
        ["user2", "shell", "shell-replaced"],
      ],
    );
  });

  it("marks an account that is closed there and open here", () => {
    const drafts = someDrafts([aUserDraft(1), aUserDraft(2), aUserDraft(3)]);
    const maps = { ...mapsOf(drafts), shadow: "user1:!:::::::\nuser2:*::::::1:\n" };

    assert.deepEqual(
      deviationsOf(drafts, maps).deviations.map(({ name, field, reason }) => [name, field, reason]),
      [
        ["user1", "shadow", undefined],
        ["user2", "shadow", undefined],
        ["user3", "shadow", undefined],
      ],
    );
  });
});
