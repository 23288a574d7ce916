/**
 * A login node with Debian's own sshd on loopback, and two clients that knock at it.
 *
 * In: how sshd learns the keys. Out: a node whose IAM a test may change, and whether a key lets a user in.
 */

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "ssh2";
import { errorCodeOf } from "../../src/model/failure.ts";
import { type FakeIam, type Resource, startFakeIam, TOKEN } from "./fake-iam.ts";
import { type Namespace, PROGRAM, type Running, startNamespace } from "./namespace.ts";
import { configFor, type Ran, run } from "./node-root.ts";

/** How sshd is set up. */
export interface SshdMode {
  readonly usePam: boolean;
  /** A file per user; `rollcall keys` as the AuthorizedKeysCommand of the user nobody; or that without any files. */
  readonly keysFrom: "files" | "command" | "map";
}

/** What rollcall.yaml says more where there are no key files. */
export const NO_KEY_FILES = "keys: { files: false }\n";

/** A real key pair. */
export interface KeyPair {
  /** The line of the .pub file. */
  readonly line: string;
  /** Where the private half lies. */
  readonly path: string;
}

/** Who knocks with what, and what to run once inside. */
export interface Attempt {
  readonly user: string;
  readonly key: KeyPair;
  readonly command: string;
}

export interface LoginNode extends AsyncDisposable {
  readonly node: Namespace;
  readonly iam: FakeIam;
  makeKey(type?: string, bits?: number): Promise<KeyPair>;
  /** Makes these the users of the IAM and syncs the node. */
  serve(users: Resource[]): Promise<void>;
  /** Code 255 when the key does not let the user in; else what the command printed. */
  openSsh(attempt: Attempt): Promise<Ran>;
  ssh2(attempt: Attempt): Promise<Ran>;
  /** Waits until sshd has logged this. */
  logged(text: string): Promise<void>;
}

/** A node with a running sshd, in step with an IAM that has no users yet. */
export async function startLoginNode(mode: SshdMode): Promise<LoginNode> {
  await using stack = new AsyncDisposableStack();
  const keys = stack.adopt(mkdtempSync(join(tmpdir(), "rollcall-keys-")), (path) =>
    rmSync(path, { recursive: true }),
  );
  const iam = stack.use(await startFakeIam([], []));
  const node = stack.use(await startNamespace());
  await node.write("/etc/rollcall/token", TOKEN, 0o600);
  await node.write(
    "/etc/rollcall/rollcall.yaml",
    configFor(iam.url, mode.keysFrom === "map" ? NO_KEY_FILES : ""),
  );
  const door = stack.use(await startSshd(node, mode));
  const knownHosts = join(keys, "known_hosts");
  writeFileSync(knownHosts, `[127.0.0.1]:${door.port} ${door.hostKey}\n`);
  const cleanup = stack.move();
  let made = 0;
  return {
    node,
    iam,
    makeKey(type = "ed25519", bits = 0) {
      made += 1;
      return makeKeyPair(join(keys, `key${made}`), type, bits);
    },
    async serve(users) {
      iam.users = users;
      const ran = await node.rollcall("sync");
      assert.equal(ran.code, 0, ran.out + ran.err);
    },
    openSsh: (attempt) => knockWithOpenSsh(attempt, { port: door.port, knownHosts }),
    ssh2: (attempt) => knockWithSsh2(attempt, door),
    logged: (text) => door.sshd.printed(text),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** Makes a real one at a path. */
export async function makeKeyPair(path: string, type = "ed25519", bits = 0): Promise<KeyPair> {
  const size = bits === 0 ? [] : ["-b", String(bits)];
  const ran = await run("ssh-keygen", ["-q", "-t", type, ...size, "-N", "", "-f", path]);
  assert.equal(ran.code, 0, ran.err);
  return { path, line: readFileSync(`${path}.pub`, "utf8").trim() };
}

interface Door extends AsyncDisposable {
  readonly sshd: Running;
  readonly port: number;
  /** Type and base64 of the host key. */
  readonly hostKey: string;
}

/** sshd insists that only root can have written the program it runs, and the directories above it. */
const KEYS_COMMAND = "/etc/ssh/rollcall-keys";

async function startSshd(node: Namespace, { usePam, keysFrom }: SshdMode): Promise<Door> {
  const port = await freePort();
  await node.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "/run/test/host_key");
  await node.write(KEYS_COMMAND, `#!/bin/sh\nexec ${PROGRAM.join(" ")} keys "$1"\n`, 0o755);
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    "HostKey /run/test/host_key",
    "PidFile none",
    "LogLevel VERBOSE",
    "MaxStartups 100",
    "StrictModes yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    `UsePAM ${usePam ? "yes" : "no"}`,
    // Without key files sshd goes on reading those of others, as setup leaves it.
    `AuthorizedKeysFile ${keysFrom === "command" ? "none" : "/etc/ssh/authorized_keys.d/%u"}`,
    ...(keysFrom === "files"
      ? []
      : [`AuthorizedKeysCommand ${KEYS_COMMAND} %u`, "AuthorizedKeysCommandUser nobody"]),
  ];
  await node.write("/run/test/sshd_config", `${config.join("\n")}\n`);
  const sshd = node.start("/usr/sbin/sshd", "-D", "-e", "-f", "/run/test/sshd_config");
  await sshd.printed(`Server listening on 127.0.0.1 port ${port}.`);
  const hostKey = (await node.read("/run/test/host_key.pub")).trim();
  return { sshd, port, hostKey, [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose]() };
}

