/**
 * Whether Debian's sshd lets in exactly those whom the IAM says, with every way of learning their keys.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Resource } from "../support/fake-iam.ts";
import {
  type KeyPair,
  type LoginNode,
  NO_KEY_FILES,
  type SshdMode,
  startLoginNode,
} from "../support/login-node.ts";
import { missing } from "../support/namespace.ts";
import { configFor, type Ran } from "../support/node-root.ts";
import { aUser } from "../support/records.ts";

const MODES: Readonly<Record<string, SshdMode>> = {
  "a key file for each user": { usePam: true, keysFrom: "files" },
  "a key file for each user and UsePAM no": { usePam: false, keysFrom: "files" },
  "rollcall keys as the AuthorizedKeysCommand": { usePam: true, keysFrom: "command" },
};

const KEY_TYPES: readonly (readonly [type: string, bits: number])[] = [
  ["ed25519", 256],
  ["ecdsa", 256],
  ["ecdsa", 384],
  ["ecdsa", 521],
  ["rsa", 3072],
];

const skip = missing("namespaces", "libnss-cache", "sshd");

for (const [title, mode] of Object.entries(MODES)) {
  describe(`sshd with ${title}`, () => {
    it("lets a user in with a key of every type, into a home of their own", { skip }, async () => {
      await using door = await startLoginNode(mode);
      const keys = await Promise.all(KEY_TYPES.map(([type, bits]) => door.makeKey(type, bits)));
      await door.serve([ada(keys)]);

      const logins = await Promise.all(
        keys.flatMap((key) => {
          const attempt = { user: "ada", key, command: 'id -un; pwd; stat -c "%U %a" .' };
          return [door.openSsh(attempt), door.ssh2(attempt)];
        }),
      );

      const inside = { code: 0, out: "ada\n/home/ada\nada 700\n", err: "" };
      assert.deepEqual(
        logins,
        keys.flatMap(() => [inside, inside]),
      );
    });

    it("shuts out a key that the IAM has lost, and no other key of the same user", { skip }, async () => {
      await using door = await startLoginNode(mode);
      const [kept, lost] = [await door.makeKey(), await door.makeKey()];
      await door.serve([ada([kept, lost])]);
      const before = await areLetIn(door, [
        ["ada", kept],
        ["ada", lost],
      ]);

      await door.serve([ada([kept])]);

      const after = await areLetIn(door, [
        ["ada", kept],
        ["ada", lost],
      ]);
      assert.deepEqual({ before, after }, { before: [true, true], after: [true, false] });
    });

    it("shuts out a user whom the IAM has deactivated, and nobody else", { skip }, async () => {
      await using door = await startLoginNode(mode);
      const [adas, bobs] = [await door.makeKey(), await door.makeKey()];
      await door.serve([ada([adas]), bob([bobs])]);
      const before = await areLetIn(door, [
        ["ada", adas],
        ["bob", bobs],
      ]);

      await door.serve([ada([adas]), { ...bob([bobs]), active: false }]);

      const after = await areLetIn(door, [
        ["ada", adas],
        ["bob", bobs],
      ]);
      const keys = await door.node.rollcall("keys", "bob");
      assert.equal(keys.out, "");
      assert.deepEqual({ before, after }, { before: [true, true], after: [true, false] });
    });

    it("gives nobody the keys of a user whose name merely begins alike", { skip }, async () => {
      await using door = await startLoginNode(mode);
      const names = ["al", "ala", "alan"];
      const keys = await Promise.all(names.map(() => door.makeKey()));
      await door.serve(names.map((name, nth) => aUser(nth + 1, { name, keys: keys[nth]?.line })));

      const letIn = await Promise.all(
        names.map((user) =>
          areLetIn(
            door,
            keys.map((key) => [user, key]),
          ),
        ),
      );

      assert.deepEqual(letIn, [
        [true, false, false],
        [false, true, false],
        [false, false, true],
      ]);
    });
  });
}

describe("keys in the sshkey map alone", () => {
  const hasNoFiles = async (door: LoginNode) =>
    assert.equal((await door.node.run("ls", "-A", "/etc/ssh/authorized_keys.d")).out, "");

  it("are rotated, taken with their user, locked while the IAM is not heard, and given back", {
    skip,
  }, async () => {
    await using door = await startLoginNode({ usePam: true, keysFrom: "map" });
    const [kept, old, newer] = [await door.makeKey(), await door.makeKey(), await door.makeKey()];
    const pairs = [
      ["ada", kept],
      ["ada", old],
      ["ada", newer],
      ["bob", old],
    ] as const;
    const letIn = (...nths: number[]) =>
      Promise.all(nths.map((nth) => isLetIn(door, pairs[nth] ?? pairs[0])));
    const more =
      "stale: { warnAfter: 1s, lockAfter: 1s }\nschedule: { fullEvery: 1s }\ncaches: { index: always }\n";
    await door.node.write("/etc/rollcall/rollcall.yaml", configFor(door.iam.url, `${NO_KEY_FILES}${more}`));

    await door.serve([ada([kept, old]), bob([old])]);
    const before = await letIn(0, 1, 2, 3);
    await door.serve([ada([kept, newer]), { ...bob([old]), active: false }]);
    const rotated = await letIn(0, 1, 2, 3);
    await sleep(2500);
    const locked = await door.node.rollcall("sync", "--offline");
    const away = await letIn(0, 2);
    await door.serve([ada([kept, newer]), bob([old])]);
    const back = await letIn(0, 3);

    assert.equal(locked.code, 0, locked.out + locked.err);
    assert.deepEqual(
      { before, rotated, away, back },
      {
        before: [true, true, false, true],
        rotated: [true, false, true, false],
        away: [false, false],
        back: [true, true],
      },
    );
    await hasNoFiles(door);
  });

  it("take the place of files and give it back, and nobody who knocks meanwhile is shut out", {
    skip,
  }, async () => {
    await using door = await startLoginNode({ usePam: true, keysFrom: "map" });
    const [kept, lost] = [await door.makeKey(), await door.makeKey()];
    const [now, next] = ["/etc/rollcall/rollcall.yaml", "/etc/rollcall/next.yaml"];
    await door.node.write(now, configFor(door.iam.url));
    await door.serve([ada([kept, lost])]);
    const answers: Ran[] = [];
    const knocking = { isOver: false };
    const knocker = (async () => {
      while (!knocking.isOver && answers.length < 500) {
        answers.push(await door.openSsh({ user: "ada", key: kept, command: "id -un" }));
      }
    })();

    await door.node.write(next, configFor(door.iam.url, NO_KEY_FILES));
    await door.node.run("mv", next, now);
    await door.serve([ada([kept])]);
    const left = await door.node.read("/etc/ssh/authorized_keys.d/ada");
    const there = [await isLetIn(door, ["ada", kept]), await isLetIn(door, ["ada", lost])];
    await door.node.write(next, configFor(door.iam.url));
    const synced = await door.node.rollcall("sync", "--config", next);
    await door.node.run("mv", next, now);
    const back = [await isLetIn(door, ["ada", kept]), await isLetIn(door, ["ada", lost])];
    knocking.isOver = true;
    await knocker;

    assert.equal(synced.code, 0, synced.out + synced.err);
    assert.deepEqual([left.includes(kept.line), left.includes(lost.line)], [true, false]);
    assert.deepEqual({ there, back }, { there: [true, false], back: [true, false] });
    assert.ok(answers.length > 3);
    assert.deepEqual(
      answers.filter(({ code }) => code !== 0),
      [],
    );
  });
});

describe("an inactive user", () => {
  const reasons = [
    { usePam: true, reason: "Access denied for user bob by PAM account configuration" },
    { usePam: false, reason: "Account bob has expired" },
  ];
  for (const { usePam, reason } of reasons) {
    const pam = usePam ? "yes" : "no";
    it(`is shut out with UsePAM ${pam}, even with a key file planted by hand`, { skip }, async () => {
      await using door = await startLoginNode({ usePam, keysFrom: "files" });
      const key = await door.makeKey();
      await door.serve([ada([]), { ...bob([]), active: false }]);
      await door.node.write("/etc/ssh/authorized_keys.d/ada", `${key.line}\n`);
      await door.node.write("/etc/ssh/authorized_keys.d/bob", `${key.line}\n`);

      const letIn = await areLetIn(door, [
        ["ada", key],
        ["bob", key],
      ]);

      assert.deepEqual(letIn, [true, false]);
      await door.logged(reason);
    });
  }
});

describe("a new home", () => {
  it("holds the skeleton as it is in /etc/skel, owned by the user", { skip }, async () => {
    await using door = await startLoginNode({ usePam: true, keysFrom: "files" });
    const key = await door.makeKey();
    await door.node.write("/etc/skel/.config/app.conf", "colour=blue\n", 0o600);
    await door.serve([ada([key])]);

    const found = await door.openSsh({
      user: "ada",
      key,
      command: 'find . -mindepth 1 -printf "%u:%g %m %P\\n" | sort; cat .config/app.conf',
    });

    const skeleton = await door.node.run("sh", "-c", 'find /etc/skel -mindepth 1 -printf "%m %P\\n"');
    const entries = skeleton.out.trim().split("\n");
    const expected = entries.map((entry) => `ada:ada ${entry}\n`).sort();
    assert.match(skeleton.out, /^600 \.config\/app\.conf$/m);
    assert.deepEqual(found, { code: 0, out: `${expected.join("")}colour=blue\n`, err: "" });
  });
});

function ada(keys: readonly KeyPair[]): Resource {
  return aUser(1, { name: "ada", keys: keys.map(({ line }) => line) });
}

function bob(keys: readonly KeyPair[]): Resource {
  return aUser(2, { name: "bob", keys: keys.map(({ line }) => line) });
}

/** Whether a key lets its user in, as OpenSSH's client finds it. */
async function isLetIn(
  door: LoginNode,
  [user, key]: readonly [user: string, key: KeyPair],
): Promise<boolean> {
  const { code, out } = await door.openSsh({ user, key, command: "id -un" });
  return code === 0 && out === `${user}\n`;
}

/** Whether each key lets its user in; both clients must find the same. */
function areLetIn(
  door: LoginNode,
  pairs: readonly (readonly [user: string, key: KeyPair])[],
): Promise<boolean[]> {
  return Promise.all(
    pairs.map(async ([user, key]) => {
      const attempt = { user, key, command: "id -un" };
      const answers = await Promise.all([door.openSsh(attempt), door.ssh2(attempt)]);
      const [openSsh, ssh2] = answers.map(({ code, out }) => code === 0 && out === `${user}\n`);
      assert.equal(openSsh, ssh2, `the clients disagree: ${JSON.stringify(answers)}`);
      return openSsh === true;
    }),
  );
}
