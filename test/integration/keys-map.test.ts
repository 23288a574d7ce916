/**
 * `rollcall keys USER` out of the sshkey map: what it believes, and what it prints while the map is published again and again.
 */

import assert from "node:assert/strict";
import { chmodSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { applyPublishMap } from "../../src/apply/caches.ts";
import { keysOf } from "../../src/daemon/keys-of.ts";
import { renderLines } from "../../src/formats/lines.ts";
import { renderSshkey } from "../../src/formats/sshkey.ts";
import type { PublishMap } from "../../src/model/plan.ts";
import { sshkeyStep } from "../../src/plan/caches.ts";
import { anEmptyNode } from "../support/drafts.ts";
import { startFakeIam } from "../support/fake-iam.ts";
import { configFor, makeNodeRoot } from "../support/node-root.ts";
import { aKey, aUser } from "../support/records.ts";
import { aDirectoryOf } from "../support/wild.ts";

const SETTINGS = {
  keys: { files: false, directory: "/keys" },
  caches: { directory: "/etc", index: "always" },
} as const;

describe("keys USER with keys.files off", () => {
  it("prints what the last sync published, and refuses a map that is not root's alone or no file", async () => {
    await using iam = await startFakeIam(
      [aUser(1, { name: "ada", keys: [aKey(1), aKey(2)] }), aUser(2, { name: "adam", keys: [aKey(3)] })],
      [],
    );
    using node = makeNodeRoot();
    node.write("/etc/rollcall/rollcall.yaml", `${configFor(iam.url)}keys: { files: false }\n`);
    const synced = await node.rollcall("sync");
    const map = join(node.path, "etc/sshkey.cache");

    const [ada, adam, nobody] = [
      await node.rollcall("keys", "ada"),
      await node.rollcall("keys", "adam"),
      await node.rollcall("keys", "ad"),
    ];
    chmodSync(map, 0o666);
    const open = await node.rollcall("keys", "ada");
    chmodSync(map, 0o644);
    renameSync(map, `${map}.away`);
    symlinkSync(`${map}.away`, map);
    const linked = await node.rollcall("keys", "ada");

    assert.equal(synced.code, 0, synced.err);
    assert.doesNotMatch(synced.out, /key file/);
    assert.equal(ada.out, `${aKey(1)}\n${aKey(2)}\n`);
    assert.equal(adam.out, `${aKey(3)}\n`);
    assert.deepEqual([nobody.code, nobody.out], [0, ""]);
    assert.deepEqual([open.code, open.out], [1, ""]);
    assert.match(
      open.err,
      /sshkey\.cache can be written by others than root.*chmod go-w.*\[node-unreadable\]/,
    );
    assert.deepEqual([linked.code, linked.out], [1, ""]);
    assert.match(linked.err, /is a symbolic link, so it is not read/);
  });

  it("never misses or mistakes anybody while the map is published", async () => {
    using node = makeNodeRoot();
    const versions = [0, 1, 2, 3].map((version) => mapOf(version));
    const settings = { root: node.path, caches: SETTINGS.caches };
    const publish = async (nth: number) => {
      const step = versions[nth % versions.length];
      // Every other one without its index, or with one that is damaged.
      await (step &&
        applyPublishMap(
          nth % 5 === 0 ? { ...step, indexes: [], retired: step.indexes.map(({ name }) => name) } : step,
          settings,
        ));
      if (nth % 7 === 0) {
        writeFileSync(join(node.path, "etc/sshkey.cache.ixname"), "damaged\n");
      }
    };
    await publish(1);
    const seen = { published: 0, looked: 0, isOver: false };
    const publisher = (async () => {
      for (seen.published = 2; !seen.isOver; seen.published += 1) {
        await publish(seen.published);
      }
    })();
    const reader = async (first: number) => {
      for (let nth = first; seen.published < 200 || nth < 400; nth += 1) {
        const user = nth % STAYING;
        assert.deepEqual(await keysOf(node.path, SETTINGS, `user${user}`), [aKey(user % 16)]);
        seen.looked += 1;
      }
    };

    await Promise.all([reader(0), reader(1), reader(2)]).finally(() => {
      seen.isOver = true;
    });
    await publisher;

    assert.ok(seen.looked >= 1000 && seen.published >= 200);
  });
});

/** So many are in every version; others come and go before them, so that everybody stands elsewhere each time. */
const STAYING = 40;

function mapOf(version: number): PublishMap {
  const others = Array.from({ length: version * 9 }, (_, nth) => ({ name: `other${nth}`, keys: [] }));
  const staying = Array.from({ length: STAYING }, (_, nth) => ({
    name: `user${nth}`,
    keys: [aKey(nth % 16)],
  }));
  const { users } = aDirectoryOf(...others, ...staying);
  return sshkeyStep(renderLines(users, renderSshkey), anEmptyNode(), SETTINGS.caches);
}
