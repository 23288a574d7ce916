/**
 * `rollcall setup` where it must leave something alone, and undoing after people, or a kill, got in between.
 */

import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildProgram, missingStrace } from "../support/faults.ts";
import { missing, outputOf, PROGRAM, startNamespace } from "../support/namespace.ts";
import { makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { assertSame, furnishSetup, INCLUDE, KEYS, keyFilesOf, snapshotOf } from "../support/setup-node.ts";

const skip = missing("namespaces", "libnss-cache", "sshd");

describe("setup on a node that it does not touch", { skip, timeout: 120_000 }, () => {
  const WIRED = { "/etc/ssh/sshd_config": `${INCLUDE}\n` };

  it("says what sshd says of a broken sshd_config, with the file's own name, and changes nothing", async () => {
    await using node = await startNamespace();
    await furnishSetup(node, {
      "/etc/ssh/sshd_config": `${INCLUDE}\n`,
      "/etc/ssh/sshd_config.d/30-new.conf": "UsePAM yes\nPermitRootLogni no\n",
      "/etc/nsswitch.conf": "passwd: files\n",
    });
    const before = await snapshotOf(node);

    const ran = await node.rollcall("setup");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /sshd_config\.d\/30-new\.conf: line 2: Bad configuration option: PermitRootLogni/);
    assert.match(ran.err, /\[setup-refused\]/);
    assertSame(await snapshotOf(node), before);
  });

  it("leaves nsswitch.conf to authselect, with the commands for it, and does the rest", async () => {
    await using node = await startNamespace();
    const text = "passwd:     sss files systemd\ngroup:      sss files systemd\nshadow:     files\n";
    await furnishSetup(node, { ...WIRED, "/etc/authselect/nsswitch.conf": text });
    await node.write("/etc/authselect/authselect.conf", "sssd\nwith-mkhomedir\nwith-sudo\n");
    await node.run("ln", "-sf", "/etc/authselect/nsswitch.conf", "/etc/nsswitch.conf");

    const ran = await node.rollcall("setup");

    assert.equal(ran.code, 1, ran.out);
    assert.match(ran.err, /authselect create-profile rollcall --base-on sssd/);
    assert.match(ran.err, /-e 's\|\^passwd:\.\*\|passwd: {5}sss files cache systemd\|'/);
    assert.match(ran.err, /authselect select custom\/rollcall with-mkhomedir with-sudo/);
    assert.equal(await node.read("/etc/authselect/nsswitch.conf"), text);
    assert.equal(await keyFilesOf(node), `${KEYS} .ssh/authorized_keys .ssh/authorized_keys2`);

    await node.run("mkdir", "-p", "/etc/authselect/custom/rollcall");
    await node.write("/etc/authselect/custom/rollcall/nsswitch.conf", text);
    const sed = /^ *(sed -i .*)$/m.exec(ran.err)?.[1] ?? "false";
    assert.equal((await node.run("sh", "-c", sed)).code, 0);
    assert.equal(
      await node.read("/etc/authselect/custom/rollcall/nsswitch.conf"),
      text.replaceAll("files", "files cache"),
    );
  });

  it("leaves a file that is immutable, somebody else's or open to others, and says which", async () => {
    const cases = [
      ["chown 1234 /etc/nsswitch.conf", /belongs to uid 1234/],
      ["chmod 0666 /etc/nsswitch.conf", /with mode 0666/],
      ["mv /etc/nsswitch.conf /etc/names; ln -s names /etc/nsswitch.conf", /it is a link to names/],
      ["chattr +i /etc/nsswitch.conf", /immutable/],
    ] as const;
    for (const [command, message] of cases) {
      await using node = await startNamespace();
      await furnishSetup(node, {
        ...WIRED,
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
      });
      if ((await node.run("sh", "-c", command)).code !== 0) {
        // Not every file system has such an attribute.
        assert.match(command, /chattr/);
        continue;
      }

      const ran = await node.rollcall("setup");

      assert.equal(ran.code, 1, ran.out);
      assert.match(ran.err, message);
      await node.run("chattr", "-i", "/etc/nsswitch.conf");
      assert.equal((await node.rollcall("setup", "--undo")).code, 0);
    }
  });

  it("asks sshd also where it never ran, and two at a time", async () => {
    await using node = await startNamespace();
    await furnishSetup(node, {
      ...WIRED,
      "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
    });
    await node.run("sh", "-c", "rm -r /run/sshd; rm -f /etc/ssh/ssh_host_*");

    const ran = await Promise.all([1, 2].map(() => node.rollcall("setup", "--dry-run")));
    const wired = await node.rollcall("setup");

    assert.deepEqual(
      ran.map(({ code, err }) => [code, err]),
      [
        [2, ""],
        [2, ""],
      ],
    );
    assert.equal(wired.code, 0, wired.err);
    assert.match(await node.read("/etc/ssh/sshd_config.d/00-rollcall.conf"), /authorized_keys\.d\/%u/);
  });

  it("does not follow an unprivileged user", async () => {
    await using node = await startNamespace();
    await node.run("chmod", "0755", "/run/test");

    const ran = await node.run(
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "/run/test/node",
      "/run/test/rollcall/src/main.ts",
      "setup",
      "--dry-run",
    );

    assert.equal(ran.code, 1);
    assert.match(ran.err, /Run it as root/);
  });
});

