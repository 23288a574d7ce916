/**
 * Sudo for chosen groups, as the real sudo sees it.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { missing, type Namespace, startNamespace } from "../support/namespace.ts";
import { configFor } from "../support/node-root.ts";
import { aGroup, someUsers } from "../support/records.ts";

const skip = missing("namespaces", "libnss-cache", "sudo");
const DROP_IN = "/etc/sudoers.d/rollcall";
const RULES = `sudo:
  groups:
    - { group: slurm-sudo, passwordless: true }
    - { group: operators, commands: ["/usr/bin/systemctl restart slurmd"] }
`;

const admins = (members: readonly string[], id = "g-admins") =>
  aGroup(1, members, { id, name: "slurm-sudo", gid: 50_001 });
const operators = aGroup(2, ["u-2"], { name: "operators" });

/** What sudo lets a user do here; empty for nothing. */
async function rightsOf(node: Namespace, user: string): Promise<string> {
  const { out } = await node.run("sudo", "-l", "-U", user);
  return out.split("may run the following commands")[1]?.replace(/^.*\n/, "").trim() ?? "";
}

async function startNode(url: string): Promise<Namespace> {
  const node = await startNamespace();
  await node.write("/etc/rollcall/token", TOKEN, 0o600);
  await node.write("/etc/rollcall/rollcall.yaml", configFor(url, RULES));
  return node;
}

describe("sudo", { skip }, () => {
  it("is for the members of the chosen groups, and for nobody once they are empty", async () => {
    await using iam = await startFakeIam(someUsers(4), [admins(["u-1"]), operators]);
    await using node = await startNode(iam.url);

    const synced = await node.rollcall("sync");
    const [admin, operator, other] = [
      await rightsOf(node, "user1"),
      await rightsOf(node, "user2"),
      await rightsOf(node, "user3"),
    ];
    const { out: mode } = await node.run("stat", "-c", "%a %U:%G", DROP_IN);
    const again = await node.rollcall("sync");
    iam.groups = [admins([]), operators];
    await node.rollcall("sync");

    assert.equal(synced.code, 0, synced.err);
    assert.equal(admin, "(ALL : ALL) NOPASSWD: ALL");
    assert.equal(operator, "(ALL : ALL) /usr/bin/systemctl restart slurmd");
    assert.equal(other, "");
    assert.equal(mode, "440 root:root\n");
    assert.match(again.out, /Nothing to do/);
    assert.equal(await rightsOf(node, "user1"), "");
  });

  it("is told of and taken back when somebody edits the drop-in by hand", async () => {
    await using iam = await startFakeIam(someUsers(4), [admins(["u-1"]), operators]);
    await using node = await startNode(iam.url);
    await node.rollcall("sync");
    const untouched = await node.rollcall("verify");
    await node.run("sh", "-c", `echo 'user3 ALL=(ALL) NOPASSWD: ALL' >> ${DROP_IN}`);
    const rights = await rightsOf(node, "user3");

    const found = await node.rollcall("verify");
    const synced = await node.rollcall("sync");
    const after = await node.rollcall("verify");

    assert.equal(untouched.code, 0, untouched.out);
    assert.equal(rights, "(ALL) NOPASSWD: ALL");
    assert.equal(found.code, 1);
    assert.ok(found.out.includes(`"${DROP_IN}"  changed`), found.out);
    assert.equal(synced.code, 0, synced.err);
    assert.match(synced.out, /file +\/etc\/sudoers\.d\/rollcall /);
    assert.equal(await rightsOf(node, "user3"), "");
    assert.equal(after.code, 0, after.out);
  });

  it("goes to no other group that takes the name, however long the first is gone", async () => {
    await using iam = await startFakeIam(someUsers(4), [admins(["u-1"]), operators]);
    await using node = await startNode(iam.url);
    await node.rollcall("sync");
    iam.groups = [operators];
    await node.rollcall("sync");
    await node.write(
      "/etc/rollcall/rollcall.yaml",
      configFor(iam.url, `${RULES}ledger: { rememberFor: 0s }\n`),
    );
    iam.groups = [operators, admins(["u-3"], "g-eve")];

    const lookAlike = await node.rollcall("sync");
    const rights = await rightsOf(node, "user3");
    const accepted = await node.rollcall("accept", "--group", "slurm-sudo");

    assert.match(lookAlike.out, /slurm-sudo[^]*name-remembered/);
    assert.equal(rights, "");
    assert.equal(accepted.code, 0, accepted.err);
    assert.equal(await rightsOf(node, "user3"), "(ALL : ALL) NOPASSWD: ALL");
  });

  it("stays as it was when visudo does not accept the rules, and says so", async () => {
    await using iam = await startFakeIam(someUsers(4), [admins(["u-1"]), operators]);
    await using node = await startNode(iam.url);
    await node.rollcall("sync");
    const before = await node.read(DROP_IN);
    const broken = RULES.replace("/usr/bin/systemctl restart slurmd", "no-path-at-all, !!");
    await node.write("/etc/rollcall/rollcall.yaml", configFor(iam.url, broken));

    const refused = await node.rollcall("sync");
    const rights = [await rightsOf(node, "user1"), await rightsOf(node, "user2")];
    const { out: left } = await node.run("find", "/etc/sudoers.d", "-name", ".rollcall-*");

    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /visudo does not accept the rules of sudo\.groups, so nothing new is given: the new file/,
    );
    assert.match(before, /%operators/);
    assert.deepEqual(
      rights,
      ["(ALL : ALL) NOPASSWD: ALL", ""],
      "what is taken away is gone, what is new is not there",
    );
    assert.equal(left, "");
  });
});
