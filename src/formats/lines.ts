/**
 * Lines of a cache file and where each of them lies, in bytes.
 *
 * Rendering a line and placing it are apart: what a line says never depends on where it stands.
 */

/** Lines one after the other, each ended by a line feed. */
export interface Lines {
  readonly bytes: Buffer;
  /** Where each line starts, and behind them where the last one ends. */
  readonly starts: Uint32Array;
}

/** What stands around lines in a file, each a line without its line feed; nothing where it is empty. */
export interface Frame {
  readonly head?: string;
  readonly tail?: string;
}

/** Lines, and the file that they are a part of, without a second copy: what stands around them lies next to them. Their starts count from the first line on. */
export interface FramedLines extends Lines {
  readonly file: Buffer;
}

/** Lines that are written at once: one string for each of a hundred thousand would be as many calls, one for all a second file. */
const BATCH = 256;
/** A character of a string takes no more bytes than this. */
const MOST_BYTES = 3;
/** So many items tell how long all of them are, with so much to spare. */
const SAMPLE = 64;
const SPARE = 1.1;
/** One line may be longer than all others together, such as a group of everybody: a guess by it would know no bounds. */
const MOST_GUESSED = 64 * 1024 ** 2;
const LINE_FEED = 0x0a;

/** Renders all items into one buffer. */
export function renderLines<Item>(
  items: readonly Item[],
  render: (item: Item) => string,
  { head = "", tail = "" }: Frame = {},
): FramedLines {
  const starts = new Uint32Array(items.length + 1);
  const last = endedLine(tail);
  const before = endedLine(head);
  const from = before.length;
  let bytes = withRoom(before, from, roomFor(items, render));
  let end = from;
  for (let first = 0; first < items.length; first += BATCH) {
    const lines = items.slice(first, first + BATCH).map(render);
    const text = lines.join("\n");
    const most = text.length * MOST_BYTES + 1 + last.length;
    if (end + most > bytes.length) {
      const share = (first + lines.length) / items.length;
      const rest = ((end + text.length) / share) * SPARE;
      bytes = withRoom(bytes, end, most + Math.min(rest, Math.max(end, MOST_GUESSED)));
    }
    const written = bytes.write(text, end);
    markStarts(starts.subarray(first), lines, { start: end - from, isAscii: written === text.length });
    end += written;
    bytes[end] = LINE_FEED;
    end += 1;
    starts[first + lines.length] = end - from;
  }
  const file = items.length === 0 ? Buffer.concat([bytes, last]) : bytes.subarray(0, end + last.length);
  last.copy(file, end);
  return { bytes: file.subarray(from, end), starts, file };
}

function endedLine(line: string): Buffer {
  return Buffer.from(line === "" ? "" : `${line}\n`);
}

function markStarts(
  starts: Uint32Array,
  lines: readonly string[],
  { start, isAscii }: { readonly start: number; readonly isAscii: boolean },
): void {
  let next = start;
  lines.forEach((line, nth) => {
    starts[nth] = next;
    next += (isAscii ? line.length : Buffer.byteLength(line)) + 1;
  });
}

/**
 * What many items will likely take. Those of the beginning may be of another kind than the rest, and a buffer that turns
 * out too small lies about beside the next one. What is not written to takes no memory.
 */
function roomFor<Item>(items: readonly Item[], render: (item: Item) => string): number {
  if (items.length <= BATCH) {
    return 0;
  }
  const step = Math.ceil(items.length / SAMPLE);
  const some = items.filter((_item, nth) => nth % step === 0).map(render);
  const characters = (some.join("\n").length + 1) / some.length;
  return Math.min(characters * (items.length * SPARE + BATCH * MOST_BYTES), MOST_GUESSED);
}

function withRoom(bytes: Buffer, used: number, room: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(used + Math.ceil(room));
  bytes.copy(larger, 0, 0, used);
  return larger;
}

/** A file of whole lines, as it is. */
export function linesIn(bytes: Buffer): Lines {
  const starts = [0];
  for (let end = bytes.indexOf(LINE_FEED) + 1; end > 0; end = bytes.indexOf(LINE_FEED, end) + 1) {
    starts.push(end);
  }
  return { bytes, starts: Uint32Array.from(starts) };
}

/** Other lines in the place of as many, from the nth on. */
export function replaceLines(all: Lines, from: number, some: Lines): Lines {
  const to = from + some.starts.length - 1;
  const start = all.starts[from] ?? 0;
  const end = all.starts[to] ?? 0;
  const starts = all.starts.slice();
  some.starts.forEach((at, nth) => {
    starts[from + nth] = start + at;
  });
  const moved = some.bytes.length - (end - start);
  for (let nth = to + 1; nth < starts.length; nth += 1) {
    starts[nth] = (all.starts[nth] ?? 0) + moved;
  }
  const bytes = Buffer.concat([all.bytes.subarray(0, start), some.bytes, all.bytes.subarray(end)]);
  return { bytes, starts };
}

/** The place of the line that starts at this offset, or of the first one behind it. */
export function lineAt({ starts }: Lines, offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) < offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** How many lines a file has. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
    count += 1;
  }
  return count;
}

/** The lines of a file that are records: neither empty nor a comment, nor this one, which stands for nobody. */
export function recordLines(bytes: Uint8Array, sentinel?: string): string[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && line !== sentinel);
}

/** The lines in which two files differ: without those that both begin with, and those that both end with. */
export function differingLines(one: Uint8Array, other: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const shorter = Math.min(one.length, other.length);
  let same = 0;
  while (same + BLOCK <= shorter && isSame(one, other, { one: same, other: same })) {
    same += BLOCK;
  }
  while (same < shorter && one[same] === other[same]) {
    same += 1;
  }
  const start = same === 0 ? 0 : one.lastIndexOf(LINE_FEED, same - 1) + 1;
  let tail = 0;
  while (
    tail + BLOCK <= shorter - start &&
    isSame(one, other, { one: one.length - tail - BLOCK, other: other.length - tail - BLOCK })
  ) {
    tail += BLOCK;
  }
  while (tail < shorter - start && one[one.length - 1 - tail] === other[other.length - 1 - tail]) {
    tail += 1;
  }
  // What is alike may begin in the middle of a line, which then differs.
  const next = tail === 0 ? -1 : one.indexOf(LINE_FEED, one.length - tail);
  const rest = next < 0 ? 0 : one.length - next - 1;
  return [one.subarray(start, one.length - rest), other.subarray(start, other.length - rest)];
}

/** Bytes that are compared at once: mostly little differs in large files. */
const BLOCK = 4096;

function isSame(
  one: Uint8Array,
  other: Uint8Array,
  at: { readonly one: number; readonly other: number },
): boolean {
  return (
    Buffer.compare(one.subarray(at.one, at.one + BLOCK), other.subarray(at.other, at.other + BLOCK)) === 0
  );
}

/** Reads each file once while its bytes are in hand: one run asks several times whom a map names. */
export function readOnce<Item>(
  read: (bytes: Uint8Array) => readonly Item[],
): (bytes: Uint8Array) => readonly Item[] {
  const known = new WeakMap<Uint8Array, readonly Item[]>();
  return (bytes) => {
    const items = known.get(bytes) ?? read(bytes);
    known.set(bytes, items);
    return items;
  };
}

/** A decimal number as it stands in these files, or undefined. */
export function parseDecimal(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
