/**
 * How much of this machine this process takes, and what its programs look like.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Of this process. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** Below this there is little to gain. */
const WORTH_IT_BYTES = 160 * 1024 ** 2;

/**
 * Collects all garbage, where there may be much. V8 lets it lie until the heap has grown by half again, which is right for a server
 * and wrong for a process whose stages each leave behind what only they needed.
 */
export function tidyUp(): void {
  if (residentBytes() >= WORTH_IT_BYTES) {
    collectGarbage();
  }
}

/** So much may gather in a process that rests. */
const MOST_GATHERED_BYTES = 2 * 1024 ** 2;

/** For a process that mostly rests: collects garbage the first time, and whenever this process has grown since. */
export function createTidier(): () => void {
  let restingBytes = 0;
  return () => {
    const bytes = residentBytes();
    if (bytes > restingBytes + MOST_GATHERED_BYTES) {
      collectGarbage();
      restingBytes = residentBytes();
    } else {
      // V8 gives back what it has collected some seconds later.
      restingBytes = Math.min(restingBytes, bytes);
    }
  };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
}

/**
 * Of bytes that nobody looks at any more, where they are large: V8 would let them lie until its own heap is full. Small ones may
 * share their room with others.
 */
export function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) {
    buffer.transfer(0);
  }
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
