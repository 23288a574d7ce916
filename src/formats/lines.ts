/**
 * Lines of a cache file and where each of them lies, in bytes.
 *
 * Rendering a line and placing it are apart: what a line says never depends on where it stands.
 */

/** A whole file and the byte offset of each line that went into it, in the same order. */
export interface Placed {
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
}

/** Puts lines one after the other, each ended by a line feed. */
export function placeInOrder(lines: readonly string[]): Placed {
  const offsets: number[] = [];
  let offset = 0;
  for (const line of lines) {
    offsets.push(offset);
    offset += Buffer.byteLength(line) + 1;
  }
  return { bytes: Buffer.from(lines.map((line) => `${line}\n`).join("")), offsets };
}

/** The lines of a file that are records: neither empty nor a comment, nor this one, which stands for nobody. */
export function recordLines(bytes: Uint8Array, sentinel?: string): string[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && line !== sentinel);
}

/** A decimal number as it stands in these files, or undefined. */
export function parseDecimal(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
