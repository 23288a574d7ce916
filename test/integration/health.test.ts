/**
 * What a daemon says of itself: both sockets, `status`, `sync` through the daemon, and life without the IAM.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, socketOf, startDaemon } from "../support/daemon.ts";
import { type FakeIam, sendError, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { freePort } from "../support/login-node.ts";
import { startProcess } from "../support/namespace.ts";
import { makeNodeRoot, waitFor } from "../support/node-root.ts";
import { aGroup, aKey, aUser, someUsers } from "../support/records.ts";

const OFTEN = "schedule: { every: 1s, splay: 0s }\n";
const NEVER = "schedule: { every: 1h, splay: 0s }\n";

/** As packaging/prometheus/rollcall-metrics.service starts it. */
const proxy = /^ExecStart=(\S+)/m
  .exec(readFileSync(new URL("../../packaging/prometheus/rollcall-metrics.service", import.meta.url), "utf8"))
  ?.slice(1)
  .find((path) => existsSync(path));

const pulls = (iam: FakeIam) => iam.requests.filter(({ list }) => list === "Groups").length;

describe("the sockets of a daemon", () => {
  it("have the modes that were promised, and go when it ends", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    const modes = (["health", "control"] as const).map((name) => statSync(socketOf(node, name)).mode & 0o777);
    daemon.child.kill("SIGTERM");
    await once(daemon.child, "exit");

    assert.deepEqual(modes, [0o666, 0o600]);
    assert.deepEqual(
      readdirSync(join(node.path, "run/rollcall")).filter((name) => name.endsWith(".sock")),
      [],
    );
  });

  it("answer everybody with health, and root alone with more", {
    skip: process.geteuid?.() === 0 ? false : "must be root",
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    // What an ordinary user's curl does, without needing curl.
    const script = `require("node:http").get({ socketPath: process.argv[1], path: "/healthz" },
      (r) => { r.resume(); console.log(r.statusCode); }).on("error", (e) => console.log(e.code));`;
    const asNobody = (name: "health" | "control") =>
      spawnSync(process.execPath, ["-e", script, socketOf(node, name)], {
        uid: 65534,
        gid: 65534,
        encoding: "utf8",
      }).stdout.trim();

    assert.equal(asNobody("health"), "200");
    assert.equal(asNobody("control"), "EACCES");
  });

  it("answer probes by the exit code: alive is not ready, and ready is not healthy", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    const codes = async () => {
      const ran = [await node.rollcall("probe", "healthz"), await node.rollcall("probe", "readyz")];
      return ran.map(({ code }) => code);
    };
    const withoutDaemon = await codes();
    iam.token = "another";
    await using daemon = startDaemon(node);
    await daemon.logged(/iam-refused/);
    const withoutUsers = await codes();
    iam.token = TOKEN;
    await daemon.logged(/in step/);
    const inStep = await codes();
    iam.token = "another";
    await waitFor(
      () => (daemon.output().match(/iam-refused.*condition raised/g)?.length ?? 0) > 1,
      daemon.output,
    );

    assert.deepEqual(withoutDaemon, [1, 1]);
    assert.deepEqual(withoutUsers, [0, 1]);
    assert.deepEqual(inStep, [0, 0]);
    assert.deepEqual(await codes(), [0, 0]);
    assert.equal((await node.rollcall("status")).code, 1);
    assert.equal((await node.rollcall("probe", "livez")).code, 64);
  });

  it("are not waited for for ever: a probe and the status of a daemon that stands still fail", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    daemon.child.kill("SIGSTOP");

    const [probed, status] = await Promise.all([node.rollcall("probe", "healthz"), node.rollcall("status")]);
    daemon.child.kill("SIGCONT");

    assert.equal(probed.code, 1);
    assert.match(probed.out, /health\.sock does not work: no answer within 4 s/);
    assert.equal(status.code, 1);
    assert.match(status.err, /no answer within 10 s.*daemon-lost/);
  });

  it("reach Prometheus through systemd's own proxy", {
    skip: proxy === undefined && "missing: systemd",
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const port = await freePort();
    const args = ["-l", `127.0.0.1:${port}`, proxy ?? "", socketOf(node, "health")];
    await using activated = startProcess("systemd-socket-activate", args);
    await activated.printed("Listening on");

    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);

    assert.match(await answer.text(), /^rollcall_ready 1$/m);
  });

  it("tell nobody a name, an address, a key or a token over health.sock", async () => {
    using node = makeNodeRoot();
    const users = [...someUsers(20), aUser(77, { uid: 0, gecos: "Mallory Secretive" })];
    await using iam = await startFakeIam(users, [aGroup(3, [aUser(1)])]);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    iam.misbehave = (_, response) => sendError(response, 401, `no user7 here, ${TOKEN}`);
    await daemon.logged(/iam-refused/);
    await waitFor(() => /condition raised/.test(daemon.output()), daemon.output);

    const health = socketOf(node, "health");
    const said = await Promise.all(
      ["/healthz", "/readyz", "/status", "/metrics", "/nothing", "/sync"].map((path) => ask(health, path)),
    );
    const control = await ask(socketOf(node, "control"), "/status");

    const text = said.map((one) => one.text).join("\n");
    const secrets = [
      /user\d/,
      /group\d/,
      /Mallory|Secretive/,
      /127\.0\.0\.1/,
      /AAAA/,
      /SHA256:/,
      new RegExp(TOKEN),
      new RegExp(node.path),
      /\/home\//,
      /scim-user/,
    ];
    assert.deepEqual(
      secrets.filter((secret) => secret.test(text)),
      [],
    );
    assert.match(text, /"id-out-of-range":/);
    assert.match(control.text, /user77/);
    assert.doesNotMatch(control.text, new RegExp(TOKEN));
  });

  it("speak Prometheus", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(7), [], { etags: true });
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    await waitFor(() => pulls(iam) >= 3);
    await sleep(1100);

    const { text } = await ask(socketOf(node, "health"), "/metrics");

    const value = (line: string) => Number(new RegExp(`^${line} (.*)$`, "m").exec(text)?.[1]);
    assert.equal(value('rollcall_users{state="active"}'), 7);
    assert.equal(value('rollcall_syncs_total{result="done"}'), 1);
    assert.ok(value('rollcall_syncs_total{result="unchanged"}') >= 1);
    assert.ok(value('rollcall_iam_requests_total{status="304"}') >= 2);
    assert.equal(value('rollcall_condition{code="iam-unreachable",severity="degraded"}'), 0);
    assert.equal(value("rollcall_ready"), 1);
    assert.ok(value("rollcall_resident_memory_bytes") > 1e7);
    assert.ok(Math.abs(value("rollcall_last_success_timestamp_seconds") - Date.now() / 1000) < 30);
  });

  it("are replaced when a killed daemon left them behind", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using first = startDaemon(node);
    await first.logged(/in step/);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");

    await using second = startDaemon(node);
    await second.logged(/in step|no sync yet|started/);
    await waitFor(() => statSync(socketOf(node, "health"), { throwIfNoEntry: false }) !== undefined);
    await second.logged(/"in step"/);

    assert.equal((await ask(socketOf(node, "health"), "/readyz")).status, 200);
  });

  it("hold no sync up under a thousand requests, a thousand half-open connections and a request line of 10 MB", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const health = socketOf(node, "health");
    const open: Socket[] = [];
    for (let count = 0; count < 1000; count += 1) {
      const socket = connect(health).on("error", () => undefined);
      socket.write("GET /metrics HT");
      open.push(socket);
    }
    const flood = connect(health).on("error", () => undefined);
    flood.write(`GET /${"a".repeat(10 * 1024 ** 2)} HTTP/1.1\r\n\r\n`);

    const before = pulls(iam);
    const start = performance.now();
    const answers = await Promise.allSettled(
      Array.from({ length: 1000 }, () => ask(health, "/metrics").then(({ status }) => status)),
    );
    iam.users = [aUser(1), aUser(2)];
    await waitFor(() => /^user2:/m.test(node.read("/etc/passwd.cache") ?? ""), daemon.output);
    const seconds = (performance.now() - start) / 1000;

    open.forEach((socket) => socket.destroy());
    flood.destroy();
    const good = answers.filter((one) => one.status === "fulfilled" && one.value === 200).length;
    assert.ok(good >= 100, `${good} of 1000 were answered`);
    assert.ok(pulls(iam) > before && seconds < 30, `${seconds} s`);
    assert.equal((await ask(health, "/healthz")).status, 200);
  });
});

