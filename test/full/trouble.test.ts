/**
 * A daemon whose configuration is broken, whose IAM is away for long, and whose sockets are abused.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, socketOf, startDaemon } from "../support/daemon.ts";
import { sendError, startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot } from "../support/node-root.ts";
import { aKey, aUser, someUsers } from "../support/records.ts";

const OFTEN = "schedule: { every: 1s, splay: 0s }\n";
const NEVER = "schedule: { every: 1h, splay: 0s }\n";

describe("a daemon in trouble", () => {
  it("syncs go on under the configuration in force while the new one has mistakes", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    node.configure(iam.url, `${OFTEN}nonsense: 1\n`);
    await daemon.logged(/configuration refused/);

    iam.users = [aUser(1, { keys: [aKey(300)] }), ...iam.users.slice(1)];

    await daemon.logged(/key-revoked/);
  });

  it("a list on disk that is gone is no answer, and its age grows", async () => {
    using node = makeNodeRoot();
    const list = (resources: unknown[]) =>
      JSON.stringify({
        schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        totalResults: resources.length,
        Resources: resources,
      });
    node.write("/var/lib/iam/users.json", list(someUsers(3)));
    node.write("/var/lib/iam/groups.json", list([]));
    node.configure("https://x.invalid", `${OFTEN}stale: { warnAfter: 3s }\n`);
    const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
    node.write(
      "/etc/rollcall/rollcall.yaml",
      config.replace(
        /iam:\n(?: {2}.*\n)+/,
        "iam: { source: file, usersFile: /var/lib/iam/users.json, groupsFile: /var/lib/iam/groups.json }\n",
      ),
    );
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    rmSync(join(node.path, "var/lib/iam/users.json"));

    await daemon.logged(/condition raised.*|directory-stale/);
    await daemon.logged(/directory-stale/);
  });

  it("a restart in the middle of an outage does not lock who was served a moment ago", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [], { etags: true });
    node.configure(iam.url, `${OFTEN}stale: { warnAfter: 4s, lockAfter: 6s }\n`);
    {
      await using first = startDaemon(node);
      await first.logged(/in step/);
      // The last whole sync is longer ago than stale.lockAfter, the last 304 is not.
      await sleep(8000);
    }
    iam.misbehave = (_, response) => sendError(response, 500, "down");

    await using second = startDaemon(node);
    await second.logged(/in step with what the IAM said when it was last believed|locked: nobody/);

    assert.doesNotMatch(second.output(), /locked: nobody/);
    assert.equal(readdirSync(join(node.path, "etc/ssh/authorized_keys.d")).length, 3);
  });

  it("without its own note, as after a reboot, a report that may be older than the last answer locks nobody yet", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, `${OFTEN}stale: { warnAfter: 1s, lockAfter: 1s }\n`);
    await node.rollcall("sync");
    await sleep(1500);

    const early = await node.rollcall("sync", "--offline");
    node.configure(
      iam.url,
      "schedule: { every: 1s, splay: 0s, fullEvery: 1ms }\nstale: { warnAfter: 1s, lockAfter: 1s }\n",
    );
    const late = await node.rollcall("sync", "--offline");

    assert.match(early.out, /From memory/);
    assert.match(late.out, /- key +user1 [^]*Locked:/);
  });

  it("a changed timeout in an outage costs no memory, and a missing CA file keeps no lock away", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, `${OFTEN}stale: { warnAfter: 2s, lockAfter: 3s }\n`);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
    node.write(
      "/etc/rollcall/rollcall.yaml",
      config.replace("timeout: 5s", "timeout: 4s\n  caFile: /etc/none.pem"),
    );

    await daemon.logged(/config-unreadable[^]*locked: nobody has a key/);
  });

  it("every request of several during a run is answered, however long the interval", {
    timeout: 60_000,
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const control = socketOf(node, "control");

    const answers = await Promise.all(
      ["{}", '{"offline":true}', "{}", '{"accepted":"0123"}'].map((body) => ask(control, "/sync", body)),
    );

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
  });

  it("bodies that never come and requests behind a request hold nobody up", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const health = socketOf(node, "health");
    const open: Socket[] = [];
    for (let count = 0; count < 3000; count += 1) {
      const socket = connect(health).on("error", () => undefined);
      socket.write(
        count % 2 === 0
          ? "POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
          : "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50),
      );
      open.push(socket);
    }
    await sleep(1500);

    // Those that are open would be closed after five seconds: an answer before that did not wait for them.
    const start = performance.now();
    const answer = await ask(health, "/healthz");

    assert.equal(answer.status, 200);
    assert.ok(performance.now() - start < 4500, `${performance.now() - start} ms`);
    assert.ok(readdirSync(`/proc/${daemon.child.pid}/fd`).length < 2500);
    open.forEach((socket) => socket.destroy());
  });

  it("says to whom it does not belong that root is needed, and not that all is well", {
    skip: process.geteuid?.() === 0 ? false : "must be root",
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    await node.rollcall("sync");
    const asNobody = (command: string) =>
      spawnSync(
        process.execPath,
        [new URL("../../src/main.ts", import.meta.url).pathname, command, "--root", node.path],
        { uid: 65534, gid: 65534, encoding: "utf8" },
      );

    const status = asNobody("status");
    const sync = asNobody("sync");

    assert.deepEqual([status.status, sync.status], [1, 1]);
    assert.match(status.stderr, /read by root alone/);
    assert.match(sync.stderr, /run this as root.*node-unreadable/);
  });
});
