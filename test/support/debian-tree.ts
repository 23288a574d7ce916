/**
 * A root file system of Debian, made of the packages of this machine's mirror.
 *
 * In: the suite and what is to be in it. Out: a directory below the system's temporary one, whose `root` is built once and
 * only read from then on. It is gone soon after this process is, however it ended. Nothing is installed on this machine itself.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** The release of Debian. */
export type Suite = "bookworm" | "trixie";

/** What is in a tree. The scripts run outside, with the tree as `$1`: before the packages are unpacked, and at the end. */
export interface Recipe {
  readonly packages: readonly string[];
  readonly setup: string;
  readonly customize: string;
}

/** What a test with a tree needs of the machine, and how to tell that it is there. */
const COMPONENTS = {
  "root and its right to unshare namespaces (package util-linux)": () =>
    spawnSync("unshare", ["-m", "-p", "-f", "-u", "-i", "-n", "nsenter", "--version"]).status === 0,
  "mmdebstrap (package mmdebstrap)": () => spawnSync("mmdebstrap", ["--version"]).status === 0,
  "an apt mirror that answers and has bookworm and trixie": () => isMirrorReachable(mirror()),
} as const;

/** Why a test that needs such a tree must be skipped; false when all is there. */
export function missingTree(): string | false {
  const absent = Object.entries(COMPONENTS).filter(([, isThere]) => !isThere());
  return absent.length > 0 && `missing: ${absent.map(([name]) => name).join(", ")}`;
}

/** The one of Debian's own packages in this machine's list of sources; undefined when there is none. */
function mirror(): string | undefined {
  const { stdout } = spawnSync(
    "apt-get",
    ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian", "Component: main"],
    { encoding: "utf8" },
  );
  return /^\S+/.exec(stdout ?? "")?.[0];
}

/** Asks as apt does, with its proxies and certificates. */
function isMirrorReachable(uri: string | undefined): boolean {
  if (uri === undefined) {
    return false;
  }
  const directory = mkdtempSync(join(tmpdir(), "rollcall-mirror-"));
  const files = ["bookworm", "trixie"].flatMap((suite) => [
    `${uri}dists/${suite}/InRelease`,
    join(directory, suite),
  ]);
  const asked = spawnSync("/usr/lib/apt/apt-helper", ["download-file", ...files], { timeout: 20_000 });
  rmSync(directory, { recursive: true });
  return asked.status === 0;
}

/** Its standard input ends with this process, and that is when the tree is removed. */
const BUILD = `
directory=$0
if timeout -k 5 600 unshare --mount mmdebstrap "$@" </dev/null; then
  echo built
  exec >&- 2>&-
  cat >/dev/null
fi
rm -rf --one-file-system "$directory"
`;

/** Builds one: half a minute. */
export async function buildTree(suite: Suite, { packages, setup, customize }: Recipe): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), `rollcall-${suite}-`));
  const settings = [
    "--quiet",
    "--mode=root",
    "--format=directory",
    "--variant=essential",
    `--include=${packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=force-unsafe-io",
    `--setup-hook=${setup}`,
    `--customize-hook=${customize}`,
  ];
  const source = `deb ${mirror()} ${suite} main`;
  const args = ["-uc", BUILD, directory, ...settings, suite, join(directory, "root"), source];
  // In a process group of its own, because what ends the tests from a terminal must not keep it from clearing up.
  const child = spawn("sh", args, { stdio: "pipe", detached: true });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (!out.includes("built\n")) {
    throw new Error(`mmdebstrap did not build ${suite}: ${out}${err}`);
  }
  child.unref();
  return directory;
}
