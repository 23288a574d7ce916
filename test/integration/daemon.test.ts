/**
 * `rollcall run` as a real process: when it syncs, what it takes up, what it says, and how it ends.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDaemon } from "../support/daemon.ts";
import { type FakeIam, sendError, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { keepOutput, makeNodeRoot, type NodeRoot, waitFor } from "../support/node-root.ts";
import { aKey, aUser, POSIX } from "../support/records.ts";

const OFTEN = "schedule: { every: 1s, splay: 0s }\n";
const NEVER = "schedule: { every: 1h, splay: 0s }\n";

const pulls = (iam: FakeIam) => iam.requests.filter(({ list }) => list === "Groups").length;

describe("a daemon", () => {
  it("syncs at the start and on schedule, and a change is there within the interval", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    iam.users = [aUser(1), aUser(2)];
    const start = performance.now();
    await waitFor(() => /^user2:/m.test(node.read("/etc/passwd.cache") ?? ""), daemon.output);

    assert.ok(performance.now() - start < 4000);
  });

  for (const [what, users, says] of [
    ["with a refused record", [aUser(1, { uid: 0 }), aUser(2)], /a record is refused/],
    ["without any problem", [aUser(1), aUser(2)], /in step/],
  ] as const) {
    it(`says nothing more while nothing changes, ${what}`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([...users], []);
      node.configure(iam.url, OFTEN);
      await using daemon = startDaemon(node);
      await daemon.logged(/in step/);
      await waitFor(() => pulls(iam) >= 2);
      const said = daemon.output();

      await waitFor(() => pulls(iam) >= 4);

      assert.equal(daemon.output(), said);
      assert.match(said, says);
    });
  }

  it("syncs at once on SIGUSR1", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    iam.users = [aUser(1), aUser(2)];

    daemon.child.kill("SIGUSR1");

    await daemon.logged(/user-added.*user2/);
  });

  it("takes a new configuration on SIGHUP or by itself, refuses a bad one with every mistake, and keeps the old", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    node.configure(iam.url, `${NEVER}guards: {}\nnamess: {}\n`);
    daemon.child.kill("SIGHUP");
    await daemon.logged(/guards: unknown key.*namess: unknown key.*configuration refused/);
    node.configure(iam.url, `${NEVER}homes: { create: false }\n`);
    await daemon.logged(/configuration loaded/);
    iam.users = [aUser(1), aUser(2)];
    daemon.child.kill("SIGUSR1");

    await daemon.logged(/user-added.*user2/);
    assert.equal(node.read("/home/user2/.bashrc"), undefined);
  });

  const rotations: readonly [how: string, rotate: (node: NodeRoot) => void][] = [
    ["rewritten", (node) => node.write("/etc/rollcall/token", "new-token", 0o600)],
    [
      "renamed into place",
      (node) => {
        node.write("/etc/rollcall/next", "new-token", 0o600);
        renameSync(join(node.path, "etc/rollcall/next"), join(node.path, "etc/rollcall/token"));
      },
    ],
    [
      "swapped behind a link, as Kubernetes does",
      (node) => {
        const mount = join(node.path, "etc/rollcall/mount");
        mkdirSync(join(mount, "..v2"));
        writeFileSync(join(mount, "..v2/token"), "new-token", { mode: 0o600 });
        symlinkSync("..v2", join(mount, "..data_tmp"));
        renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
        rmSync(join(mount, "..v1"), { recursive: true });
      },
    ],
  ];
  for (const [how, rotate] of rotations) {
    it(`uses a token that is ${how} for the next request, and the old one no more`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      const mount = join(node.path, "etc/rollcall/mount");
      mkdirSync(join(mount, "..v1"), { recursive: true });
      writeFileSync(join(mount, "..v1/token"), TOKEN, { mode: 0o600 });
      symlinkSync("..v1", join(mount, "..data"));
      symlinkSync("..data/token", join(mount, "token"));
      node.configure(iam.url, NEVER);
      const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
      const tokenFile = how.startsWith("swapped") ? "/etc/rollcall/mount/token" : "/etc/rollcall/token";
      node.write("/etc/rollcall/rollcall.yaml", config.replace("/etc/rollcall/token", tokenFile));
      await using daemon = startDaemon(node);
      await daemon.logged(/in step/);
      iam.requests.length = 0;

      rotate(node);

      await waitFor(() => iam.requests.length > 0, daemon.output);
      assert.ok(iam.requests.every(({ headers }) => headers.authorization === "Bearer new-token"));
    });
  }

  it("is alone: a second one is refused with its pid, while a sync by hand is not", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    const second = await node.rollcall("run");
    const byHand = await node.rollcall("sync");

    assert.equal(second.code, 1);
    assert.match(second.err, new RegExp(`pid ${daemon.child.pid} holds .*node-busy`));
    assert.equal(byHand.code, 0, byHand.err);
  });

  it("leaves the node as it is while the IAM fails, and goes on when it is back", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const served = node.read("/etc/passwd.cache");

    iam.misbehave = (_, response) => sendError(response, 500, "down");
    await daemon.logged(/iam-unreachable.*failures":2.*sync failed/);
    assert.equal(node.read("/etc/passwd.cache"), served);
    iam.misbehave = undefined;

    await daemon.logged(/failures":2[^]*in step/);
  });

  for (const [whose, etags] of [
    ["of its own, whether anything is new,", true],
    ["of its sync", false],
  ] as const) {
    it(`ends with 0 soon after SIGTERM, also while a request ${whose} is never answered`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], [], { etags });
      node.configure(iam.url, OFTEN);
      await using daemon = startDaemon(node);
      await daemon.logged(/in step/);
      // One turn more: with ETags the daemon asks by itself from then on.
      const first = pulls(iam);
      await waitFor(() => pulls(iam) > first);
      const before = iam.requests.length;
      iam.misbehave = () => true;
      await waitFor(() => iam.requests.length > before);

      const start = performance.now();
      daemon.child.kill("SIGTERM");
      const [code] = await once(daemon.child, "exit");

      assert.equal(code, 0, daemon.output());
      assert.ok(performance.now() - start < 2000);
      assert.match(daemon.output(), /stopped/);
    });
  }

  it("does not start with a bad schedule, and says how one looks", async () => {
    using node = makeNodeRoot();
    node.configure("https://x.invalid", 'schedule: { cron: "61 * * * * *" }\n');

    const ran = await node.rollcall("run");
    const checked = await node.rollcall("check");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /schedule\.cron: 61 .*no cron expression, such as/);
    assert.equal(checked.code, 1);
    assert.match(checked.err, /schedule\.cron: must be a cron expression, .*, not "61 /);
  });

  it("follows a cron expression", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, 'schedule: { cron: "* * * * * *", splay: 0s }\n');
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    await waitFor(() => pulls(iam) >= 3, daemon.output);
  });
});

/** Prints every datagram that comes to a socket; Node itself cannot open one. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(30)
print("listening", flush=True)
while True:
    print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;

async function startServiceManager(
  node: NodeRoot,
): Promise<AsyncDisposable & { readonly socket: string; readonly heard: () => string }> {
  const socket = join(node.path, "notify");
  const child = spawn("python3", ["-c", LISTENER, socket]);
  const heard = keepOutput(child);
  await waitFor(() => heard().includes("listening"));
  return {
    socket,
    heard,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

const hasNotify =
  spawnSync("systemd-notify", ["--version"]).status === 0 && spawnSync("python3", ["--version"]).status === 0;
const skip = hasNotify ? false : "missing: systemd-notify or python3";

describe("a service manager", () => {
  it("hears that users are in place, of a reload, of failures, and of the end", { skip }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    await using manager = await startServiceManager(node);
    await using daemon = startDaemon(node, { NOTIFY_SOCKET: manager.socket });

    await waitFor(
      () => /READY=1 STATUS=in step: 1 users, 1 groups, 1 keys/.test(manager.heard()),
      manager.heard,
    );
    daemon.child.kill("SIGHUP");
    await waitFor(() => /RELOADING=1[^]*READY=1/.test(manager.heard()), manager.heard);
    iam.misbehave = (_, response) => sendError(response, 500, "down");
    await waitFor(() => /STATUS=the last sync failed: iam-unreachable/.test(manager.heard()), manager.heard);
    daemon.child.kill("SIGTERM");
    await once(daemon.child, "exit");

    await waitFor(() => /STOPPING=1/.test(manager.heard()), manager.heard);
  });

  it("hears that a node is ready with the users it has, also when the IAM is down from the start", {
    skip,
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    await node.rollcall("sync");
    iam.misbehave = (_, response) => sendError(response, 500, "down");
    await using manager = await startServiceManager(node);

    await using _daemon = startDaemon(node, { NOTIFY_SOCKET: manager.socket });

    await waitFor(
      () =>
        /READY=1 STATUS=no sync yet since the start[^]*STATUS=the last sync failed: iam-unreachable/.test(
          manager.heard(),
        ),
      manager.heard,
    );
  });

  it("waits for the first try and no longer, and hears that there are no users", { skip }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    iam.misbehave = (_, response) => sendError(response, 500, "down");
    node.configure(iam.url, OFTEN);
    await using manager = await startServiceManager(node);

    await using daemon = startDaemon(node, { NOTIFY_SOCKET: manager.socket });
    await daemon.logged(/failures":2/);

    assert.match(
      manager.heard(),
      /READY=1 STATUS=no users are in place, and the last sync failed: iam-unreachable/,
    );
    assert.equal((await node.rollcall("probe", "readyz")).code, 1);
  });

  it("hears a pulse, and none while the process stands still", { skip }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using manager = await startServiceManager(node);
    await using daemon = startDaemon(node, { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: "300000" });
    const beats = () => manager.heard().split("WATCHDOG=1").length - 1;
    await waitFor(() => beats() > 2, manager.heard);

    daemon.child.kill("SIGSTOP");
    await sleep(300);
    const before = beats();
    await sleep(600);

    assert.equal(beats(), before);
    daemon.child.kill("SIGCONT");
    await waitFor(() => beats() > before, manager.heard);
  });
});

describe("the log", () => {
  it("has each change with its fields, keys by fingerprint only, and never the token", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    iam.users = [aUser(1, { gecos: "Renamed", keys: [aKey(9)] })];

    daemon.child.kill("SIGUSR1");
    await daemon.logged(/key-granted[^]*in step[^]*key-granted[^]*in step/);

    const lines = daemon
      .output()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const changed = lines.find(({ event }) => event === "user-changed");
    assert.partialDeepStrictEqual(changed, {
      level: "info",
      msg: "change",
      user: "user1",
      field: "gecos",
      before: "User Number 1",
      after: "Renamed",
    });
    assert.ok(lines.every(({ time }) => typeof time === "number"));
    assert.match(daemon.output(), /"key":"SHA256:[^ ]+ ssh-ed25519/);
    assert.ok(!daemon.output().includes(TOKEN) && !daemon.output().includes(aKey(9).split(" ")[1] ?? ""));
  });

  it("has a syslog priority under the journal", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1), aUser(2, { uid: 0 })], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node, { JOURNAL_STREAM: "8:1" });

    await daemon.logged(/in step/);

    const lines = daemon.output().trim().split("\n");
    assert.ok(
      lines.every((line) => /^<[346]>[a-z]/.test(line)),
      daemon.output(),
    );
    assert.ok(lines.some((line) => line.startsWith('<4>a record is refused code="id-out-of-range"')));
    assert.ok(!daemon.output().includes(POSIX));
  });
});
