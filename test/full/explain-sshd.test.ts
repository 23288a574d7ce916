/**
 * Whether `explain` says of a person what Debian's sshd does with them, whatever lies on the node.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KeyPair, type LoginNode, startLoginNode } from "../support/login-node.ts";
import { missing } from "../support/namespace.ts";
import { aKey, aUser } from "../support/records.ts";

const skip = missing("namespaces", "libnss-cache", "sshd");
const ADA = { id: "ada", name: "ada", uid: 7001 };
const KEY_FILE = "/etc/ssh/authorized_keys.d/ada";

interface Keys {
  /** What the IAM and the node have. */
  readonly hers: KeyPair;
  readonly newer: KeyPair;
}

type Change = (door: LoginNode, keys: Keys) => unknown;

const inside =
  (...script: string[]): Change =>
  ({ node }) =>
    node.run("sh", "-euc", script.join("\n"));
const given =
  (fields: Parameters<typeof aUser>[1]): Change =>
  ({ iam }, { hers }) =>
    void (iam.users = [aUser(1, { ...ADA, keys: [hers.line], ...fields })]);
const synced =
  (...changes: Change[]): Change =>
  async (door, keys) => {
    for (const change of changes) {
      await change(door, keys);
    }
    await door.node.rollcall("sync");
  };
const renewed: Change = (door, keys) => given({ keys: [keys.newer.line] })(door, keys);

/** What is done to a node where ada can log in, and the first broken link. */
const CHANGES: Readonly<Record<string, readonly [change: Change, broken: string | null]>> = {
  nothing: [() => undefined, null],
  "her home is somebody else's": [inside("chown 4711:4711 /home/ada"), null],
  "her home is gone": [inside("rm -r /home/ada"), null],
  "a file stands where her home should be": [inside("rm -r /home/ada", "touch /home/ada"), null],
  "the place of homes is open to everybody": [inside("rm -r /home/ada", "chmod 777 /home"), null],
  "she is in no line of the group map": [inside(": > /etc/group.cache"), null],
  "the IAM says inactive, and no sync has seen it": [given({ active: false }), "active"],
  "the IAM says inactive": [synced(given({ active: false })), "active"],
  "the IAM has no key of hers": [synced(given({ keys: [] })), "keys"],
  "the IAM has a new key, and no sync has seen it": [renewed, "keys"],
  "the IAM gives her a shell that lets nobody in": [synced(given({ shell: "/usr/sbin/nologin" })), "shell"],
  "the IAM gives her a shell that is not installed": [
    synced(inside("echo /usr/bin/fancy >> /etc/shells"), given({ shell: "/usr/bin/fancy" })),
    "shell",
  ],
  "her line of the passwd map is gone": [inside("sed -i /^ada:/d /etc/passwd.cache"), "maps"],
  "her line of the shadow map is gone": [inside("sed -i /^ada:/d /etc/shadow.cache"), "maps"],
  "her account is expired by hand": [inside("sed -i 's/^ada:.*/ada:!::::::1:/' /etc/shadow.cache"), "maps"],
  "her key file is gone": [inside(`rm ${KEY_FILE}`), "keys"],
  "her key file is writable for others": [inside(`chmod 0666 ${KEY_FILE}`), "keys"],
  "her key file is readable for root alone": [inside(`chmod 0600 ${KEY_FILE}`), "keys"],
  "her key file is somebody else's": [inside(`chown 4711:4711 ${KEY_FILE}`), "keys"],
  "her key file is her own": [inside(`chown 7001 ${KEY_FILE}`, `chmod 0600 ${KEY_FILE}`), null],
  "an admin has put another key in its place": [inside(`echo '${aKey(9)}' > ${KEY_FILE}`), "keys"],
  "the IAM is gone": [
    ({ iam }) => void (iam.misbehave = (_request, response) => Boolean(response.writeHead(503).end())),
    null,
  ],
};

describe("explain", { skip }, () => {
  it("says of somebody with the key that the IAM has what sshd does with them", async () => {
    await using door = await startLoginNode({ usePam: true, keysFrom: "files" });
    const keys = { hers: await door.makeKey(), newer: await door.makeKey() };
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [what, [change, broken]] of Object.entries(CHANGES)) {
      door.iam.misbehave = undefined;
      await inside("chmod 755 /home", "rm -rf /home/ada", `rm -f ${KEY_FILE}`)(door, keys);
      await synced(given({}))(door, keys);
      await change(door, keys);

      const { code, out } = await door.node.rollcall("--json", "explain", "ada");
      const key = change === renewed ? keys.newer : keys.hers;
      const login = await door.openSsh({ user: "ada", key, command: "id -u" });

      const { canLogIn, firstBroken } = JSON.parse(out);
      const isIn = login.code === 0 && login.out === "7001\n";
      found[what] = { canLogIn, code, firstBroken };
      expected[what] = { canLogIn: isIn, code: isIn ? 0 : 1, firstBroken: broken };
    }

    assert.deepEqual(found, expected);
  });
});