describe("rollcall status", () => {
  it("finds a daemon by either socket, and none where no socket can be", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const health = socketOf(node, "health");
    renameSync(health, `${health}.away`);

    const found = await node.rollcall("status");
    const probed = await node.rollcall("probe", "readyz", "--root", join(node.path, "x".repeat(120)));

    assert.match(found.out, /^● healthy/);
    assert.doesNotMatch(found.out, /No daemon answers/);
    assert.equal(probed.code, 1);
    assert.match(probed.out, /^no daemon answers at /);
  });

  it("is healthy with a daemon that is, and says what is wrong and what to do when it is not", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    const good = await node.rollcall("status");
    iam.misbehave = (_, response) => sendError(response, 401, "expired");
    await daemon.logged(/condition raised/);
    const bad = await node.rollcall("status");
    const json = await node.rollcall("status", "--json");
    iam.misbehave = undefined;
    await daemon.logged(/condition cleared/);
    const again = await node.rollcall("status");

    assert.equal(good.code, 0, good.out);
    assert.match(
      good.out,
      /^● healthy\n {2}3 users \(0 may not log in\), 3 groups, 3 keys; 0 records refused\n/,
    );
    assert.equal(bad.code, 1);
    assert.match(bad.out, /✖ degraded[^]*The IAM does not accept the token[^]*Renew the token/);
    assert.partialDeepStrictEqual(JSON.parse(json.out), {
      daemon: true,
      healthy: false,
      ready: true,
      conditions: [{ code: "iam-refused", severity: "degraded" }],
    });
    assert.equal(again.code, 0, again.out);
  });

  it("has the pace of the last syncs, also after a restart, without a write for a sync that changed nothing", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [], { etags: true });
    node.configure(iam.url, OFTEN);
    const shown = async () => JSON.parse((await node.rollcall("status", "--json")).out);
    {
      await using daemon = startDaemon(node);
      await daemon.logged(/in step/);
      await waitFor(() => pulls(iam) >= 3);
    }
    const stopped = await shown();
    const untouched = node.snapshot();
    await using daemon = startDaemon(node);
    await daemon.logged(/started/);
    const before = pulls(iam);
    await waitFor(() => pulls(iam) >= before + 3, daemon.output);

    const live = await shown();

    assert.equal(stopped.daemon, false);
    assert.ok(stopped.recent.length >= 2);
    assert.partialDeepStrictEqual(stopped.recent[0], { result: "done", added: 9, removed: 0, changed: 0 });
    assert.equal(live.daemon, true);
    assert.deepEqual(live.recent.slice(0, stopped.recent.length), stopped.recent);
    assert.ok(live.recent.length > stopped.recent.length);
    assert.deepEqual(live.lastChange, stopped.recent[0]);
    assert.equal(live.iam.address, iam.url);
    assert.deepEqual(node.snapshot(), untouched);
  });

  it("reads the last report without a daemon, and says so", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url);
    const before = await node.rollcall("status");
    await node.rollcall("sync");
    const good = await node.rollcall("status");
    iam.misbehave = (_, response) => sendError(response, 401, "expired");
    await node.rollcall("sync");
    const bad = await node.rollcall("status", "--json");

    assert.equal(before.code, 1);
    assert.match(before.out, /No sync has succeeded here yet[^]*users-missing/);
    assert.equal(good.code, 0, good.out);
    assert.match(good.out, /No daemon answers here; this is from the last sync/);
    assert.equal(bad.code, 1);
    assert.partialDeepStrictEqual(JSON.parse(bad.out), {
      daemon: false,
      served: { users: 3 },
      lastRunFailed: "iam-refused",
    });
  });

  it("shows a bad new configuration, and that the old one is in force", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    node.configure(iam.url, `${NEVER}guards: {}\n`);
    await daemon.logged(/config-refused/);
    const bad = await node.rollcall("status");
    const synced = await node.rollcall("sync");
    node.configure(iam.url, NEVER);
    await daemon.logged(/condition cleared/);
    const good = await node.rollcall("status");

    assert.equal(bad.code, 1);
    assert.match(bad.out, /the old one is in force[^]*guards: unknown key; did you mean guard/);
    assert.match(synced.err, /has mistakes, so the daemon goes on under the one of before.*rollcall check/);
    assert.equal(good.code, 0, good.out);
  });
});

