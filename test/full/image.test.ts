/**
 * The image of a login pod, and the pods of the example manifests, with podman: the real sshd, the real glibc, a root file
 * system that nobody can write to, and no more capabilities than the manifests give.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type FakeIam, startFakeIam, TOKEN } from "../support/fake-iam.ts";
import { freePort, type KeyPair, knockWithOpenSsh, makeKeyPair } from "../support/login-node.ts";
import { containersOf, type PodSpec, podOf, readManifests } from "../support/manifests.ts";
import type { Ran } from "../support/node-root.ts";
import {
  type Engine,
  makePod,
  missingContainers,
  type RunningContainer,
  startEngine,
} from "../support/pods.ts";
import { aUser, POSIX } from "../support/records.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const skip = missingContainers();

/** Where all of this file's things lie. */
let work = "";
const stack = new AsyncDisposableStack();
let engine: Engine;

async function buildImage(folder: string): Promise<{ readonly archive: string; readonly digest: string }> {
  const env = { ...process.env, OUT: join(work, folder) };
  const { stdout } = await promisify(execFile)(join(ROOT, "packaging/image"), { env });
  const [archive = "", digest = ""] = stdout.trim().split(" ");
  return { archive, digest };
}

/** The pod of a manifest, and what its containers are told here: this IAM, this token, a port that is free. */
async function furnish(manifest: string, iam: FakeIam) {
  const manifests = readManifests();
  const pod = manifests
    .filter(({ metadata }) => metadata.name === manifest)
    .map(podOf)
    .find(Boolean) as PodSpec;
  const config = manifests.find(({ kind }) => kind === "ConfigMap")?.data?.["rollcall.yaml"] ?? "";
  const directory = mkdtempSync(join(work, "pod-"));
  const port = await freePort();
  const made = makePod(engine, pod, {
    directory,
    files: {
      "rollcall-token": { token: `${TOKEN}\n` },
      rollcall: {
        "rollcall.yaml": config
          .replace(/url: .*/, `url: ${iam.url}`)
          .replace("/etc/nsscache }", "/etc/nsscache, index: always }")
          .replaceAll(/urn:example:\S+:(?:User|Group)\//g, `${POSIX}/`),
      },
    },
  });
  const containers = new Map(containersOf(pod).map((container) => [container.name, container]));
  const sshd = ["-p", String(port), "-o", "ListenAddress=127.0.0.1"];
  return {
    swap: (volume: string, content: Readonly<Record<string, string>>) => made.swap(volume, content),
    start(name: string, args?: readonly string[]) {
      const container = containers.get(name);
      assert.ok(container, name);
      return made.start(container, args ?? (container.args?.includes("/usr/sbin/sshd") ? sshd : []));
    },
    login(user: string, key: KeyPair, command: string): Promise<Ran> {
      const [path = ""] = globSync("{state/host_keys,host-keys}/*.pub", { cwd: directory });
      const hostKey = readFileSync(join(directory, path), "utf8").trim();
      const knownHosts = join(directory, "known_hosts");
      writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey}\n`);
      return knockWithOpenSsh({ user, key, command }, { port, knownHosts });
    },
  };
}

async function sync(container: RunningContainer): Promise<void> {
  const ran = await container.exec("rollcall", "sync");
  assert.equal(ran.code, 0, ran.out + ran.err);
}

/** What a server says as soon as it says anything. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) {
      return answer;
    }
    await sleep(100);
  }
  return ask();
}

const VOLUMES = ["/run", "/etc/nsscache", "/var/lib/rollcall", "/etc/ssh/host_keys", "/tmp"];
/** An index that is used answers for itself: who is not in it is not found, whatever the map says. */
const WITHOUT_BOB = "sed -i /^bob/d /etc/nsscache/passwd.cache.ixname; getent passwd ada bob; echo $?";
const LISTENING = /Server listening on 127\.0\.0\.1/;

describe("the image", { skip }, () => {
  let first: Awaited<ReturnType<typeof buildImage>>;
  let ada: KeyPair;
  let bob: KeyPair;

  before(async () => {
    work = stack.adopt(mkdtempSync(join(tmpdir(), "rollcall-image-")), (path) =>
      rmSync(path, { recursive: true, force: true }),
    );
    first = await buildImage("first");
    engine = stack.use(await startEngine(first.archive));
    ada = await makeKeyPair(join(work, "ada"));
    bob = await makeKeyPair(join(work, "bob"));
  });
  after(() => stack.disposeAsync());

  const users = () => [
    aUser(1, { name: "ada", keys: [ada.line] }),
    aUser(2, { name: "bob", keys: [bob.line] }),
  ];

  it("as one container lets in whom the IAM names for as long as it does, and ends with its sshd", async () => {
    await using iam = await startFakeIam(users(), []);
    const pod = await furnish("login", iam);
    const login = pod.start("login");
    await login.printed(LISTENING);

    const script =
      "id -un; touch here && pwd; grep NoNewPrivs /proc/self/status; touch /etc/x /etc/nsscache/x";
    const inside = await pod.login("ada", ada, script);
    const modes = await login.exec("stat", "-c", "%a", ...VOLUMES);
    iam.users = [aUser(1, { name: "ada", keys: [] }), ...users().slice(1)];
    await sync(login);
    const revoked = await pod.login("ada", ada, "true");
    const stays = pod.login("bob", bob, "echo in; sleep 60");
    await login.printed(/Accepted publickey for bob/);
    const start = performance.now();
    await login.kill("SIGTERM");

    assert.equal(await login.ended, 0, login.output());
    assert.ok(performance.now() - start < 20_000, "within the grace");
    assert.match((await stays).out, /^(?:in\n)?$/);
    assert.equal(inside.out, "ada\n/home/ada\nNoNewPrivs:\t1\n", inside.err + login.output());
    assert.match(inside.err, /\/etc\/x': Read-only file system[^]*\/etc\/nsscache\/x': Permission denied/);
    assert.equal(modes.out, "755\n755\n700\n700\n1777\n", modes.err);
    assert.equal(revoked.code, 255);
  });

  it("takes a token that Kubernetes swaps, and tells Prometheus how it is", async () => {
    await using iam = await startFakeIam(users(), []);
    const pod = await furnish("login", iam);
    const login = pod.start("login");
    await login.printed(LISTENING);

    iam.token = "rotated-31c9";
    const refused = await login.exec("rollcall", "sync");
    const ready = await login.exec("rollcall", "probe", "readyz");
    pod.swap("token", { token: "rotated-31c9\n" });
    await login.printed(/a file changed[^]*condition cleared/);
    const metrics = pod.start("metrics");
    const figures = await eventually(async () => (await fetch("http://127.0.0.1:9464/metrics")).text());

    assert.equal(refused.code, 1);
    assert.match(refused.err, /iam-refused/);
    assert.equal(ready.code, 0, "an IAM that refuses makes no pod unready");
    assert.match(figures, /^rollcall_ready 1$/m);
    await metrics.kill("SIGTERM");
    await login.kill("SIGTERM");
    assert.deepEqual([await login.ended, await metrics.ended], [0, 143]);
  });

  it("beside an sshd of its own shares names and keys with it, and nothing else", async () => {
    await using iam = await startFakeIam(users(), []);
    const pod = await furnish("login-sidecar", iam);
    const rollcall = pod.start("rollcall");
    await rollcall.printed(/in step/);
    const sshd = pod.start("sshd");
    await sshd.printed(LISTENING);

    const before = await pod.login("ada", ada, "id -un; getent passwd | grep -c :/home/");
    const reach = await sshd.exec(
      "sh",
      "-c",
      "ls /etc/rollcall-token /var/lib/rollcall; touch /etc/nsscache/x",
    );
    iam.users = [aUser(1, { name: "ada", keys: [] }), ...users().slice(1)];
    await sync(rollcall);
    const revoked = await pod.login("ada", ada, "true");
    const other = await pod.login("bob", bob, "id -un");
    await Promise.all([sshd.kill("SIGTERM"), rollcall.kill("SIGTERM")]);

    assert.equal(before.out, "ada\n2\n", before.err + sshd.output());
    assert.equal(reach.out.replaceAll(/^\/.*:$/gm, "").trim(), "");
    assert.match(reach.err, /nsscache\/x': Read-only file system/);
    assert.equal(revoked.code, 255);
    assert.equal(other.out, "bob\n");
    assert.deepEqual([await sshd.ended, await rollcall.ended], [0, 0]);
  });

  it("is for one person where the pod names one", async () => {
    await using iam = await startFakeIam(users(), []);
    const pod = await furnish("login-ada", iam);
    const login = pod.start("login");
    await login.printed(LISTENING);

    const own = await pod.login("ada", ada, "id -un bob");
    const other = await pod.login("bob", bob, "true");
    const indexed = await login.exec("sh", "-c", WITHOUT_BOB);
    await login.kill("SIGTERM");

    assert.match(indexed.out, /^ada:[^\n]*\n2\n$/);
    assert.equal(own.out, "bob\n", own.err + login.output());
    assert.equal(other.code, 255);
    assert.equal(await login.ended, 0);
  });

  it("has the same digest when it is made again", async () => {
    const second = await buildImage("second");

    assert.match(first.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(second.digest, first.digest);
  });
});
