/**
 * A daemon that starts anew on a node in trouble: whoever could log in before can log in, by the real sshd, and the node
 * goes on as soon as the trouble is over.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Resource } from "../support/fake-iam.ts";
import { type KeyPair, type LoginNode, startLoginNode } from "../support/login-node.ts";
import { missing, PROGRAM } from "../support/namespace.ts";
import { aUser } from "../support/records.ts";

interface Trouble {
  /** What goes wrong while no daemon runs. */
  readonly begin: (door: LoginNode) => Promise<void>;
  /** What the daemon's command line is put behind. */
  readonly prefix?: readonly string[];
  /** What the daemon logs once it has found out. */
  readonly logs: string;
  readonly end: (door: LoginNode) => Promise<void>;
}

const inside = (script: string) => async (door: LoginNode) => {
  const { code, err } = await door.node.run("sh", "-euc", script);
  assert.equal(code, 0, err);
};

const loseTheIam = (door: LoginNode) => {
  door.iam.misbehave = (_request, response) => {
    response.destroy();
    return true;
  };
};
const findTheIam = async (door: LoginNode) => {
  door.iam.misbehave = undefined;
};

/** Each of these is a small file system of the namespace's own: no page is left in it. */
const FILL =
  "for d in /etc /var /run; do mount -o remount,size=$(df -k --output=used $d | tail -n 1 | tr -d ' ')k $d; done";

const TROUBLES: Readonly<Record<string, Trouble>> = {
  "the IAM is down": {
    begin: async (door) => loseTheIam(door),
    logs: "in step with what the IAM said when it was last believed",
    end: findTheIam,
  },
  "every file of the state directory is damaged": {
    begin: inside('for f in /var/lib/rollcall/*; do head -c 300 /dev/urandom > "$f"; done'),
    logs: '"msg":"in step"',
    end: async () => undefined,
  },
  "every file of the state directory is damaged, and the IAM is down": {
    begin: async (door) => {
      loseTheIam(door);
      await inside('for f in /var/lib/rollcall/*; do head -c 300 /dev/urandom > "$f"; done')(door);
    },
    logs: "sync failed",
    end: findTheIam,
  },
  "the state directory is gone": {
    begin: inside("rm -rf /var/lib/rollcall"),
    logs: '"msg":"in step"',
    end: async () => undefined,
  },
  "every disk is full": {
    begin: inside(FILL),
    logs: "sync failed",
    end: inside("for d in /etc /var /run; do mount -o remount,size=100m $d; done"),
  },
  "the clock was set back by a year": {
    begin: async () => undefined,
    prefix: ["faketime", "-f", "-365d"],
    logs: '"msg":"in step"',
    end: async () => undefined,
  },
  "the clock was set back by a year, and the IAM is down": {
    begin: async (door) => loseTheIam(door),
    prefix: ["faketime", "-f", "-365d"],
    logs: "in step with what the IAM said when it was last believed",
    end: findTheIam,
  },
};

const skip = missing("namespaces", "libnss-cache", "sshd", "faketime");
const RUN = [PROGRAM[0], PROGRAM[1], "run"] as const;
const SCHEDULE = "schedule: { every: 1s, splay: 0s }\nstale: { lockAfter: 1h }\n";

describe("a daemon that starts when", { skip }, () => {
  for (const [what, { begin, prefix = [], logs, end }] of Object.entries(TROUBLES)) {
    it(`${what} keeps the door open to the same people, and serves the next one afterwards`, async () => {
      await using door = await startLoginNode({ usePam: true, keysFrom: "files" });
      const [ada, eve] = [await door.makeKey(), await door.makeKey()];
      const config = await door.node.read("/etc/rollcall/rollcall.yaml");
      await door.node.write("/etc/rollcall/rollcall.yaml", `${config}${SCHEDULE}`);
      await door.serve([person(1, "ada", ada), person(2, "bob", eve), person(3, "cyd", eve)]);
      await door.serve([person(1, "ada", ada), { ...person(2, "bob", eve), active: false }]);
      await begin(door);

      await using daemon = door.node.start("env", ...prefix, ...RUN);
      await daemon.printed(logs);
      const during = await lettingIn(door, { ada, bob: eve, cyd: eve });
      await end(door);
      door.iam.users = [...door.iam.users, person(4, "dora", ada)];
      const next = await eventually(async () => (await lettingIn(door, { dora: ada })).length === 1);

      assert.deepEqual(during, ["ada"]);
      assert.ok(next, "dora is never served");
      assert.deepEqual(await lettingIn(door, { ada, bob: eve, cyd: eve }), ["ada"]);
    });
  }
});

function person(nth: number, name: string, key: KeyPair): Resource {
  return aUser(nth, { name, keys: [key.line] });
}

/** Who gets in, each with the key beside the name. */
async function lettingIn(door: LoginNode, keys: Readonly<Record<string, KeyPair>>): Promise<string[]> {
  const answers = await Promise.all(
    Object.entries(keys).map(async ([user, key]) => {
      const { code, out } = await door.openSsh({ user, key, command: "id -un" });
      return code === 0 && out === `${user}\n` ? [user] : [];
    }),
  );
  return answers.flat();
}

/** Looks again for half a minute at most. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (let looks = 0; looks < 60; looks += 1) {
    if (await holds()) {
      return true;
    }
    await sleep(500);
  }
  return false;
}
