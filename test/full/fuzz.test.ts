/**
 * A hundred thousand records of every kind: nothing they hold may become a line, an id or a file of its own.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseGroup } from "../../src/formats/group.ts";
import { parsePasswd } from "../../src/formats/passwd.ts";
import { SENTINELS } from "../../src/formats/sentinel.ts";
import { parseSshkey } from "../../src/formats/sshkey.ts";
import { planChanges } from "../../src/plan/plan.ts";
import { validateDirectory } from "../../src/validate/directory.ts";
import { anEmptyNode, BEFORE, LOCAL, PLAN_SETTINGS, RULES, someDrafts } from "../support/drafts.ts";
import { afterPlan } from "../support/simulated-node.ts";
import { wildGroupDraft, wildUserDraft } from "../support/wild.ts";

const RECORDS = 100_000;
const AT_A_TIME = 20;

describe("a hundred thousand wild records", () => {
  it("inject no line, take no id that is not theirs, and leave no directory", () => {
    let seen = 0;
    let served = 0;
    const users = fc.array(wildUserDraft(), { minLength: AT_A_TIME, maxLength: AT_A_TIME });
    const groups = fc.array(wildGroupDraft(), { maxLength: 3 });
    fc.assert(
      fc.property(users, groups, (userDrafts, groupDrafts) => {
        const { directory } = validateDirectory(someDrafts(userDrafts, groupDrafts), RULES, BEFORE);
        const { maps, keyFiles } = afterPlan(
          anEmptyNode(),
          planChanges(directory, anEmptyNode(), PLAN_SETTINGS),
        );
        const bytesOf = (map: keyof typeof maps) => maps[map].data?.bytes ?? new Uint8Array();
        const textOf = (map: keyof typeof maps) => Buffer.from(bytesOf(map)).toString();
        const linesOf = (map: keyof typeof maps) => textOf(map).split("\n").length - 1;
        const servedIn = (map: keyof typeof SENTINELS) => {
          // One line that nobody asked for, the last one, and no other of its name.
          const { name, line } = SENTINELS[map];
          const lines = textOf(map).split("\n");
          assert.equal(lines.at(-2), line);
          assert.equal(lines.filter((one) => one.startsWith(`${name}:`)).length, 1);
          return linesOf(map) - 1;
        };
        seen += userDrafts.length;
        served += directory.users.length;

        assert.deepEqual(
          [servedIn("passwd"), servedIn("shadow"), linesOf("sshkey")],
          Array.from({ length: 3 }, () => directory.users.length),
        );
        assert.equal(servedIn("group"), directory.groups.length);
        assert.equal(parseSshkey(bytesOf("sshkey")).length, directory.users.length);
        for (const { name, uid, gid, home, shell } of parsePasswd(bytesOf("passwd"))) {
          assert.ok(
            uid >= 1000 &&
              uid <= 2_147_483_647 &&
              gid >= 1000 &&
              !LOCAL.uids.has(uid) &&
              !LOCAL.gids.has(gid),
          );
          assert.match(name, /^[a-z_][a-z0-9_.-]{0,31}$/);
          assert.match(home, /^\/home\/[^:\n]+$/);
          assert.match(shell, /^\/[^:\n]+$/);
        }
        for (const { name, gid } of parseGroup(bytesOf("group"))) {
          assert.ok(gid >= 1000 && !LOCAL.gids.has(gid) && !LOCAL.groupNames.has(name) && name !== "docker");
        }
        for (const [file, { bytes }] of keyFiles) {
          assert.match(file, /^[a-z_][a-z0-9_.-]{0,31}$/);
          const keyLines = Buffer.from(bytes).toString().split("\n").slice(1, -1);
          assert.ok(
            keyLines.every((line) => /^ssh-ed25519 [A-Za-z0-9+/=]+( |$)/.test(line)),
            keyLines.join("\n"),
          );
        }
      }),
      { numRuns: RECORDS / AT_A_TIME },
    );

    assert.ok(seen >= RECORDS);
    assert.ok(served > RECORDS / 20, `only ${served} of ${seen} were served, so little was tested`);
  });
});
