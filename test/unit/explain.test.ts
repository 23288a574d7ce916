/**
 * The chain of one person where a real node would be hard to bring into such a state.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Problem } from "../../src/model/problem.ts";
import { explainPerson } from "../../src/report/explain.ts";
import type { KeyFile, OnNode, Person, SlurmState } from "../../src/report/person.ts";
import { renderExplanation } from "../../src/report/render-explain.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { aUserDraft, BEFORE, RULES, someDrafts } from "../support/drafts.ts";
import { aKey } from "../support/records.ts";
import { slurmUser } from "../support/simulated-slurm.ts";

const [user] = validateDirectory(someDrafts([aUserDraft(1)]), RULES, BEFORE).directory.users;
assert.ok(user);
const { uid, gid, gecos, home, shell } = user;

const KEY_FILE: KeyFile = { keys: [aKey(1)], isOurs: true, mode: 0o644, uid: 0, gid: 0 };
const IN_STEP: OnNode = {
  servesSomebody: true,
  passwd: { uid, gid, gecos, home, shell },
  isOpen: true,
  groups: ["user1"],
  outdated: [],
  shellFaults: new Map(),
  home: { kind: "directory", uid },
  keyFile: KEY_FILE,
  ownsFiles: true,
};

/** Somebody who can log in. */
const ABLE: Person = {
  name: "user1",
  isLocal: false,
  iam: { failure: undefined, source: "iam", ageMs: 1000, records: 1 },
  search: { ids: ["u-1"], nearest: undefined, renamedTo: undefined, nameless: 0, query: "" },
  record: { id: "u-1", name: "user1", active: true, hasShell: false, isAcceptable: false },
  problems: [],
  known: user,
  served: user,
  groups: ["user1"],
  access: {
    visible: "all",
    loginGroups: undefined,
    loginUsers: undefined,
    environmentUsers: undefined,
    memberOf: [],
    unknown: [],
  },
  holders: { name: undefined, uid: undefined },
  sudo: { lines: [], missing: [], isPending: false },
  slurm: undefined,
  node: IN_STEP,
  sync: { refusal: undefined, hasReport: true, failure: undefined, undone: [] },
  places: {
    iam: "https://iam.example.org",
    attributes: { name: "userName", uid: "uid", shell: undefined, keys: "keys" },
    defaultShell: "/bin/bash",
    caches: "/etc",
    keyFile: "/etc/ssh/authorized_keys.d/user1",
    keysIn: "the key file",
    sudoFile: "/etc/sudoers.d/rollcall",
    makesHomes: true,
  },
};

const onNode = (fields: Partial<OnNode>): Person => ({ ...ABLE, node: { ...IN_STEP, ...fields } });
const unreachable = (hangs: boolean) =>
  onNode({ home: { kind: "unreachable", reason: "/home does not answer", hangs } });

function closing(person: Person): string {
  return renderExplanation(explainPerson(person), { colour: false }).at(-1) ?? "";
}

