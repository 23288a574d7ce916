/**
 * What "apt purge" leaves of a node on which people and Rollcall edited the same files: theirs stays, and nothing of ours counts.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { missing, type Namespace, outputOf, startNamespace } from "../support/namespace.ts";
import { furnishSetup } from "../support/setup-node.ts";

const skip = missing("namespaces", "sshd");
const NSSWITCH = "passwd: files\ngroup: files\nshadow: files\n";
const OURS = "# Written by Rollcall from the IAM. The next sync undoes what is edited here.\n";

async function wire(node: Namespace, files: Readonly<Record<string, string>>): Promise<void> {
  await furnishSetup(node, {
    "/etc/nsswitch.conf": NSSWITCH,
    "/etc/ssh/sshd_config": "UsePAM yes\n",
    ...files,
  });
  const ran = await node.rollcall("setup");
  assert.equal(ran.code, 0, ran.out + ran.err);
}

/** As dpkg runs it, after the program is gone; what it says. */
async function purge(node: Namespace): Promise<string> {
  const ran = await node.run("sh", "/run/test/rollcall/packaging/deb/postrm", "purge");
  assert.equal(ran.code, 0, ran.err);
  return ran.err;
}

describe("a purge", { skip, timeout: 120_000 }, () => {
  it("keeps what somebody wrote between two setups", async () => {
    await using node = await startNamespace();
    await wire(node, {});
    const nsswitch = "passwd: files sss\ngroup: files\nshadow: files\nsudoers: files sss\n";
    await node.write("/etc/nsswitch.conf", nsswitch);
    await node.write("/etc/ssh/sshd_config", "PermitRootLogin no\n");
    await node.rollcall("setup");

    const said = await purge(node);

    assert.equal(said, "");
    assert.equal(await node.read("/etc/nsswitch.conf"), nsswitch);
    assert.equal(await node.read("/etc/ssh/sshd_config"), "PermitRootLogin no\n");
  });

  it("leaves an empty sshd_config that was there before", async () => {
    await using node = await startNamespace();
    await wire(node, { "/etc/ssh/sshd_config": "" });

    await purge(node);

    assert.equal(await node.read("/etc/ssh/sshd_config"), "");
  });

  for (const line of [
    "files [NOTFOUND=return] sss",
    "files [SUCCESS=merge] sss",
    "files [SUCCESS=merge NOTFOUND=return] sss",
    "files [!UNAVAIL=return] sss # cache",
    "files",
  ]) {
    it(`takes "cache" out of "${line}" and nothing else, after an edit`, async () => {
      await using node = await startNamespace();
      const before = `passwd: files cache\ngroup: ${line}\nshadow: files\n`;
      await wire(node, { "/etc/nsswitch.conf": before });
      outputOf(await node.run("sed", "-i", "$a # edited", "/etc/nsswitch.conf"));

      await purge(node);

      assert.equal(await node.read("/etc/nsswitch.conf"), `${before}# edited\n`);
    });
  }

  it("leaves a link, and what it leads to", async () => {
    await using node = await startNamespace();
    await wire(node, {});
    outputOf(await node.run("sh", "-c", "mv /etc/nsswitch.conf /etc/nss; ln -s nss /etc/nsswitch.conf"));

    const said = await purge(node);

    assert.match(said, /nsswitch\.conf is a link now and is left as it is/);
    assert.equal(outputOf(await node.run("readlink", "/etc/nsswitch.conf")), "nss\n");
  });

  it("removes keys and maps that a list elsewhere names, and the keys where the configuration puts them", async () => {
    await using node = await startNamespace();
    await wire(node, {});
    const places = "keys: { directory: /etc/keys }\nstate:\n  directory: /etc/state # elsewhere\n";
    await node.write("/etc/rollcall/rollcall.yaml", places);
    await node.write("/etc/keys/ada", `${OURS}ssh-ed25519 AAAA\n`);
    await node.write("/etc/keys/root", "ssh-ed25519 AAAA\n");
    await node.write("/etc/sudoers.d/rollcall", OURS.replace("the IAM", "rollcall.yaml"));
    await node.write("/etc/passwd.cache", "ada:x:7001:7001::/home/ada:/bin/sh\n");
    const list = ["/etc/passwd.cache", "/etc/keys/ada", "/etc/sudoers.d/rollcall"].map(
      (path) => `["${path}",1]\n`,
    );
    await node.write("/etc/state/published", list.join(""));

    await purge(node);

    const left = "ls -d /etc/keys/* /etc/passwd.cache /etc/sudoers.d /etc/sudoers.d/rollcall 2>/dev/null";
    assert.equal((await node.run("sh", "-c", left)).out, "/etc/keys/root\n/etc/sudoers.d\n");
  });
});
