/**
 * Who exists on a node and who may log in there, by the rules of that node.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffLineOf } from "../../src/report/diff.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import type { Rules } from "../../src/validate/rules.ts";
import { aGroupDraft, aUserDraft, BEFORE, RULES, someDrafts } from "../support/drafts.ts";

const PEOPLE = ["ada", "bob", "cyd", "dan"];
const users = PEOPLE.map((name, nth) => aUserDraft(nth + 1, { name, active: name !== "dan" }));
const groups = [
  aGroupDraft(1, ["u-1", "u-4"], { name: "login" }),
  aGroupDraft(2, ["u-2"], { name: "research" }),
  aGroupDraft(3, [], { name: "all-staff", members: [{ id: "g-2", kind: "group" }] }),
];

function admit(access: Partial<Rules["access"]>) {
  const rules = { ...RULES, access: { ...RULES.access, ...access } };
  const { directory, problems } = validateDirectory(someDrafts(users, groups), rules, BEFORE);
  return {
    visible: directory.users.map(({ name }) => String(name)),
    in: directory.users.filter(({ active }) => active).map(({ name }) => String(name)),
    directory,
    problems,
  };
}

const nobody = { groups: undefined, users: undefined };
const ACTIVE = ["ada", "bob", "cyd"];

/** A rule, who is visible, and who may log in. */
const TABLE: Readonly<Record<string, [Partial<Rules["access"]>, visible: string[], login: string[]]>> = {
  "no rule": [{}, PEOPLE, ACTIVE],
  "a login group": [{ login: { ...nobody, groups: ["login"] } }, PEOPLE, ["ada"]],
  "a login group that contains another": [{ login: { ...nobody, groups: ["all-staff"] } }, PEOPLE, ["bob"]],
  "a login user": [{ login: { ...nobody, users: ["cyd"] } }, PEOPLE, ["cyd"]],
  "a login group and a login user": [
    { login: { groups: ["login"], users: ["cyd"] } },
    PEOPLE,
    ["ada", "cyd"],
  ],
  "an empty list of login users": [{ login: { ...nobody, users: [] } }, PEOPLE, []],
  "a group that is unknown": [{ login: { ...nobody, groups: ["logn"] } }, PEOPLE, []],
  "a visible group": [{ visible: ["login"] }, ["ada", "dan"], ["ada"]],
  "a visible group, and login users outside it": [
    { visible: ["research"], login: { ...nobody, users: ["cyd"] } },
    ["bob", "cyd"],
    ["cyd"],
  ],
  "an empty list of visible groups": [{ visible: [] }, [], []],
  "somebody who is inactive, named to log in": [{ login: { ...nobody, users: ["dan"] } }, PEOPLE, []],
};

describe("the rules of a node admit", () => {
  for (const [what, [access, visible, login]] of Object.entries(TABLE)) {
    it(`as they say: ${what}`, () => {
      const admitted = admit(access);

      assert.deepEqual([admitted.visible, admitted.in], [visible, login]);
    });
  }

  it("whoever is only visible with name, uid and groups, and without key or shell", () => {
    const { directory } = admit({ login: { ...nobody, users: ["ada"] } });

    const bob = directory.users.find(({ name }) => String(name) === "bob");
    const research = directory.groups.find(({ name }) => String(name) === "research");
    assert.deepEqual(
      [bob?.uid, bob?.shell, bob?.keys, bob?.active],
      [10_002, "/usr/sbin/nologin", [], false],
    );
    assert.deepEqual(research?.members.map(String), ["bob"]);
  });

  it("no private group and no membership of somebody who is not there", () => {
    const { directory } = admit({ visible: ["login"] });

    const lines = directory.groups.map(({ name, members }) => `${name}: ${members.join(",")}`);
    assert.deepEqual(lines, ["ada: ", "all-staff: ", "dan: ", "login: ada", "research: "]);
  });

  it("nobody in the place of whom they name wrongly, and say who was probably meant", () => {
    const { problems } = admit({ visible: ["reserch"], login: { groups: ["login"], users: ["bop"] } });

    assert.deepEqual(
      problems.map(({ code, field, reason }) => `${code} ${field}: ${reason}`),
      [
        'access-unknown access.visible: "reserch" is not served on this node; did you mean "research"?',
        'access-unknown access.login.users: "bop" is not served on this node; did you mean "bob"?',
      ],
    );
  });

  it("nobody new: whoever could be served is known beside who is, as they were", () => {
    const rules = { ...RULES, access: { visible: ["login"], login: { ...nobody, users: [] } } };
    const { everybody, directory } = validateDirectory(someDrafts(users, groups), rules, BEFORE);

    assert.deepEqual(
      everybody.users.filter(({ active }) => active).map(({ name }) => String(name)),
      ACTIVE,
    );
    assert.deepEqual(
      directory.users.map(({ name, active }) => [String(name), active]),
      [
        ["ada", false],
        ["dan", false],
      ],
    );
  });

  it("hide people without withholding anything from them", () => {
    assert.deepEqual([...admit({ visible: ["login"] }).directory.withheld], []);
  });
});

describe("whoever is kept out", () => {
  const { directory } = admit({ login: { ...nobody, users: ["cyd"] } });

  it("is known to be so by the IAM or by a rule", () => {
    assert.deepEqual(
      directory.users.map(({ name, byRule }) => [name, byRule]),
      [
        ["ada", true],
        ["bob", true],
        ["cyd", undefined],
        ["dan", undefined],
      ],
    );
  });

  it("is shown with that reason", () => {
    const line = (name: string) => {
      const user = directory.users.find((one) => one.name === name);
      assert.ok(user !== undefined);
      const { uid, home, active, byRule = false } = user;
      return [
        diffLineOf({ event: "user-added", user: name, uid, home, active, byRule }).detail,
        diffLineOf({ event: "user-deactivated", user: name, byRule }).detail,
      ].join("; ");
    };

    assert.match(line("ada"), /, not let in by access\.login; not let in by access\.login: keeps the name/);
    assert.match(line("dan"), /, inactive in the IAM; inactive in the IAM: keeps the name/);
  });
});
