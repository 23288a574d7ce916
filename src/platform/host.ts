/**
 * What kind of machine this is, and how much of it this process takes.
 */

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

/** Asks once; takes some fifty milliseconds and a few processes, so never while anybody waits. */
export async function readHostFacts(): Promise<HostFacts> {
  const { distro, release, kernel, arch, hostname } = await osInfo();
  return { os: `${distro} ${release}`, kernel, arch, hostname };
}

/** Of this process. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** For a process that mostly rests: V8 keeps less code and less heap, and computes somewhat slower. */
export function preferSmallMemory(): void {
  setFlagsFromString("--optimize-for-size");
}

/** What programs and libraries of this machine are called and marked with (elf(5), Debian's multiarch). */
export function thisMachine(): {
  readonly arch: string;
  readonly multiarch: string;
  readonly elfMachine: number;
} {
  return process.arch === "arm64"
    ? { arch: "aarch64", multiarch: "aarch64-linux-gnu", elfMachine: 183 }
    : { arch: "x86_64", multiarch: "x86_64-linux-gnu", elfMachine: 62 };
}
