/**
 * A healthy login node for the doctor: real sshd, real libnss-cache, an IAM over real TLS, in step.
 *
 * In: nothing. Out: the node, and a way to spoil a copy of it and have it examined, so that nothing has to be put back.
 */

import assert from "node:assert/strict";
import { ALWAYS, type Authority, makeAuthority } from "./certificates.ts";
import { type FakeIam, startFakeIam, TOKEN } from "./fake-iam.ts";
import { type Namespace, PROGRAM, startNamespace } from "./namespace.ts";
import { configFor, type Ran } from "./node-root.ts";
import { aGroup, aUser } from "./records.ts";

/** What `doctor --json` printed, and how it ended. */
export interface Examined extends Ran {
  /** By id. */
  readonly checks: ReadonlyMap<string, CheckLine>;
}

interface CheckLine {
  readonly id: string;
  readonly verdict: string;
  readonly found: string;
  readonly remedy?: string;
}

export interface DoctorNode extends AsyncDisposable {
  readonly node: Namespace;
  readonly iam: FakeIam;
  readonly authority: Authority;
  /** Runs a script in a copy of the node's /etc, /var and /home, then the doctor there; the node itself stays as it is. */
  examine(script?: string, ...options: string[]): Promise<Examined>;
}

export const USERS = [
  aUser(1, { name: "ada", uid: 7001, home: "/home/ada", shell: "/bin/bash" }),
  aUser(2, { name: "bob", uid: 7002, home: "/home/bob", shell: "/bin/bash" }),
];
export const GROUPS = [aGroup(1, ["u-1", "u-2"], { name: "research" })];

/** The node's configuration; `{IAM}` stands for the address. */
const CONFIG = configFor("{IAM}", "access: { login: { groups: [research] } }\n").replace(
  "iam:\n",
  "iam:\n  caFile: /etc/rollcall/ca.pem\n",
);

/** Starts one: synced, with sshd wired as the README says. */
export async function startDoctorNode(): Promise<DoctorNode> {
  await using stack = new AsyncDisposableStack();
  const authority = stack.use(makeAuthority());
  const iam = stack.use(await startFakeIam(USERS, GROUPS, { tls: authority.issue("iam", ...ALWAYS) }));
  const node = stack.use(await startNamespace());
  await node.write("/etc/rollcall/token", TOKEN, 0o600);
  await node.write("/etc/rollcall/ca.pem", authority.ca);
  await node.write("/etc/rollcall/rollcall.yaml", CONFIG.replace("{IAM}", iam.url));
  await node.write("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n");
  await node.write(
    "/etc/ssh/sshd_config.d/rollcall.conf",
    "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u\n",
  );
  const made = await node.run("ssh-keygen", "-A");
  assert.equal(made.code, 0, made.err);
  const synced = await node.rollcall("sync");
  assert.equal(synced.code, 0, synced.out + synced.err);
  const cleanup = stack.move();
  return {
    node,
    iam,
    authority,
    examine: async (script = ":", ...options) => {
      const doctor = `${PROGRAM.join(" ")} --json ${options.join(" ")} doctor`;
      const whole = `${COPY}\n${script}\n${doctor}`;
      const ran = await node.run("unshare", "-m", "--propagation", "private", "sh", "-euc", whole);
      return { ...ran, checks: checksIn(ran) };
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

const COPY = ["/etc", "/var", "/home"]
  .map(
    (place) =>
      `mkdir -p /run/copy && mount -t tmpfs -o mode=0755 tmpfs /run/copy && cp -a ${place}/. /run/copy && mount --move /run/copy ${place}`,
  )
  .join("\n");

function checksIn({ out, err }: Ran): ReadonlyMap<string, CheckLine> {
  try {
    const { checks } = JSON.parse(out) as { readonly checks: readonly CheckLine[] };
    return new Map(checks.map((one) => [one.id, one]));
  } catch {
    throw new Error(`the doctor printed no JSON: ${out}${err}`);
  }
}

/** The ids that have this verdict. */
export function idsWith({ checks }: Examined, verdict: string): string[] {
  return [...checks.values()].filter((one) => one.verdict === verdict).map(({ id }) => id);
}