/** Writes down what it is asked, and refuses to reload sshd while there is a file /run/refuse. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> /run/asked
case $* in
  *is-active*sshd.service) exit 3 ;;
  reload*) [ ! -e /run/refuse ] || { echo 'Job for ssh.service failed.' >&2; exit 1; } ;;
esac
`;

describe("setup where systemd runs", { skip, timeout: 120_000 }, () => {
  it("has systemd read the unit and sshd its configuration, and is not done before both did", async () => {
    await using node = await startNamespace();
    await furnishSetup(node, { "/etc/ssh/sshd_config": `${INCLUDE}\n`, "/run/refuse": "" });
    outputOf(
      await node.run("sh", "-c", "mkdir -p /run/systemd/system; mount -t tmpfs tmpfs /usr/local/sbin"),
    );
    await node.write("/usr/local/sbin/systemctl", SYSTEMCTL, 0o755);
    const asked = async () => (await node.read("/run/asked")).trim().split("\n");

    const refused = await node.rollcall("setup");
    const pending = await node.rollcall("setup", "--dry-run");
    await node.run("rm", "/run/refuse", "/run/asked");
    const ran = await node.rollcall("setup");
    const idle = await node.rollcall("setup", "--dry-run");

    assert.equal(refused.code, 1, refused.out);
    assert.match(refused.err, /"systemctl reload ssh\.service" failed: Job for ssh\.service failed/);
    assert.equal(pending.code, 2, pending.out);
    assert.match(pending.out, /did not come to its end/);
    assert.equal(ran.code, 0, ran.err);
    assert.deepEqual(
      (await asked()).filter((words) => words !== "daemon-reload"),
      ["is-active --quiet ssh.service", "reload ssh.service"],
    );
    assert.equal(idle.code, 0, idle.out);
    const undone = await node.rollcall("setup", "--undo");
    assert.match(undone.out, /sshd was told to read it: systemctl reload ssh\.service/);
  });
});

describe("setup of a tree that belongs to somebody else than root", { skip, timeout: 120_000 }, () => {
  it("needs no root, and leaves owners alone", async () => {
    await using node = await startNamespace();
    const tree = "/run/test/tree";
    await node.write(`${tree}/etc/nsswitch.conf`, "passwd: files\n");
    await node.write(`${tree}/etc/ssh/sshd_config`, `${INCLUDE}\n`);
    outputOf(await node.run("sh", "-c", `chown -R 65534:65534 ${tree}`));
    const asUser = (...args: string[]) =>
      node.run(
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        ...PROGRAM,
        ...args,
        "--root",
        tree,
      );

    const ran = await asUser("setup");

    assert.equal(ran.code, 0, ran.out + ran.err);
    assert.match(await node.read(`${tree}/etc/nsswitch.conf`), /^passwd: files cache\n/);
    assert.match(
      await node.read(`${tree}/etc/ssh/sshd_config.d/00-rollcall.conf`),
      /^AuthorizedKeysFile \/etc\/ssh\/authorized_keys\.d\/%u \.ssh\/authorized_keys /m,
    );
    assert.doesNotMatch(ran.out, /did not check/);
    assert.equal((await asUser("setup", "--undo")).code, 0);
    assert.equal(await node.read(`${tree}/etc/nsswitch.conf`), "passwd: files\n");
  });
});

describe("undoing what somebody edited since", { skip, timeout: 120_000 }, () => {
  it("takes out only its own words, leaves the configuration that people filled in, and says so", async () => {
    await using node = await startNamespace();
    await furnishSetup(node, {
      "/etc/nsswitch.conf": "passwd: files systemd\ngroup: files systemd\nshadow: files\n",
      "/etc/ssh/sshd_config": "Port 22\n",
    });
    assert.equal((await node.rollcall("setup")).code, 0);
    const edit =
      "sed -i -e 's/systemd/sss/' -e '$ahosts: files' /etc/nsswitch.conf; echo '# mine' >> /etc/ssh/sshd_config; echo '# mine' >> /etc/rollcall/rollcall.yaml";
    outputOf(await node.run("sh", "-c", edit));
    assert.match((await node.rollcall("setup")).out, /Nothing to do/);
    const edited = await snapshotOf(node);

    const shown = await node.rollcall("setup", "--undo", "--dry-run");
    assertSame(await snapshotOf(node), edited);
    const ran = await node.rollcall("setup", "--undo");

    assert.equal(shown.code, 2, shown.err);
    assert.match(shown.out, /^Nothing was written\. To do this: rollcall setup --undo$/m);

    assert.equal(ran.code, 0, ran.err);
    assert.equal(
      await node.read("/etc/nsswitch.conf"),
      "passwd: files sss\ngroup: files sss\nshadow: files\nhosts: files\n",
    );
    assert.equal(await node.read("/etc/ssh/sshd_config"), "Port 22\n# mine\n");
    assert.match(await node.read("/etc/rollcall/rollcall.yaml"), /# mine\n$/);
    assert.match(ran.out, /nsswitch\.conf: it was edited since, so only what setup put in was taken out/);
    assert.match(ran.out, /rollcall\.yaml: it was edited since/);
    assert.match((await node.rollcall("setup", "--undo")).out, /^Nothing to undo\.$/m);
  });

  it("keeps what was edited between two setups, and a unit that is enabled", async () => {
    await using node = await startNamespace();
    await furnishSetup(node, {
      "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
      "/etc/ssh/sshd_config": `${INCLUDE}\n`,
    });
    assert.equal((await node.rollcall("setup")).code, 0);
    await node.write("/etc/nsswitch.conf", "passwd: files\ngroup: files cache sss\nshadow: files cache\n");
    assert.equal((await node.rollcall("setup")).code, 0);
    const unit = "/etc/systemd/system/rollcall.service";
    const hasUnit = (await node.run("test", "-e", unit)).code === 0;
    await node.run("ln", "-s", unit, "/etc/systemd/system/multi-user.target.wants/rollcall.service");

    const ran = await node.rollcall("setup", "--undo");

    assert.equal(await node.read("/etc/nsswitch.conf"), "passwd: files\ngroup: files sss\nshadow: files\n");
    assert.equal(ran.code, hasUnit ? 1 : 0, ran.err);
    if (hasUnit) {
      assert.match(ran.err, /systemctl disable --now rollcall/);
      await node.run("rm", "/etc/systemd/system/multi-user.target.wants/rollcall.service");
      assert.equal((await node.rollcall("setup", "--undo")).code, 0);
      assert.equal((await node.run("test", "-e", unit)).code, 1);
    }
  });
});

/** By path below /etc: kind, mode, owner and content. */
function contentOf(node: NodeRoot): string[] {
  const entries = readdirSync(join(node.path, "etc"), { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, uid, gid } = lstatSync(path);
      return `${path} ${mode} ${uid} ${gid} ${entry.isFile() ? readFileSync(path, "latin1") : ""}`;
    })
    .sort();
}

