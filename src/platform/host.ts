/**
 * What kind of machine this is, and how full it is.
 */

import { statfs } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { osInfo } from "systeminformation";

/** Of the machine; never changes while it is up. */
export interface HostFacts {
  /** `Debian GNU/Linux 12`. */
  readonly os: string;
  readonly kernel: string;
  readonly arch: string;
  readonly hostname: string;
}

/** The file system below a path. */
export interface DiskSpace {
  /** What lies there, as the configuration calls it: `caches`, `keys`, `state`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** For everybody but root. */
  readonly freeBytes: number;
  /** Files that can still be made; file systems without such a limit say 0 of 0. */
  readonly freeInodes: number;
  readonly inodes: number;
}

/** Asks once; takes some fifty milliseconds and a few processes, so never while anybody waits. */
export async function readHostFacts(): Promise<HostFacts> {
  const { distro, release, kernel, arch, hostname } = await osInfo();
  return { os: `${distro} ${release}`, kernel, arch, hostname };
}

/** One statfs(2), because df(1) asks every mount, hanging ones too, and leaves tmpfs out. Undefined without the path. */
export async function readDiskSpace(name: string, path: string): Promise<DiskSpace | undefined> {
  try {
    const { bsize, blocks, bavail, ffree, files } = await statfs(path);
    return {
      name,
      path,
      sizeBytes: bsize * blocks,
      freeBytes: bsize * bavail,
      freeInodes: ffree,
      inodes: files,
    };
  } catch {
    return undefined;
  }
}

/** Of this process. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** For a process that mostly rests: V8 keeps less code and less heap, and computes somewhat slower. */
export function preferSmallMemory(): void {
  setFlagsFromString("--optimize-for-size");
}
