/**
 * The packages are what they should be: the same bytes each time, by the rules of Debian, for both architectures, and one tree.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makePackageDirectory } from "../support/packages.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Why a test must be skipped that needs these programs; false when all of them are there. */
function missingPrograms(...programs: readonly string[]): string | false {
  const absent = programs.filter((program) => spawnSync(program, ["--version"]).status !== 0);
  return absent.length > 0 && `missing: ${absent.join(", ")}`;
}

/** What a program printed that had to succeed. */
function output(program: string, ...args: readonly string[]): string {
  const ran = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(ran.status, 0, `${program} ${args.join(" ")}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

const FILES = [
  "/usr/bin/rollcall",
  "/usr/lib/rollcall/dist/main.js",
  "/usr/lib/rollcall/node",
  "/usr/lib/rollcall/rollcall",
  "/usr/lib/systemd/system/rollcall.service",
  "/usr/lib/sysusers.d/rollcall.conf",
  "/usr/lib/tmpfiles.d/rollcall.conf",
  "/usr/share/doc/rollcall/changelog.gz",
  "/usr/share/doc/rollcall/copyright",
  "/usr/share/doc/rollcall/examples/rollcall.yaml",
  "/usr/share/man/man5/rollcall.yaml.5.gz",
  "/usr/share/man/man8/rollcall.8.gz",
  "/usr/share/rollcall/rollcall.schema.json",
  "/usr/share/bash-completion/completions/rollcall",
  "/usr/share/fish/vendor_completions.d/rollcall.fish",
] as const;

describe("the deb", { skip: missingPrograms("dpkg-deb", "lintian") }, () => {
  const packages = makePackageDirectory();
  const again = makePackageDirectory();
  after(() => [packages, again].forEach((directory) => directory[Symbol.dispose]()));
  const amd64 = join(packages.path, packages.build("deb", "--arch", "amd64"));
  const listed = (file: string) =>
    output("dpkg-deb", "--contents", file)
      .split("\n")
      .map((line) => /\.(\/\S*)/.exec(line)?.[1] ?? "")
      .toSorted();

  it("is the same each time", () => {
    const second = join(again.path, again.build("deb", "--arch", "amd64"));

    assert.ok(readFileSync(amd64).equals(readFileSync(second)));
  });

  it("has everything, root's, and no file that others write to", () => {
    const lines = output("dpkg-deb", "--contents", amd64).trim().split("\n");

    assert.deepEqual(
      FILES.filter((file) => !listed(amd64).includes(file)),
      [],
    );
    assert.deepEqual(
      lines.filter((line) => !/^[-dl]r(?:wxrwxrwx|w[-x]r-[-x]r-[-x]) root\/root /.test(line)),
      [],
    );
  });

  it("pleases lintian, but for what its overrides explain", () => {
    const { stdout } = spawnSync("lintian", [amd64], { encoding: "utf8" });

    assert.equal(stdout, "");
  });

  it("is there for arm64, with the same files and the Node of that architecture", () => {
    const arm64 = join(packages.path, packages.build("deb", "--arch", "arm64"));
    const elf = spawnSync("sh", [
      "-c",
      'dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/lib/rollcall/node | head -c 20 | od -An -tx1 -j18 -N2',
      arm64,
    ]);

    assert.deepEqual(listed(arm64), listed(amd64));
    assert.equal(output("dpkg-deb", "--field", arm64, "Architecture"), "arm64\n");
    // EM_AARCH64
    assert.equal(elf.stdout.toString().trim(), "b7 00");
  });

  it("has the version that its changelog begins with", () => {
    const changelog = readFileSync(`${ROOT}packaging/changelog`, "utf8");

    const version = output("dpkg-deb", "--field", amd64, "Version").trim();
    assert.ok(changelog.startsWith(`rollcall (${version}) `), version);
  });
});

const skipRpm = missingPrograms("rpmbuild", "rpm") || (process.geteuid?.() !== 0 && "only root can install");

describe("the rpm", { skip: skipRpm }, () => {
  const packages = makePackageDirectory();
  const root = mkdtempSync(join(tmpdir(), "rollcall-rpm-"));
  after(() => {
    packages[Symbol.dispose]();
    rmSync(root, { recursive: true });
  });
  const file = join(packages.path, packages.build("rpm", "--arch", "amd64"));

  it("is the same each time", () => {
    const before = readFileSync(file);
    packages.build("rpm", "--arch", "amd64");

    assert.ok(readFileSync(file).equals(before));
  });

  it("has everything", () => {
    const listed = output("rpm", "-qlp", file).split("\n");

    assert.deepEqual(
      FILES.filter((path) => !listed.includes(path)),
      [],
    );
  });

  it("has scripts that sh can read", () => {
    for (const script of ["POSTIN", "PREUN", "POSTUN"]) {
      const text = output("rpm", "-qp", "--queryformat", `%{${script}}`, file);
      const ran = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });

      assert.match(text, /rollcall/);
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
    }
  });

  it("can be installed into a root, upgraded and taken out, and runs there", () => {
    const newer = join(packages.path, packages.build("rpm", "--arch", "amd64", "--version", "0.1.0+next"));
    mkdirSync(join(root, "var/lib/rpm"), { recursive: true });
    const rpm = (...args: string[]) => output("rpm", "--root", root, ...args);
    const alone = ["--nodeps", "--noscripts"];

    rpm("-i", ...alone, file);
    rpm("-U", ...alone, newer);
    const version = output(join(root, "usr/lib/rollcall/rollcall"), "--version");
    const query = rpm("-q", "rollcall");
    const verified = rpm("-V", "--nodeps", "rollcall");
    rpm("-e", ...alone, "rollcall");

    assert.equal(version, "0.1.0+next\n");
    assert.match(query, /^rollcall-0\.1\.0\+next-1/);
    assert.equal(verified, "");
    assert.throws(() => readFileSync(join(root, "usr/lib/rollcall/node")));
  });
});