/**
 * A port of loopback that nobody listens on yet. It lies below those that the kernel hands out by itself
 * (ip_local_port_range), so that no other test is given it before its server starts.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    server.on("listening", () => server.close(() => resolve(port)));
    server.on("error", (error) =>
      errorCodeOf(error) === "EADDRINUSE" ? resolve(freePort()) : reject(error),
    );
    server.listen(port, "127.0.0.1");
  });
}

/** Knocks once; the host must show the key that the file of known hosts has. */
export function knockWithOpenSsh(
  { user, key, command }: Attempt,
  { port, knownHosts }: { readonly port: number; readonly knownHosts: string },
): Promise<Ran> {
  const options = [
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=none",
    `UserKnownHostsFile=${knownHosts}`,
  ].flatMap((option) => ["-o", option]);
  return run("ssh", [
    "-F",
    "none",
    "-T",
    "-p",
    String(port),
    "-i",
    key.path,
    ...options,
    `${user}@127.0.0.1`,
    command,
  ]);
}

const SSH2_LIMIT_MS = 30_000;

/** Answers as OpenSSH does, so that a test can ask both alike. */
function knockWithSsh2({ user, key, command }: Attempt, { port, hostKey }: Door): Promise<Ran> {
  const client = new Client();
  const tooLong = setTimeout(() => client.destroy(), SSH2_LIMIT_MS);
  let out = "";
  let err = "";
  return new Promise<Ran>((resolve) => {
    const end = (code: number) => resolve({ code, out, err });
    // A server that hangs up after a good signature closes without an error.
    client.on("close", () => end(255));
    client.on("error", (error) => {
      err += error.message;
    });
    client.on("ready", () =>
      client.exec(command, (error, channel) => {
        if (error !== undefined) {
          client.end();
          return;
        }
        channel.on("data", (chunk: Buffer) => {
          out += chunk.toString();
        });
        channel.stderr.on("data", (chunk: Buffer) => {
          err += chunk.toString();
        });
        channel.on("close", (code: number | undefined) => end(code ?? 255));
      }),
    );
    client.connect({
      host: "127.0.0.1",
      port,
      username: user,
      privateKey: readFileSync(key.path),
      hostVerifier: (offered: Buffer) => offered.toString("base64") === hostKey.split(" ")[1],
    });
  }).finally(() => {
    clearTimeout(tooLong);
    client.end();
  });
}
