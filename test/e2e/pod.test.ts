/**
 * `packaging/rollcall` as the first process of a container: a PID namespace of its own.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { startFakeIam } from "../support/fake-iam.ts";
import { missing, outputOf, startNamespace } from "../support/namespace.ts";
import { keepOutput, makeNodeRoot, type NodeRoot, waitFor } from "../support/node-root.ts";
import { aUser } from "../support/records.ts";

const LAUNCHER = new URL("../../packaging/rollcall", import.meta.url).pathname;
const canUnshare = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0;
const skip = canUnshare ? false : "missing: root, or unshare";

function startPod(node: NodeRoot, command: readonly string[]) {
  const args = [
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
    LAUNCHER,
    "--root",
    node.path,
    "run",
    "--",
    ...command,
  ];
  const outer = spawn("unshare", args, { env: { PATH: process.env["PATH"] } });
  const output = keepOutput(outer);
  return {
    output,
    logged: (pattern: RegExp) => waitFor(() => pattern.test(output()), output),
    /** To the first process in there, as a container runtime does. */
    kill: (signal: NodeJS.Signals) =>
      process.kill(
        Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim()),
        signal,
      ),
    ended: once(outer, "exit"),
    [Symbol.asyncDispose]: async () => {
      outer.kill("SIGKILL");
      await once(outer, "exit").catch(() => undefined);
    },
  };
}

/** Leaves orphans behind again and again, then counts what nobody has reaped. */
const ORPHANS = `
for n in 1 2 3 4 5; do sh -c 'sleep 0.1 & sleep 0.05 &' ; done
sleep 0.6
zombies=0
for stat in /proc/[0-9]*/stat; do
  read -r line < "$stat" 2>/dev/null || continue
  case $line in *") Z "*) zombies=$((zombies + 1)) ;; esac
done
echo "zombies: $zombies, first process: $(tr '\\0' ' ' < /proc/1/cmdline)"
sleep 60`;

describe("the first process of a container", () => {
  it("keeps the settings of its memory from its command", { skip }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url);
    const pod = startPod(node, ["sh", "-c", 'echo "settings: [$(env | grep ^MALLOC_)]"']);

    const [code] = await pod.ended;

    assert.equal(code, 0, pod.output());
    assert.match(pod.output(), /settings: \[\]/);
  });

  it("reaps orphans, passes SIGTERM on and ends with the command's code", { skip }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam([aUser(1)], []);
    node.configure(iam.url, "schedule: { every: 1s, splay: 0s }\n");
    const pod = startPod(node, ["sh", "-c", ORPHANS]);
    await pod.logged(/zombies: 0, first process: .*rollcall/);

    const start = performance.now();
    pod.kill("SIGTERM");
    const [code] = await pod.ended;

    assert.equal(code, 143, pod.output());
    assert.ok(performance.now() - start < 3000);
  });

  for (const [what, command, expected] of [
    ["sleep, by SIGTERM", ["sleep", "60"], 143],
    ["a command that ends by itself", ["sh", "-c", "sleep 0.2; exit 9"], 9],
  ] as const) {
    it(`ends with the code of ${what}`, { skip }, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam([aUser(1)], []);
      node.configure(iam.url, "schedule: { every: 1h, splay: 0s }\n");
      const pod = startPod(node, command);
      await pod.logged(/in step/);

      if (expected === 143) {
        pod.kill("SIGTERM");
      }
      const [code] = await pod.ended;

      assert.equal(code, expected, pod.output());
    });
  }
});

describe("the entrypoint of the image", { skip: missing("namespaces", "sshd") }, () => {
  it("makes a host key where there is none or half of one, and keeps the one that is there", async () => {
    await using node = await startNamespace();
    const key = "/etc/ssh/host_keys/ssh_host_ed25519_key";
    // What it closes must not be this machine's own.
    outputOf(await node.run("mount", "-t", "tmpfs", "tmpfs", "/tmp"));
    await node.write(key, "", 0o600);
    await node.write(`${key}.new`, "-----BEGIN OPENSSH PRIV", 0o600);
    const enter = () => node.run("sh", "/run/test/rollcall/packaging/pod", "echo", "/usr/sbin/sshd");

    const first = await enter();
    const made = await node.read(key);
    const second = await enter();

    assert.equal(first.code, 0, first.err);
    assert.equal(second.code, 0, second.err);
    assert.match(made, /^-----BEGIN OPENSSH PRIVATE KEY-----\n[^-]+-----END/);
    assert.equal(await node.read(key), made);
    assert.equal(
      outputOf(await node.run("ls", "/etc/ssh/host_keys")),
      "ssh_host_ed25519_key\nssh_host_ed25519_key.pub\n",
    );
  });
});
