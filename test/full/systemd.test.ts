/**
 * The life of the package on a real systemd, with the real dpkg, sshd and logind: installed, started, killed, stopped,
 * upgraded, removed and purged.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type BootedNode, bootNode, missingSystemd } from "../support/booted-node.ts";
import { type FakeIam, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { outputOf } from "../support/namespace.ts";
import { configFor } from "../support/node-root.ts";
import { makePackageDirectory, type PackageDirectory } from "../support/packages.ts";
import { aGroup, aUser } from "../support/records.ts";

const skip = missingSystemd();
const NEXT = "0.1.0+next";

describe("the package", { skip }, () => {
  let packages: PackageDirectory;
  let [first, next] = ["", ""];
  before(() => {
    packages = makePackageDirectory();
    first = packages.build("deb");
    next = packages.build("deb", "--version", NEXT);
  });
  after(() => packages[Symbol.dispose]());

  for (const suite of ["bookworm", "trixie"] as const) {
    describe(`on ${suite}`, () => {
      let node: BootedNode;
      let iam: FakeIam;
      let untouched: readonly string[];
      before(async () => {
        iam = await startFakeIam([], []);
        node = await bootNode(suite, packages.path);
        await node.reach(iam.url);
        iam.users = [
          aUser(1, { name: "ada", keys: [await makeKey(node, "ada")] }),
          aUser(2, { name: "bob", keys: [await makeKey(node, "bob")] }),
        ];
        iam.groups = [aGroup(1, ["u-1"], { name: "research" })];
        untouched = await listSystem(node);
      });
      after(async () => {
        await iam[Symbol.asyncDispose]();
        await node[Symbol.asyncDispose]();
      });

      it("is installed, and starts nothing", async () => {
        const out = outputOf(await node.run("dpkg", "-i", `/run/test/packages/${first}`));

        assert.match(out, /Next: rollcall setup/);
        assert.equal(await isActive(node), "inactive");
        assert.equal((await node.run("systemctl", "is-enabled", "rollcall")).out, "disabled\n");
        assert.match(outputOf(await node.rollcall("--version")), /^\d/);
        assert.match(outputOf(await node.run("getent", "passwd", "rollcall-keys")), /nologin$/m);
      });

      it("has a unit that this systemd understands whole", async () => {
        const verified = await node.run("systemd-analyze", "verify", "--man=no", "rollcall.service");
        const { out } = await node.run("systemd-analyze", "security", "--no-pager", "rollcall.service");

        assert.deepEqual(verified, { code: 0, out: "", err: "" });
        assert.ok(Number(/exposure level for \S+: ([\d.]+)/.exec(out)?.[1]) <= 2.5, out);
      });

      it("starts with a token that is elsewhere, and is ready once users are in place", async () => {
        outputOf(await node.rollcall("setup"));
        await node.write("/etc/rollcall/elsewhere", TOKEN, 0o600);
        await configure(node, iam, { tokenFile: "/etc/rollcall/elsewhere" });

        outputOf(await node.run("systemctl", "enable", "--now", "rollcall"));

        assert.equal(await isActive(node), "active");
        assert.match(await property(node, "StatusText"), /in step: 2 users/);
        assert.match(outputOf(await node.run("id", "ada")), /research/);
      });

      it("lets users in", async () => {
        assert.equal(outputOf(await ssh(node, "ada", "id -un; pwd")), "ada\n/home/ada\n");
        assert.equal((await node.run(...sshCommand("bob", "true", "ada"))).code, 255);
      });

      it("starts with a token that systemd passes on", async () => {
        await node.write("/etc/rollcall/token", TOKEN, 0o600);
        await configure(node, iam, {});
        outputOf(await node.run("rm", "/etc/rollcall/elsewhere"));

        outputOf(await node.run("systemctl", "restart", "rollcall"));
        outputOf(await node.rollcall("sync"));

        assert.equal(await isActive(node), "active");
      });

      it("may write rules for sudo, which visudo looks over, and nothing that is none of its business", async () => {
        await configure(node, iam, {
          extra: "sudo: { groups: [{ group: research, passwordless: true }] }\n",
        });
        outputOf(await node.run("systemctl", "reload", "rollcall"));
        outputOf(await node.rollcall("sync"));

        assert.equal(outputOf(await ssh(node, "ada", "sudo -n id -un")), "root\n");
        for (const place of ["/usr", "/opt", "/root", "/var"]) {
          const written = await node.run(
            "nsenter",
            "-m",
            "-r",
            "-t",
            await mainPid(node),
            "touch",
            `${place}/file`,
          );
          assert.match(written.err, /Read-only file system/, place);
        }
      });

      it("is back after a kill -9, and the node is as it was", async () => {
        const [maps, pid] = [await listMaps(node), await mainPid(node)];

        outputOf(await node.run("kill", "-KILL", pid));

        await untilRestarted(node, pid);
        assert.deepEqual(await listMaps(node), maps);
        outputOf(await ssh(node, "ada", "true"));
      });

      it("is restarted when it stands still", async () => {
        await node.write("/etc/systemd/system/rollcall.service.d/test.conf", "[Service]\nWatchdogSec=6s\n");
        outputOf(await node.run("systemctl", "daemon-reload"));
        outputOf(await node.run("systemctl", "restart", "rollcall"));
        const pid = await mainPid(node);

        outputOf(await node.run("kill", "-STOP", pid));

        await untilRestarted(node, pid);
        outputOf(await node.run("rm", "-r", "/etc/systemd/system/rollcall.service.d"));
        outputOf(await node.run("systemctl", "daemon-reload"));
      });

      it("takes a changed configuration when it is reloaded", async () => {
        const pid = await mainPid(node);
        await configure(node, iam, {
          extra:
            "access: { login: { users: [ada] }, onRevoke: end-sessions }\nsudo: { groups: [{ group: research }] }\n",
        });

        outputOf(await node.run("systemctl", "reload", "rollcall"));
        outputOf(await node.rollcall("sync"));

        assert.equal(await mainPid(node), pid);
        assert.equal((await ssh(node, "bob", "true")).code, 255);
        outputOf(await ssh(node, "ada", "true"));
      });

      it("is upgraded under an open session, which lives", async () => {
        await using session = node.start(
          ...sshCommand("ada", "echo in; until test -e /tmp/go; do sleep .1; done; echo on"),
        );
        await session.printed("in\n");
        const [ledger, pid] = [await node.read("/var/lib/rollcall/ledger"), await mainPid(node)];

        outputOf(await node.run("dpkg", "-i", `/run/test/packages/${next}`));

        assert.notEqual(await mainPid(node), pid);
        assert.equal(await isActive(node), "active");
        assert.equal(outputOf(await node.rollcall("--version")), `${NEXT}\n`);
        assert.match(
          outputOf(await node.run("readlink", `/proc/${await mainPid(node)}/exe`)),
          /\/usr\/lib\/rollcall\/node\n$/,
        );
        assert.equal(await node.read("/var/lib/rollcall/ledger"), ledger);
        await node.write("/tmp/go", "");
        await session.printed("on\n");
      });

      it("ends the session of somebody who may not log in any more, through logind", async () => {
        await using session = node.start(...sshCommand("ada", "echo in; exec sleep 250"));
        await session.printed("in\n");
        assert.match(outputOf(await node.run("loginctl", "list-users", "--no-legend")), /ada/);
        iam.users = [aUser(1, { name: "ada", active: false }), ...iam.users.slice(1)];

        outputOf(await node.rollcall("sync"));

        await until(async () => (await node.run("pgrep", "-u", "ada", "sleep")).code === 1);
      });

      it("does not start what was stopped when it is upgraded", async () => {
        outputOf(await node.run("systemctl", "stop", "rollcall"));

        outputOf(await node.run("dpkg", "-i", `/run/test/packages/${next}`));

        assert.equal(await isActive(node), "inactive");
        outputOf(await node.run("systemctl", "start", "rollcall"));
      });

      it("shuts nobody out when it is removed", async () => {
        await configure(node, iam, {});
        outputOf(await node.run("systemctl", "restart", "rollcall"));
        outputOf(await node.rollcall("sync"));

        const removed = await node.run("dpkg", "--remove", "rollcall");

        assert.equal(removed.code, 0, removed.err);
        assert.match(removed.err, /dpkg --purge rollcall/);
        assert.notEqual(await isActive(node), "active");
        outputOf(await ssh(node, "bob", "true"));
      });

      it("leaves nothing but homes when it is purged", async () => {
        const purged = await node.run("dpkg", "--purge", "rollcall");

        assert.equal(purged.code, 0, purged.err);
        assert.deepEqual(await listSystem(node), untouched);
        assert.equal((await node.run("test", "-d", "/home/bob")).code, 0);
        assert.equal((await node.run("getent", "passwd", "bob")).code, 2);
        assert.equal(outputOf(await node.run("systemctl", "is-active", "ssh")), "active\n");
      });
    });
  }
});

async function makeKey(node: BootedNode, user: string): Promise<string> {
  outputOf(await node.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `/root/${user}`));
  return (await node.read(`/root/${user}.pub`)).trim();
}

function sshCommand(user: string, command: string, key = user): [string, ...string[]] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
  ];
  return [
    "ssh",
    "-T",
    "-i",
    `/root/${key}`,
    ...options.flatMap((option) => ["-o", option]),
    `${user}@127.0.0.1`,
    command,
  ];
}

function ssh(node: BootedNode, user: string, command: string) {
  return node.run(...sshCommand(user, command));
}

async function property(node: BootedNode, name: string): Promise<string> {
  return outputOf(await node.run("systemctl", "show", "--value", "-p", name, "rollcall")).trim();
}

function mainPid(node: BootedNode): Promise<string> {
  return property(node, "MainPID");
}

function isActive(node: BootedNode): Promise<string> {
  return property(node, "ActiveState");
}

async function untilRestarted(node: BootedNode, old: string): Promise<void> {
  await until(async () => (await isActive(node)) === "active" && ![old, "0"].includes(await mainPid(node)));
}

const POLL_MS = 200;
const MAX_POLLS = 300;

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let polls = 0; polls < MAX_POLLS; polls += 1) {
    if (await holds()) {
      return;
    }
    await sleep(POLL_MS);
  }
  assert.fail("it did not come to pass within a minute");
}

interface Configuration {
  readonly tokenFile?: string;
  readonly extra?: string;
}

async function configure(
  node: BootedNode,
  iam: FakeIam,
  { tokenFile, extra = "" }: Configuration,
): Promise<void> {
  const line = tokenFile === undefined ? "" : `  tokenFile: ${tokenFile}\n`;
  const config = configFor(iam.url, extra).replace(/ {2}tokenFile: .*\n/, line);
  await node.write("/etc/rollcall/rollcall.yaml", config);
}

async function listMaps(node: BootedNode): Promise<string> {
  const script =
    "stat -c '%n %i %a %u %g %y' /etc/*.cache* /etc/ssh/authorized_keys.d/* /var/lib/rollcall/ledger";
  return outputOf(await node.run("sh", "-euc", script));
}

/** What there is, without what dpkg, systemd and the tools for accounts keep for themselves. */
const LIST = `
find /etc /usr /var -xdev \\( -path /var/lib/dpkg -o -path /var/log -o -path /var/lib/systemd -o -path /var/cache \
  -o -name '*-' -o -path '/etc/.pwd.lock' \\) -prune -o -printf '%p %y %#m %u:%g %l\\n'
find /etc -type f ! -name '*-' -exec sha256sum {} +`;

async function listSystem(node: BootedNode): Promise<readonly string[]> {
  return outputOf(await node.run("sh", "-euc", LIST))
    .split("\n")
    .sort();
}
