/**
 * Our check of key blobs against the real ssh-keygen, and against ssh2 where it covers a type.
 */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import ssh2 from "ssh2";
import { toKeys } from "../../src/validate/ssh-keys.ts";
import { RULES } from "../support/drafts.ts";
import { aKey } from "../support/records.ts";

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "rollcall-keys-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

function generate(type: string, bits: string): string {
  const file = join(directory, `${type}-${bits}`);
  execFileSync("ssh-keygen", [
    "-q",
    "-t",
    type,
    "-b",
    bits,
    "-N",
    "",
    "-C",
    `${type} of ${bits}`,
    "-f",
    file,
  ]);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

function accepts(line: string): boolean {
  return toKeys([line], RULES.keys).keys.length === 1;
}

function sshKeygenAccepts(line: string): boolean {
  const file = join(directory, "candidate.pub");
  writeFileSync(file, `${line}\n`);
  return spawnSync("ssh-keygen", ["-l", "-f", file]).status === 0;
}

const KINDS = [
  ["ed25519", "256"],
  ["ecdsa", "256"],
  ["ecdsa", "384"],
  ["ecdsa", "521"],
  ["rsa", "2048"],
  ["rsa", "3072"],
] as const;

/** A security key as OpenSSH writes it: an ed25519 key and the application it was made for. */
function aSecurityKey(application: string): string {
  const type = "sk-ssh-ed25519@openssh.com";
  const fields = [Buffer.from(type), Buffer.alloc(32, 7), Buffer.from(application)];
  const blob = Buffer.concat(fields.flatMap((field) => [Buffer.from([0, 0, 0, field.length]), field]));
  return `${type} ${blob.toString("base64")} security key`;
}

describe("a key that ssh-keygen made", () => {
  for (const [type, bits] of KINDS) {
    it(`of type ${type} with ${bits} bits is accepted as it is`, () => {
      const line = generate(type, bits);

      assert.deepEqual(toKeys([line], RULES.keys), { keys: [line], refusals: [] });
      assert.ok(!(ssh2.utils.parseKey(line) instanceof Error));
    });
  }

  it("of 1024 RSA bits is too weak", () => {
    assert.equal(toKeys([generate("rsa", "1024")], RULES.keys).refusals[0]?.code, "key-too-weak");
  });

  it("for a security key is accepted, which ssh-keygen confirms", () => {
    assert.deepEqual([accepts(aSecurityKey("ssh:")), sshKeygenAccepts(aSecurityKey("ssh:"))], [true, true]);
  });
});

describe("a key with one byte changed", () => {
  it("is never accepted where ssh-keygen refuses it for its shape", () => {
    let disagreements = 0;
    let refused = 0;
    for (const line of [
      ...KINDS.filter(([type]) => type !== "rsa").map(([type, bits]) => generateOnce(type, bits)),
      aKey(1),
    ]) {
      const [type = "", blob = ""] = line.split(" ");
      const bytes = Buffer.from(blob, "base64");
      for (let position = 0; position < Math.min(bytes.length, 48); position += 3) {
        const changed = Buffer.from(bytes);
        changed[position] = (changed[position] ?? 0) ^ 0xff;
        const candidate = `${type} ${changed.toString("base64")}`;
        const ours = accepts(candidate);
        const theirs = sshKeygenAccepts(candidate);
        refused += theirs ? 0 : 1;
        disagreements += ours && !theirs && !isOnlyOffTheCurve(type, position) ? 1 : 0;
        assert.ok(ours || !theirs, `refused what ssh-keygen takes: ${candidate}`);
      }
    }

    assert.equal(disagreements, 0);
    assert.ok(refused > 30, `ssh-keygen refused only ${refused}`);
  });
});

describe("options that OpenSSH splits in another place", () => {
  it("are refused, whatever key stands behind them", () => {
    const [hidden, shown] = [aKey(1), aKey(2)];
    const line = `from="*,\\\\",from=" ${hidden} x" ${shown} me`;
    const rules = { ...RULES.keys, allowedOptions: ["from"] };
    const fingerprint = (key: string) => {
      writeFileSync(join(directory, "split.pub"), `${key}\n`);
      return execFileSync("ssh-keygen", ["-l", "-f", join(directory, "split.pub")], {
        encoding: "utf8",
      }).split(" ")[1];
    };

    assert.equal(fingerprint(line), fingerprint(hidden));
    assert.equal(toKeys([line], rules).keys.length, 0);
  });
});

const generated = new Map<string, string>();
function generateOnce(type: string, bits: string): string {
  const line = generated.get(`${type}-${bits}`) ?? readOrGenerate(type, bits);
  generated.set(`${type}-${bits}`, line);
  return line;
}

function readOrGenerate(type: string, bits: string): string {
  try {
    return readFileSync(join(directory, `${type}-${bits}.pub`), "utf8").trim();
  } catch {
    return generate(type, bits);
  }
}

/** Whether a point lies on its curve is arithmetic that sshd does when it reads the file; shape is ours. */
function isOnlyOffTheCurve(type: string, position: number): boolean {
  return type.startsWith("ecdsa") && position > 4 + type.length + 4 + 8 + 4;
}