describe("the chain of one person", () => {
  it("holds for somebody in step, whose uid nobody had before", () => {
    const { canLogIn, firstBroken, links } = explainPerson(ABLE);

    assert.deepEqual([canLogIn, firstBroken], [true, null]);
    assert.match(links.find(({ link }) => link === "uid")?.value ?? "", /new here/);
  });

  it("breaks at a home that never answers, because a login waits there; others are only pointed out", () => {
    assert.deepEqual(
      [true, false].map((hangs) => explainPerson(unreachable(hangs)).firstBroken),
      ["home", null],
    );
    assert.match(closing(unreachable(true)), /does not let user1 in.*"home": Bring the file server back/);
  });

  it("breaks at a key file that sshd would not take, and looks at owners only as root", () => {
    const files: [fields: Partial<KeyFile>, broken: string | null][] = [
      [{ uid, mode: 0o600 }, null],
      [{ gid, mode: 0o640 }, null],
      [{ mode: 0o640 }, "keys"],
      [{ mode: 0o664 }, "keys"],
      [{ uid: 4711 }, "keys"],
    ];
    const brokenWith = (fields: Partial<KeyFile>, ownsFiles: boolean) =>
      explainPerson(onNode({ keyFile: { ...KEY_FILE, ...fields }, ownsFiles })).firstBroken;

    assert.deepEqual(
      files.map(([fields]) => brokenWith(fields, true)),
      files.map(([, broken]) => broken),
    );
    assert.equal(brokenWith({ uid: 4711 }, false), null);
  });

  it("breaks at a map that a command of sshd's would not read, where keys are asked for", () => {
    const places = { ...ABLE.places, keyFile: "/etc/sshkey.cache", keysIn: "the sshkey map" } as const;
    const linkWith = (keyFile: KeyFile | undefined) => {
      const { links } = explainPerson({ ...onNode({ keyFile, ownsFiles: true }), places });
      const link = links.find((one) => one.link === "keys");
      return [link?.state, link?.value.replace(/^.*; /, "")];
    };

    assert.equal(linkWith(KEY_FILE)[0], "yes");
    assert.deepEqual(linkWith(undefined), ["no", "the sshkey map has no key of theirs"]);
    for (const [fields, why] of [
      [{ mode: 0o640, gid }, "others cannot read it"],
      [{ uid }, `it belongs to uid ${uid}`],
      [{ mode: 0o664 }, "others can write to it"],
    ] as const) {
      const value = `sshd takes no key from the sshkey map: ${why}`;
      assert.deepEqual(linkWith({ ...KEY_FILE, ...fields }), ["no", value]);
    }
  });

  it("says of whoever should be out and is not that they can still log in", () => {
    const gone = { ...ABLE, record: undefined, known: undefined, served: undefined };

    assert.match(closing(gone), /user1 can still log in here, and should not.*"record": .*rollcall sync/);
    assert.match(closing({ ...gone, node: { ...IN_STEP, isOpen: false } }), /does not let user1 in/);
    assert.match(closing({ ...gone, node: { ...IN_STEP, keyFile: undefined } }), /does not let user1 in/);
  });

  it("points out what is wrong in Slurm, which keeps nobody from logging in", () => {
    const alice = slurmUser(["nlp", "users"], { adminLevel: "Operator" });
    const fine: SlurmState = { failure: undefined, user: alice, changes: [], problems: [] };
    const subject = { kind: "user", id: "user1", name: "user1" } as const;
    const kept: Problem = { code: "slurm-kept", subject, field: "slurm.accounts", reason: "jobs: 7" };
    const down = { code: "slurm-unanswered", message: "Slurm did not answer" } as const;
    const added = { event: "slurm-user-added", user: "user1", account: "nlp" } as const;
    const states: [slurm: SlurmState | undefined, state: string, says: RegExp][] = [
      [undefined, "not-needed", /does not keep/],
      [fine, "yes", /^in nlp \(default\), users; AdminLevel Operator$/],
      [{ ...fine, user: undefined }, "warning", /Slurm refuses their jobs/],
      [
        { ...fine, user: undefined, failure: down },
        "warning",
        /unknown: Slurm did not answer \[slurm-unanswered\]/,
      ],
      [{ ...fine, changes: [added] }, "warning", /to be changed: \+ in nlp/],
      [{ ...fine, problems: [kept] }, "warning", /jobs: 7 \[slurm-kept\]/],
    ];
    for (const [slurm, state, says] of states) {
      const { canLogIn, links } = explainPerson({ ...ABLE, slurm });
      const link = links.find((one) => one.link === "slurm");
      assert.deepEqual([canLogIn, link?.state], [true, state]);
      assert.match(link?.value ?? "", says);
    }
  });

  it("shows the first keys of many", () => {
    const keys = Array.from({ length: 20 }, (_, nth) => aKey(nth));
    const many = { ...onNode({ keyFile: { ...KEY_FILE, keys } }), iam: { ...ABLE.iam, source: undefined } };

    const value = explainPerson(many).links.find(({ link }) => link === "keys")?.value;

    assert.match(value ?? "", /^20 keys: SHA256:.* and 12 more$/);
  });
});
