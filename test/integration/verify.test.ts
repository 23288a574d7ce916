/**
 * Files of a real node that somebody else touches: found, told, and put back.
 */

import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { aGroup, aKey, someUsers } from "../support/records.ts";

const MAP = "/etc/passwd.cache";
const INDEX = "/etc/passwd.cache.ixname";
const KEYS = "/etc/ssh/authorized_keys.d/user2";

/** Same size, same times: only the bytes differ. */
function editInSecret(path: string): void {
  const { atime, mtime } = statSync(path);
  const text = Buffer.alloc(statSync(path).size, "#");
  writeFileSync(path, text);
  utimesSync(path, atime, mtime);
}

const TOUCHES: readonly [what: string, file: string, touch: (path: string) => void, how: string][] = [
  ["a line is added to a map", MAP, (path) => appendFileSync(path, "x:x:0:0::/:/bin/sh\n"), "changed"],
  ["a map is emptied", MAP, (path) => truncateSync(path), "emptied"],
  ["a map is cut", MAP, (path) => truncateSync(path, 30), "changed"],
  ["a map is removed", MAP, (path) => rmSync(path), "deleted"],
  ["a map is edited without a trace in size and time", MAP, editInSecret, "changed"],
  ["an index is removed", INDEX, (path) => rmSync(path), "deleted"],
  ["a key is added", KEYS, (path) => appendFileSync(path, `${aKey(999)}\n`), "changed"],
  ["a key file is emptied", KEYS, (path) => truncateSync(path), "emptied"],
  ["a key file is removed", KEYS, (path) => rmSync(path), "deleted"],
  ["a key file is opened to others", KEYS, (path) => chmodSync(path, 0o666), "mode or owner changed"],
];

async function inStep(node: NodeRoot) {
  const iam = await startFakeIam(someUsers(3), [aGroup(1, ["u-1", "u-2"])]);
  node.configure(iam.url, "caches: { index: always }\n");
  assert.equal((await node.rollcall("sync")).code, 0);
  return iam;
}

/** What is published, without the room that a line leaves behind. */
const contentOf = (node: NodeRoot) =>
  [MAP, INDEX, KEYS, "/etc/group.cache"].map((path) => node.read(path)?.replaceAll(/^#- *\n/gm, ""));

describe("verify and the next sync", () => {
  for (const [what, file, touch, how] of TOUCHES) {
    it(`tell and put back when ${what}`, async () => {
      using node = makeNodeRoot();
      await using _iam = await inStep(node);
      const before = contentOf(node);
      touch(join(node.path, file));

      const found = await node.rollcall("verify");
      const synced = await node.rollcall("sync");
      const after = await node.rollcall("verify");

      assert.equal(found.code, 1);
      assert.ok(found.out.includes(`"${file}"  ${how}`), found.out);
      assert.equal(synced.code, 0, synced.err);
      assert.match(synced.out, new RegExp(`file +${file} |${file.split("/").at(-1)}`));
      assert.deepEqual(contentOf(node), before);
      assert.equal(after.code, 0, after.out);
    });
  }

  it("say that nothing was touched after a sync, and after one that changes nothing", async () => {
    using node = makeNodeRoot();
    await using _iam = await inStep(node);

    const first = await node.rollcall("verify", "--json");
    await node.rollcall("sync");
    const second = await node.rollcall("verify", "--json");

    // Four maps, their six indexes, three key files.
    assert.deepEqual(JSON.parse(first.out), { ok: true, files: 4 + 6 + 3, differences: [], own: [] });
    assert.deepEqual(JSON.parse(second.out), JSON.parse(first.out));
  });

  it("tell of a planted key file, and of the key file of a local account, which is the admin's own", async () => {
    using node = makeNodeRoot();
    await using _iam = await inStep(node);
    node.write("/etc/ssh/authorized_keys.d/localadmin", `${aKey(1)}\n`);
    node.write("/etc/ssh/authorized_keys.d/mallory", `${aKey(2)}\n`);

    const { code, out } = await node.rollcall("verify", "--json");

    const { differences, own } = JSON.parse(out);
    assert.equal(code, 1);
    assert.deepEqual(differences, [{ path: "/etc/ssh/authorized_keys.d/mallory", how: "not Rollcall's" }]);
    assert.deepEqual(own, ["/etc/ssh/authorized_keys.d/localadmin"]);
  });

  it("have nothing to go by before the first sync, and say so", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([], []);
    node.configure(iam.url);

    const { code, out } = await node.rollcall("verify");

    assert.equal(code, 1);
    assert.match(out, /Nothing was published.*rollcall sync/);
  });
});
