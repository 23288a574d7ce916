/**
 * A sync that dies at, or is refused, each of its file-system calls in turn: strace(1) does it to the real program.
 *
 * After each: every map is whole and old or new, whoever is in both versions is in each, nobody has a key who has none
 * in either, and a second run finishes the job and leaves nothing behind.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot, nodeRootAt, run } from "../support/node-root.ts";
import { aKey, aUser } from "../support/records.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const skip =
  spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0
    ? false
    : "missing: strace, or the right to trace";

/** How the node was, and what the IAM says now. */
const CASES: Readonly<Record<string, readonly [before: unknown[] | undefined, after: unknown[]]>> = {
  "a first sync": [undefined, [aUser(1), aUser(2)]],
  "somebody is added": [
    [aUser(1), aUser(2)],
    [aUser(1), aUser(2), aUser(3)],
  ],
  "somebody is removed": [
    [aUser(1), aUser(2), aUser(3)],
    [aUser(1), aUser(2)],
  ],
  "a key is replaced": [
    [aUser(1), aUser(2)],
    [aUser(1, { keys: [aKey(91)] }), aUser(2)],
  ],
};

/** Only the thread that does the file-system work: with a single one, strace counts its calls from 1. */
const CALLS = ["rename", "fsync", "fchmod", "fchown", "unlink", "mkdir", "chmod", "write"] as const;
/** Far more than any case makes of one call. */
const MOST = 120;

interface Version {
  readonly maps: readonly (string | undefined)[];
  readonly keys: Readonly<Record<string, string | undefined>>;
}

const MAPS = ["passwd", "group", "shadow", "sshkey"];

function versionOf(node: NodeRoot): Version {
  const directory = join(node.path, "etc/ssh/authorized_keys.d");
  const names = globSync("[!.]*", { cwd: directory });
  return {
    maps: MAPS.map((map) => node.read(`/etc/${map}.cache`)),
    keys: Object.fromEntries(names.map((name) => [name, node.read(`/etc/ssh/authorized_keys.d/${name}`)])),
  };
}

const namesIn = (map: string | undefined) =>
  (map ?? "")
    .split("\n")
    .map((line) => line.split(":")[0] ?? "")
    .filter(Boolean);
const leftovers = (node: NodeRoot) => globSync("**/.rollcall-*", { cwd: node.path });

function assertWhole(
  found: Version,
  { old, fresh }: { readonly old: Version; readonly fresh: Version },
  where: string,
): void {
  found.maps.forEach((map, nth) =>
    assert.ok(
      map === old.maps[nth] || map === fresh.maps[nth],
      `${where}: ${MAPS[nth]} is neither old nor new:\n${map}`,
    ),
  );
  const kept = namesIn(old.maps[1 - 1]).filter((name) => namesIn(fresh.maps[0]).includes(name));
  assert.deepEqual(
    kept.filter((name) => !namesIn(found.maps[0]).includes(name)),
    [],
    `${where}: somebody in both is missing`,
  );
  for (const [name, keys] of Object.entries(found.keys)) {
    assert.ok(
      keys === old.keys[name] || keys === fresh.keys[name],
      `${where}: the keys of ${name} are neither old nor new`,
    );
  }
  const lost = kept.filter(
    (name) =>
      old.keys[name] !== undefined && fresh.keys[name] !== undefined && found.keys[name] === undefined,
  );
  assert.deepEqual(lost, [], `${where}: somebody in both has no key`);
}

/** A copy of a node, for one injection. */
function copyOf(node: NodeRoot): NodeRoot {
  const path = mkdtempSync(join(tmpdir(), "rollcall-fault-"));
  cpSync(node.path, path, { recursive: true, preserveTimestamps: true });
  rmSync(join(path, "run"), { recursive: true, force: true });
  return nodeRootAt(path);
}

async function inject(node: NodeRoot, call: string, what: string) {
  return run(
    "strace",
    [
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `trace=${call}`,
      "-e",
      `inject=${call}:${what}`,
      process.execPath,
      MAIN,
      "--root",
      node.path,
      "sync",
    ],
    { UV_THREADPOOL_SIZE: "1" },
  );
}

async function everyPoint(
  what: (nth: number) => string,
  calls: readonly string[],
  judge: (one: {
    readonly node: NodeRoot;
    readonly where: string;
    readonly old: Version;
    readonly fresh: Version;
    readonly code: number | null;
  }) => Promise<void>,
): Promise<number> {
  let points = 0;
  for (const [name, [before, after]] of Object.entries(CASES)) {
    using start = makeNodeRoot();
    await using iam = await startFakeIam(before ?? [], []);
    start.configure(iam.url);
    if (before !== undefined) {
      assert.equal((await start.rollcall("sync")).code, 0);
    }
    const old = versionOf(start);
    iam.users = [...after];
    using end = copyOf(start);
    assert.equal((await end.rollcall("sync")).code, 0);
    const fresh = versionOf(end);
    for (const call of calls) {
      for (let nth = 1, isHit = true; isHit && nth < MOST; nth += 1) {
        using node = copyOf(start);
        const ran = await inject(node, call, what(nth));
        isHit = ran.code !== 0;
        points += isHit ? 1 : 0;
        await (isHit && judge({ node, where: `${name}, ${call} ${nth}`, old, fresh, code: ran.code }));
      }
    }
  }
  return points;
}

describe("a sync that is killed at each of its file-system calls", { skip, timeout: 1_500_000 }, () => {
  it("leaves the old, the new, or a mix that is whole; the next run finishes it", async () => {
    const points = await everyPoint(
      (nth) => `signal=SIGKILL:when=${nth}`,
      CALLS,
      async ({ node, where, old, fresh }) => {
        assertWhole(versionOf(node), { old, fresh }, where);

        const second = await node.rollcall("sync");

        assert.equal(second.code, 0, `${where}: ${second.err}`);
        assert.deepEqual(versionOf(node), fresh, where);
        assert.deepEqual(leftovers(node), [], where);
        assert.ok(
          readdirSync(join(node.path, "home")).every((home) => !home.startsWith(".")),
          where,
        );
      },
    );

    console.log(`      killed at ${points} points`);
    assert.ok(points > 100);
  });
});

describe("a sync that is refused one of its file-system calls", { skip, timeout: 1_500_000 }, () => {
  for (const error of ["EIO", "ENOSPC", "EACCES", "EROFS", "EMFILE"]) {
    it(`with ${error} loses nothing, says so, and the next run finishes it`, async () => {
      const points = await everyPoint(
        (nth) => `error=${error}:when=${nth}`,
        ["rename", "fsync", "fchmod", "unlink"],
        async ({ node, where, old, fresh, code }) => {
          assert.equal(code, 1, where);
          assertWhole(versionOf(node), { old, fresh }, where);

          const second = await node.rollcall("sync");

          assert.equal(second.code, 0, `${where}: ${second.err}`);
          assert.deepEqual(versionOf(node), fresh, where);
          assert.deepEqual(leftovers(node), [], where);
        },
      );

      console.log(`      ${error} at ${points} points`);
      assert.ok(points > 20);
    });
  }
});