/** What the lock of the node makes is there already. With one line to change in each file, a drop-in to make, and a mode that is not the usual one. */
function makeUnwired(): NodeRoot {
  const node = makeNodeRoot();
  node.write("/run/rollcall/sync.lock", "", 0o600);
  mkdirSync(join(node.path, "var/lib"), { recursive: true });
  node.write(
    "/etc/nsswitch.conf",
    "passwd: files\ngroup: files [SUCCESS=merge] systemd\nhosts: files dns",
    0o640,
  );
  node.write("/etc/ssh/sshd_config", `${INCLUDE}\nPasswordAuthentication no\n`);
  return node;
}

/** Its empty directory stays when an undo is killed at its very end; then the next run would make other calls. */
function forgetState(node: NodeRoot): void {
  rmSync(join(node.path, "var/lib/rollcall"), { recursive: true, force: true });
}

/** sshd, which is asked in between, opens files too, but makes none of these calls. */
const CHANGES = ["rename", "mkdir", "unlink", "rmdir"];

describe("a setup that is killed", {
  skip: missing("namespaces", "sshd") || missingStrace(),
  timeout: 900_000,
}, () => {
  it("at any call that changes a directory is undone byte for byte, and can be gone on with", async () => {
    using node = makeUnwired();
    using program = buildProgram(["setup"], CHANGES);
    const before = contentOf(node);
    const points = await program.pointsOf(node);
    const wired = contentOf(node);
    assert.ok(points.length > 10, `only ${points.length}`);
    for (const [index, point] of points.entries()) {
      assert.equal((await node.rollcall("setup", "--undo")).code, 0, point.name);
      assertSame(contentOf(node), before);
      forgetState(node);

      const { hit } = await program.killAt(node, point);

      assert.notEqual(hit, undefined, point.name);
      if (index % 4 === 0) {
        assert.equal((await node.rollcall("setup")).code, 0, point.name);
        assertSame(contentOf(node), wired);
      }
    }
    assert.equal((await node.rollcall("setup", "--undo")).code, 0);
    assertSame(contentOf(node), before);
  });

  it("or may not rename a file takes back what it did", async () => {
    using node = makeUnwired();
    using program = buildProgram(["setup"], CHANGES);
    const before = contentOf(node);
    const points = (await program.pointsOf(node)).filter(({ kind }) => kind === "rename");
    await node.rollcall("setup", "--undo");
    forgetState(node);
    // The last one only says that all is done.
    for (const point of points.slice(0, -1)) {
      const { hit, code, err } = await program.refuse(node, point, "ENOSPC");

      assert.notEqual(hit, undefined, point.name);
      assert.equal(code, 1);
      assert.match(err, /taken back: ENOSPC|Nothing was changed.*ENOSPC/, point.name);
      assertSame(contentOf(node), before);
      forgetState(node);
    }
  });

  it("while it is undone can be undone again", async () => {
    using node = makeUnwired();
    using program = buildProgram(["setup", "--undo"], CHANGES);
    const before = contentOf(node);
    assert.equal((await node.rollcall("setup")).code, 0);
    const points = await program.pointsOf(node);
    assert.ok(points.length > 5, `only ${points.length}`);
    for (const point of points) {
      assert.equal((await node.rollcall("setup")).code, 0, point.name);

      const { hit } = await program.killAt(node, point);
      const ran = await node.rollcall("setup", "--undo");

      assert.notEqual(hit, undefined, point.name);
      assert.equal(ran.code, 0, ran.err);
      assertSame(contentOf(node), before);
      forgetState(node);
    }
  });
});