describe("rollcall sync beside a daemon", () => {
  it("asks it, prints what it did, and accepts removals through it", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(20), []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    iam.users = someUsers(2);

    const refused = await node.rollcall("sync");
    const id = /--accept-removals ([0-9a-f]{12})/.exec(refused.err)?.[1] ?? "";
    const seen = await node.rollcall("status");
    const accepted = await node.rollcall("sync", "--accept-removals", id);

    assert.equal(refused.code, 1);
    assert.match(refused.err, /removals-refused/);
    assert.match(seen.out, /critical: A sync was refused because it would take too much away/);
    assert.equal(accepted.code, 0, accepted.err);
    assert.match(accepted.out, /- user +user3 [^]*Served: 2 users/);
    assert.match(daemon.output(), /user-removed.*user3/);
  });

  it("runs by itself under another configuration", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    await using other = await startFakeIam([aUser(1), aUser(2)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
    node.write("/etc/rollcall/other.yaml", config.replace(iam.url, other.url));

    const ran = await node.rollcall("sync", "--config", join(node.path, "etc/rollcall/other.yaml"));

    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /\+ user +user2/);
    assert.doesNotMatch(daemon.output(), /user2/);
  });
});

describe("without the IAM", () => {
  const down = (iam: FakeIam) => {
    iam.misbehave = (_, response) => sendError(response, 500, "down");
  };

  it("a pod that starts with nothing but the state directory serves it at once, and is ready", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(5), []);
    node.configure(iam.url, NEVER);
    await node.rollcall("sync");
    const served = node.read("/etc/passwd.cache");
    for (const path of ["etc/passwd.cache", "etc/group.cache", "etc/shadow.cache", "etc/ssh"]) {
      rmSync(join(node.path, path), { recursive: true });
    }
    // An IAM that takes the connection and says nothing: the worst of all.
    iam.misbehave = () => true;

    await using daemon = startDaemon(node);
    await daemon.logged(/in step with what the IAM said when it was last believed/);

    assert.equal(node.read("/etc/passwd.cache"), served);
    assert.match(node.read("/etc/ssh/authorized_keys.d/user1") ?? "", /ssh-ed25519/);
    await waitFor(() => statSync(socketOf(node, "health"), { throwIfNoEntry: false }) !== undefined);
    assert.equal((await ask(socketOf(node, "health"), "/readyz")).status, 200);
  });

  it("what somebody damages is put back from memory", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(5), []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const served = node.read("/etc/passwd.cache");
    down(iam);
    await daemon.logged(/sync failed/);

    writeFileSync(join(node.path, "etc/passwd.cache"), "");

    await waitFor(() => node.read("/etc/passwd.cache") === served, daemon.output);
    assert.match(daemon.output(), /file-repaired|user-added/);
  });

  it("a sync --offline serves from memory, and fails with a reason when there is none", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(5), []);
    node.configure(iam.url);
    const early = await node.rollcall("sync", "--offline");
    await node.rollcall("sync");
    down(iam);
    rmSync(join(node.path, "etc/ssh/authorized_keys.d/user3"));

    const ran = await node.rollcall("sync", "--offline");

    assert.equal(early.code, 1);
    assert.match(early.err, /Nothing is remembered of this IAM.*nothing-remembered/);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /\+ key +user3[^]*From memory/);
  });

  it("for longer than stale.lockAfter every key is taken away, and given back when the IAM is back", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(12), []);
    node.configure(iam.url, `${OFTEN}stale: { warnAfter: 2s, lockAfter: 3s }\n`);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const keysOf = () => readdirSync(join(node.path, "etc/ssh/authorized_keys.d")).length;
    const sshkeys = () => node.read("/etc/sshkey.cache") ?? "";
    assert.equal(keysOf(), 12);

    down(iam);
    await daemon.logged(/locked: nobody has a key/);
    const locked = { keys: keysOf(), sshkeys: sshkeys(), passwd: node.read("/etc/passwd.cache") };
    const seen = await node.rollcall("status");
    const ready = await ask(socketOf(node, "health"), "/readyz");
    iam.misbehave = undefined;
    await daemon.logged(/"in step"[^]*locked[^]*"in step"/);

    assert.equal(locked.keys, 0);
    assert.doesNotMatch(locked.sshkeys, /ssh-ed25519/);
    assert.match(locked.passwd ?? "", /^user12:/m);
    assert.match(seen.out, /critical: Nobody has a key[^]*directory-stale/);
    assert.equal(ready.status, 503);
    assert.equal(keysOf(), 12);
    assert.match(daemon.output(), /key-revoked/);
  });

  it("a refused sync does not take the keys that a lock would: what is on the node stays", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(12), []);
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);

    iam.users = [];
    await daemon.logged(/condition raised.*removals-refused|removals-refused.*condition raised/);

    assert.equal(readdirSync(join(node.path, "etc/ssh/authorized_keys.d")).length, 12);
    assert.match(readFileSync(join(node.path, "etc/passwd.cache"), "utf8"), /^user12:/m);
  });
});

