/**
 * Packages of this tree, built by the program that builds them for everybody.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const BUILD = new URL("../../packaging/build", import.meta.url).pathname;

/** A directory for packages, gone when it is disposed of. */
export interface PackageDirectory extends Disposable {
  readonly path: string;
  /** Builds a package into it; returns the name of the file. */
  build(kind: "deb" | "rpm", ...options: string[]): string;
}

/** An empty one. */
export function makePackageDirectory(): PackageDirectory {
  const path = mkdtempSync(join(tmpdir(), "rollcall-packages-"));
  return {
    path,
    build(kind, ...options) {
      const built = spawnSync(BUILD, [kind, "--out", path, ...options], { encoding: "utf8" });
      if (built.status !== 0) {
        throw new Error(`packaging/build failed: ${built.stderr}`);
      }
      return basename(built.stdout.trim());
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}
