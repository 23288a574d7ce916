/**
 * Whether Debian's sshd lets in exactly those whom the IAM says, with both ways of learning their keys.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Resource } from "../support/fake-iam.ts";
import { type KeyPair, type LoginNode, type SshdMode, startLoginNode } from "../support/login-node.ts";
import { missing } from "../support/namespace.ts";
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
