/**
 * What the checks of the doctor make of facts that no test can prepare on this machine, and of hostile ones.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attributePaths, type DirectoryFacts } from "../../src/doctor/directory.ts";
import { about, failed, known, ok, silent, unknown } from "../../src/doctor/finding.ts";
import { daemon, type HostFacts, lastSync, locks, unit } from "../../src/doctor/host.ts";
import { type NssFacts, resolvers } from "../../src/doctor/name-service.ts";
import { whyShut } from "../../src/doctor/ssh-patterns.ts";
import { confinement, type SshdFacts } from "../../src/doctor/sshd.ts";
import { sshdKeys } from "../../src/doctor/sshd-keys.ts";
import { parseNsswitch } from "../../src/formats/nsswitch.ts";
import { parseAccountLines } from "../../src/formats/pam.ts";
import { parseSshdSettings } from "../../src/formats/sshd-settings.ts";
import { pathsIn } from "../../src/source/paths.ts";

const HOST: HostFacts = {
  unit: known({ loadState: "loaded", fileState: "enabled", activeState: "active" }),
  version: "1.0.0",
  daemonVersion: known("1.0.0"),
  lastSync: known({ lastRun: "2026-01-01T00:00:00Z", ageSeconds: 3, conditions: [] }),
  locks: known([]),
  writers: known([]),
};

describe("a fact that is missing", () => {
  it("is not checked when nobody may look, and broken when looking went wrong", () => {
    const facts = [unknown("needs root"), failed("no such file"), silent("the daemon", 5000), known("there")];

    const verdicts = facts.map((fact) => about(fact, ok)).map(({ verdict, found }) => [verdict, found]);

    assert.deepEqual(verdicts, [
      ["not-checked", "needs root"],
      ["broken", "no such file"],
      ["broken", "the daemon gave no answer within 5 s"],
      ["ok", "there"],
    ]);
  });
});

describe("the systemd unit", () => {
  const states: readonly (readonly [
    loadState: string,
    fileState: string,
    activeState: string,
    verdict: string,
    remedy: string | undefined,
  ])[] = [
    ["loaded", "enabled", "active", "ok", undefined],
    ["loaded", "disabled", "active", "warning", "systemctl enable rollcall"],
    ["loaded", "enabled", "failed", "broken", "systemctl start rollcall"],
    ["loaded", "enabled", "inactive", "broken", "systemctl start rollcall"],
    ["not-found", "", "inactive", "broken", "rollcall setup; systemctl enable --now rollcall"],
    ["masked", "masked", "inactive", "broken", "systemctl unmask rollcall"],
  ];
  for (const [loadState, fileState, activeState, verdict, remedy] of states) {
    it(`is ${verdict} when ${loadState}, ${fileState || "nowhere"} and ${activeState}`, () => {
      const finding = unit({ ...HOST, unit: known({ loadState, fileState, activeState }) });

      assert.equal(finding.verdict, verdict);
      assert.ok(remedy === undefined || finding.remedy?.includes(remedy) === true, finding.remedy);
    });
  }

  it("is not checked without systemd", () => {
    assert.equal(unit({ ...HOST, unit: known(undefined) }).verdict, "not-checked");
  });
});

describe("the daemon", () => {
  it("is told to start again when another version runs", () => {
    const finding = daemon({ ...HOST, daemonVersion: known("0.9.0") });

    assert.deepEqual([finding.verdict, finding.remedy], ["warning", "Run: systemctl restart rollcall"]);
  });

  it("is as bad as its worst condition, and a notice is no fault", () => {
    const of = (...severities: readonly ("critical" | "degraded" | "notice")[]) =>
      lastSync({
        ...HOST,
        lastSync: known({
          lastRun: undefined,
          ageSeconds: undefined,
          conditions: severities.map((severity) => ({
            code: severity,
            severity,
            title: "t",
            remedy: severity,
          })),
        }),
      });

    assert.deepEqual(
      [of(), of("notice"), of("notice", "degraded"), of("degraded", "critical")].map(
        ({ verdict }) => verdict,
      ),
      ["ok", "ok", "warning", "broken"],
    );
    assert.equal(of("degraded", "critical").remedy, "critical");
  });
});

describe("a lock", () => {
  it("is broken only when a sync holds it for longer than any sync takes", () => {
    const held = (name: "sync" | "daemon", ageSeconds: number) =>
      locks({ ...HOST, locks: known([{ name, pid: 7, ageSeconds }]) });

    assert.equal(held("sync", 30).verdict, "ok");
    assert.equal(held("daemon", 90_000).verdict, "ok");
    assert.equal(held("sync", 3600).verdict, "broken");
    assert.match(held("sync", 3600).remedy ?? "", /kill 7$/);
  });
});

describe("another name service", () => {
  const of = (line: string, ...answering: readonly string[]) => {
    const facts: NssFacts = {
      lines: known(parseNsswitch(`passwd: ${line}\n`)),
      libraries: unknown(""),
      arch: "",
      cachesDirectory: "",
      lookups: unknown(""),
      others: known(["sss", "ldap"].map((service) => ({ service, answers: answering.includes(service) }))),
      hidden: unknown(""),
      keepers: unknown(""),
    };
    return resolvers(facts).verdict;
  };

  it("is broken when it has a served person and is asked first, and a warning when only one of the two", () => {
    assert.equal(of("files sss cache", "sss"), "broken");
    assert.equal(of("files ldap sss cache", "sss"), "broken");
    assert.equal(of("files sss cache"), "warning");
    assert.equal(of("files cache sss", "sss"), "warning");
    assert.equal(of("files cache sss"), "ok");
    assert.equal(of("files systemd cache"), "ok");
    assert.equal(of("cache files"), "warning");
  });
});

const NOTHING: SshdFacts = {
  fault: unknown(""),
  settings: unknown(""),
  keysDirectory: "/keys",
  keyFiles: true,
  commandFault: unknown(""),
  commandLacks: unknown(""),
  missingRevocations: unknown(""),
  people: unknown(""),
  pam: unknown(""),
  nologin: unknown(""),
  confinement: unknown(""),
};

describe("where sshd looks for keys", () => {
  const ASKING = "authorizedkeyscommand /usr/bin/rollcall keys %u\nauthorizedkeyscommanduser nobody";
  const FILES = "authorizedkeysfile /keys/%u .ssh/authorized_keys";
  const of = (keyFiles: boolean, ...lines: readonly string[]) => {
    const settings = parseSshdSettings(lines.join("\n"));
    const facts = {
      settings: known({ user: undefined, settings }),
      commandFault: known(undefined),
      keyFiles,
    };
    return sshdKeys({ ...NOTHING, ...facts });
  };

  it("must be this program where keys.files is off, whatever files it reads", () => {
    assert.equal(of(false, ASKING, FILES).verdict, "ok");
    assert.equal(of(false, ASKING, "authorizedkeysfile none").verdict, "ok");
    assert.match(of(false, FILES).remedy ?? "", /rollcall setup/);
    assert.equal(of(false, FILES).verdict, "broken");
    assert.equal(of(false, FILES, ASKING.replace("rollcall", "other")).verdict, "broken");
    assert.match(of(false, ASKING.replace("nobody", "none")).found, /no user to run as/);
  });

  it("is this program in vain where it cannot read what it needs", () => {
    const settings = known({ user: undefined, settings: parseSshdSettings(ASKING) });
    const facts = { ...NOTHING, settings, keyFiles: false, commandFault: known(undefined) };

    const found = sshdKeys({ ...facts, commandLacks: known("/etc/rollcall") });

    assert.equal(found.verdict, "warning");
    assert.match(found.found, /runs as "nobody", and not everybody can read \/etc\/rollcall/);
  });

  it("may be this program beside the files where there are some", () => {
    assert.equal(of(true, ASKING, FILES).verdict, "ok");
    assert.equal(of(true, FILES).verdict, "ok");
    assert.equal(of(true, "authorizedkeysfile .ssh/authorized_keys").verdict, "broken");
  });
});

describe("what confines sshd", () => {
  const of = (isSelinuxEnforcing: boolean, keysType: string | undefined, profiles: readonly string[]) => {
    const facts: Pick<SshdFacts, "confinement" | "keysDirectory"> = {
      confinement: known({ isSelinuxEnforcing, keysType, profiles }),
      keysDirectory: "/srv/keys",
    };
    // The check reads nothing else.
    return confinement({ ...NOTHING, ...facts });
  };
  it("is a warning where it keeps sshd from the keys, with the command", () => {
    assert.equal(of(true, "etc_t", []).verdict, "ok");
    assert.equal(of(false, undefined, []).verdict, "ok");
    assert.match(of(true, "var_t", []).remedy ?? "", /semanage fcontext -a -t ssh_home_t '\/srv\/keys/);
    assert.match(of(false, undefined, ["/usr/sbin/sshd (enforce)"]).remedy ?? "", /"\/srv\/keys\/\* r,"/);
  });
});

describe("sshd's lists", () => {
  const cases: readonly (readonly [settings: string, why: string | undefined])[] = [
    ["allowusers ada", undefined],
    ["allowusers a*", undefined],
    ["allowusers a?a@10.0.0.0/8", undefined],
    ["allowusers bob\nallowusers ad", "AllowUsers"],
    ["denyusers ada", "DenyUsers"],
    ["denyusers ada@evil.example", undefined],
    ["allowgroups ops\nallowgroups res*", undefined],
    ["allowgroups ops", "AllowGroups"],
    ["denygroups research\nallowgroups research", "DenyGroups"],
    ["denyusers a.a", undefined],
  ];
  for (const [settings, why] of cases) {
    it(`${why === undefined ? "let ada in" : `shut ada out by ${why}`}: ${settings.replaceAll("\n", ", ")}`, () => {
      const found = whyShut({ name: "ada", groups: ["ada", "research"] }, parseSshdSettings(settings));

      assert.equal(found, why);
    });
  }
});

describe("PAM's account lines", () => {
  it("are read with includes of every kind, and without those of other parts", () => {
    const text = `# comment
auth required pam_deny.so
account [success=1 default=ignore] \\
  pam_unix.so
-account  required /lib/security/pam_access.so accessfile=/x # why
@include common-account
account include system-auth
account substack other
session required pam_limits.so
`;

    assert.deepEqual(parseAccountLines(text), [
      { kind: "module", module: "pam_unix" },
      { kind: "module", module: "pam_access" },
      { kind: "include", service: "common-account" },
      { kind: "include", service: "system-auth" },
      { kind: "include", service: "other" },
    ]);
  });
});

describe("attribute paths", () => {
  it("are those that resources have, without values, however hostile they are", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`);
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, nth) => [`x${nth}`, 1]));

    assert.deepEqual(
      pathsIn([
        { id: "1", schemas: ["s"], meta: { a: 1 }, "urn:x:User": { uidNumber: 7, "a/b": 1, none: null } },
      ]),
      ["id", "urn:x:User/uidNumber"],
    );
    assert.deepEqual(pathsIn([{ emails: [{ value: "a@b" }, { type: "w" }], keys: ["k"] }]), [
      "emails/type",
      "emails/value",
      "keys",
    ]);
    assert.deepEqual(pathsIn([deep, null, 7, "text"]), []);
    assert.equal(pathsIn([wide]).length, 500);
  });

  it("are offered with those of the same attribute first, and never steer the terminal", () => {
    const there = ["id", "userName", "urn:x:User/loginShell", "urn:x:User/uidNumber", "\u001b[31muidNumber"];
    const facts: DirectoryFacts = {
      users: 2,
      groups: 0,
      served: { users: 0, active: 0, keyless: 0, groups: 0 },
      refused: [],
      paths: [
        { key: "attributes.user.uid", path: "urn:x:uidNumber", of: 2, filled: 0, isNeeded: true, there },
      ],
      named: [],
      userNames: [],
      groupNames: [],
    };

    const { verdict, remedy } = attributePaths(known(facts));

    assert.equal(verdict, "broken");
    assert.match(remedy ?? "", /for attributes\.user\.uid urn:x:User\/uidNumber, /);
    assert.doesNotMatch(remedy ?? "", /\p{Cc}/u);
  });
});
