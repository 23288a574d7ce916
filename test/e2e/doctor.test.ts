/**
 * The doctor on a login node that is as it should be: it finds nothing wrong, changes nothing, and says what it cannot see.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type DoctorNode, idsWith, startDoctorNode } from "../support/doctor-node.ts";
import { TOKEN } from "../support/fake-iam.ts";
import { missing, PROGRAM } from "../support/namespace.ts";

const skip = missing("namespaces", "libnss-cache", "sshd");

/** Everything of the files but when they were read. */
const DIGEST =
  "find /etc /var /home /run -xdev -path /run/test -prune -o -printf '%p %i %m %U %G %T@ %C@ %s\\n' | sort | sha256sum; find /etc /var /home -type f -exec sha256sum {} + | sort | sha256sum";

describe("the doctor", { skip }, () => {
  let healthy: DoctorNode;
  before(async () => {
    healthy = await startDoctorNode();
  });
  after(() => healthy[Symbol.asyncDispose]());

  it("has nothing to say against a node with a daemon, and exits with 0", async () => {
    await using daemon = healthy.node.start(...PROGRAM, "run");
    await daemon.printed('"msg":"in step"');

    const examined = await healthy.examine();

    const text = await healthy.node.rollcall("doctor");
    assert.deepEqual(idsWith(examined, "broken"), []);
    assert.deepEqual(idsWith(examined, "warning"), []);
    assert.deepEqual(idsWith(examined, "not-checked"), ["unit"]);
    assert.equal(examined.code, 0, examined.out);
    assert.equal(text.code, 0, text.out + text.err);
    assert.match(text.out, /^IAM\n {2}✓ iam-name/m);
    assert.match(text.out, /\n40 checks: 39 ok, 0 warnings, 0 broken, 1 not checked\n$/);
  });

  it("changes nothing, asks the IAM nothing but GETs of its lists, and prints neither token nor key", async () => {
    const before = await healthy.node.run("sh", "-euc", DIGEST);
    healthy.iam.requests.length = 0;

    const ran = await healthy.node.rollcall("--json", "doctor");

    const afterwards = await healthy.node.run("sh", "-euc", DIGEST);
    const keys = await healthy.node.read("/etc/ssh/authorized_keys.d/ada");
    const blob = /ssh-ed25519 (\S+)/.exec(keys)?.[1] ?? "";
    assert.deepEqual(afterwards, before);
    assert.match(before.out, /^[0-9a-f]{64} /);
    assert.ok(healthy.iam.requests.length >= 4);
    assert.ok(blob.length > 40);
    assert.ok(!`${ran.out}${ran.err}`.includes(TOKEN));
    assert.ok(!`${ran.out}${ran.err}`.includes(blob));
  });

  it("ends in time when the IAM hangs, says which step does, and still looks at the node", async () => {
    healthy.iam.misbehave = () => true;

    const examined = await healthy.examine("sed -i 's/timeout: .*/timeout: 2s/' /etc/rollcall/rollcall.yaml");

    healthy.iam.misbehave = undefined;
    assert.equal(examined.code, 1);
    assert.deepEqual(idsWith(examined, "broken"), ["users-list", "groups-list"]);
    assert.match(examined.checks.get("users-list")?.found ?? "", /Users.*no answer/);
    assert.equal(examined.checks.get("lookup-name")?.verdict, "ok");
  });

  it("tells an ordinary user what needs root", async () => {
    const { code, out } = await healthy.node.run(
      "setpriv",
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      ...PROGRAM,
      "--json",
      "doctor",
    );

    const { checks } = JSON.parse(out);
    const verdictOf = (id: string) => checks.find((one: { id: string }) => one.id === id);
    assert.equal(code, 0, out);
    for (const id of ["token", "users-list", "sshd-config", "published", "last-sync", "home-places"]) {
      assert.deepEqual(
        [verdictOf(id).verdict, verdictOf(id).found],
        ["not-checked", "needs root"],
        JSON.stringify(verdictOf(id)),
      );
    }
    for (const id of ["iam-tls", "nsswitch", "lookup-name", "keys-directory", "skeleton"]) {
      assert.equal(verdictOf(id).verdict, "ok", JSON.stringify(verdictOf(id)));
    }
  });

  it("looks at another root without asking this system about it", async () => {
    await healthy.node.run(
      "sh",
      "-euc",
      "mkdir -p /run/image && cp -a /etc /run/image/ && mkdir -p /run/image/var/lib /run/image/home /run/image/run",
    );

    const examined = await healthy.node.rollcall("--json", "--root", "/run/image", "doctor");

    const { checks } = JSON.parse(examined.out);
    const ids = (verdict: string) =>
      checks
        .filter((one: { verdict: string }) => one.verdict === verdict)
        .map((one: { id: string }) => one.id);
    assert.deepEqual(
      ["lookup-name", "lookup-uid", "sshd-config", "sshd-keys", "unit", "daemon", "locks"].filter(
        (id) => !ids("not-checked").includes(id),
      ),
      [],
    );
    assert.ok(ids("ok").includes("nsswitch"));
    assert.ok(ids("ok").includes("users-list"));
  });
});
