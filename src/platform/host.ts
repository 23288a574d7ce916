/**
 * How much of this machine this process takes, and what its programs look like.
 */

import { setFlagsFromString } from "node:v8";

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