describe("rollcall run -- COMMAND", () => {
  it("starts it after the first good sync, passes signals on and ends with its exit code", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, OFTEN);
    down(iam);
    const script = `test -s ${node.path}/etc/passwd.cache && echo users-are-there
      trap 'echo got-hup' HUP; trap 'echo got-usr2' USR2; trap 'echo bye; exit 7' TERM
      while :; do sleep 0.05; done`;
    await using daemon = startDaemon(node, {}, ["sh", "-c", script]);
    await daemon.logged(/sync failed/);
    assert.doesNotMatch(daemon.output(), /users-are-there/);

    iam.misbehave = undefined;
    await daemon.logged(/users-are-there/);
    daemon.child.kill("SIGHUP");
    daemon.child.kill("SIGUSR2");
    await daemon.logged(/got-hup[^]*got-usr2|got-usr2[^]*got-hup/);
    daemon.child.kill("SIGTERM");
    const [code] = await once(daemon.child, "exit");

    assert.equal(code, 7, daemon.output());
    assert.match(daemon.output(), /bye/);
  });

  const ends: readonly [what: string, command: readonly string[], code: number][] = [
    ["its own end", ["sh", "-c", "exit 3"], 3],
    ["its own success", ["true"], 0],
    ["a signal", ["sh", "-c", "kill -9 $$"], 137],
    ["a program that is not there", ["/no/such/program"], 127],
  ];
  for (const [what, command, expected] of ends) {
    it(`ends after ${what} with ${expected}`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      node.configure(iam.url, NEVER);
      await using daemon = startDaemon(node, {}, command);

      const [code] = await once(daemon.child, "exit");

      assert.equal(code, expected, daemon.output());
    });
  }

  it("kills a command that does not want to end, after the grace", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, NEVER);
    await using daemon = startDaemon(node, {}, [
      "--grace",
      "1",
      "--",
      "sh",
      "-c",
      "trap '' TERM; echo up; while :; do sleep 0.1; done",
    ]);
    await daemon.logged(/^up$/m);

    const start = performance.now();
    daemon.child.kill("SIGTERM");
    const [code] = await once(daemon.child, "exit");

    assert.equal(code, 137);
    assert.ok(performance.now() - start < 5000);
  });

  function down(iam: FakeIam): void {
    iam.misbehave = (_, response) => sendError(response, 500, "down");
  }
});

describe("a key that is revoked while the daemon is at rest", () => {
  it("goes within the interval, also from a server with ETags", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(60), [], { etags: true });
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    await waitFor(() => pulls(iam) >= 3);
    const { out } = await node.rollcall("status");
    assert.match(out, /^ {2}IAM: http:.*, asked by ETags$/m);

    iam.users = [aUser(1, { keys: [aKey(200)] }), ...iam.users.slice(1)];

    await waitFor(() => /key-revoked/.test(daemon.output()), daemon.output);
  });

  it("stays gone when somebody writes it back by hand", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [], { etags: true });
    node.configure(iam.url, OFTEN);
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const path = join(node.path, "etc/ssh/authorized_keys.d/user1");
    const good = readFileSync(path, "utf8");

    writeFileSync(path, `${good}${aKey(201)}\n`);

    await daemon.logged(/key-revoked/);
    assert.equal(readFileSync(path, "utf8"), good);
  });
});
