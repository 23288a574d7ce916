/**
 * Where records stand in a file that libnss-cache reads through indexes.
 *
 * A reader opens an index, then the data, and in between both may have been replaced. So whoever stays keeps the byte
 * offset, what is freed becomes a comment of the same length, and the file ends with a record that nobody asks for: an
 * old index then leads to the same person, or to a comment behind which a record with another name makes libnss-cache
 * scan the file. Without that last record its read ends with a status it never set, and glibc aborts the caller.
 */

import type { FramedLines, Lines } from "./lines.ts";
import { roomsIn } from "./rooms.ts";

/** One record: the name in its first field, and its line without the line feed. */
export interface SlotRecord {
  readonly name: string;
  readonly line: string;
}

/** A whole file and the byte offset of each line that went into it, in the same order. */
export interface Placed {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** Room: a comment, an empty line, or what is no record. */
const ROOM = -1;
/** Room that became free with the last publish: an index from before it may still lead there. */
const FRESH = -2;
/** What stood here is gone, or does not fit any more. */
const FREED = -3;

/** The pieces of a file: a record's line, or room for one. Offsets in bytes. */
interface Slots {
  /** Where each of them starts, and behind them where the last one ends. */
  readonly starts: readonly number[];
  /** The place of the record in each of them, or one of the above. */
  readonly holders: number[];
  /** The slot of each record that has one. */
  readonly slotOf: Int32Array;
}

const HASH = 0x23;
const DASH = 0x2d;
const SPACE = 0x20;
const COLON = 0x3a;
const LINE_FEED = 0x0a;

/**
 * Puts every record where it stands in `before`, if it is there and still fits; else into room that has been free for
 * a while, else at the end, before the sentinel, which is the tail of the lines. The records come sorted by name. The same
 * records give the same bytes.
 */
export function placeInSlots(lines: FramedLines, before: Uint8Array): Placed {
  if (before.length === 0) {
    return inOrder(lines.file, lines);
  }
  const last = lines.file.subarray(lines.bytes.length);
  // Nobody has come, gone or grown since all of them were put in order.
  if (Buffer.compare(before, lines.file) === 0) {
    return inOrder(before, lines);
  }
  const slots = slotsIn(withoutTail(before, last), lines);
  const homeless = settle(slots, lines);
  const isUnchanged = homeless.length === 0 && !slots.holders.includes(FREED);
  const { offsets, size } = moveIn(homeless, slots, lines);
  const bytes = Buffer.allocUnsafeSlow(size + last.length);
  offsets.forEach((offset, nth) => {
    lines.bytes.copy(bytes, offset, lines.starts[nth], lines.starts[nth + 1]);
  });
  slots.holders.forEach((holder, slot) => {
    const start = (slots.starts[slot] ?? 0) + (holder < 0 ? 0 : lengthOf(lines, holder));
    const isFresh = holder === FREED || (holder === FRESH && isUnchanged);
    const end = slots.starts[slot + 1] ?? 0;
    if (start < end) {
      putRoom(bytes.subarray(start, end), isFresh);
    }
  });
  last.copy(bytes, size);
  return { bytes, offsets };
}

function inOrder(bytes: Uint8Array, { starts }: Lines): Placed {
  return { bytes, offsets: starts.subarray(0, -1) };
}

/** Bytes of a file with these records that are room. */
export function wasteIn(bytes: Uint8Array, { file }: FramedLines): number {
  return bytes.length - file.length;
}

/** Whole lines, without the sentinel at the end. */
function withoutTail(bytes: Uint8Array, last: Uint8Array): Uint8Array {
  const whole = bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1);
  const rest = whole.length - last.length;
  const isThere =
    rest >= 0 &&
    Buffer.compare(whole.subarray(rest), last) === 0 &&
    (rest === 0 || whole[rest - 1] === LINE_FEED);
  return isThere ? whole.subarray(0, rest) : whole;
}

/** Every line of a file. Of two lines with one name the first counts. */
function slotsIn(bytes: Uint8Array, lines: Lines): Slots {
  const starts = [0];
  const holders: number[] = [];
  const slotOf = new Int32Array(lines.starts.length - 1).fill(ROOM);
  const strangers = new Set<string>();
  let next = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, start) + 1;
    const nameEnd = endOfName(bytes, start, end);
    const nth = nameEnd === start ? ROOM : placeOf({ bytes, start }, lines, next);
    if (nth >= 0) {
      const isFirst = slotOf[nth] === ROOM;
      slotOf[nth] = isFirst ? holders.length : (slotOf[nth] ?? ROOM);
      holders.push(isFirst ? nth : ROOM);
      next = nth + 1;
    } else if (nameEnd > start) {
      const name = Buffer.from(bytes.subarray(start, nameEnd)).toString("latin1");
      holders.push(strangers.has(name) ? ROOM : FREED);
      strangers.add(name);
    } else {
      holders.push(bytes[start] === HASH && bytes[start + 1] === DASH ? FRESH : ROOM);
    }
    starts.push(end);
    start = end;
  }
  return { starts, holders, slotOf };
}

/** Where the name of a line ends; where it starts when it has none. */
function endOfName(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === HASH) {
    return start;
  }
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === COLON) {
      return at;
    }
  }
  return start;
}

/** The record with the name of a line: mostly it is the one that comes next. */
function placeOf(
  { bytes, start }: { readonly bytes: Uint8Array; readonly start: number },
  lines: Lines,
  next: number,
): number {
  const orderAt = (nth: number) => compareNames(bytes, start, lines.bytes, lines.starts[nth] ?? 0);
  const count = lines.starts.length - 1;
  if (next < count && orderAt(next) === 0) {
    return next;
  }
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (orderAt(middle) > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && orderAt(low) === 0 ? low : ROOM;
}

// oxlint-disable-next-line max-params -- two places, a hundred thousand times: an object for each would be garbage
function compareNames(one: Uint8Array, oneStart: number, other: Uint8Array, otherStart: number): number {
  for (let at = 0; ; at += 1) {
    const left = one[oneStart + at] ?? COLON;
    const right = other[otherStart + at] ?? COLON;
    if (left !== right) {
      return left === COLON ? -1 : right === COLON ? 1 : left - right;
    }
    if (left === COLON) {
      return 0;
    }
  }
}

/** Takes the slots from those who do not fit any more; the places of all records that have none. */
function settle({ starts, holders, slotOf }: Slots, lines: Lines): number[] {
  const homeless: number[] = [];
  slotOf.forEach((slot, nth) => {
    const room = slot < 0 ? 0 : (starts[slot + 1] ?? 0) - (starts[slot] ?? 0);
    if (lengthOf(lines, nth) > room) {
      homeless.push(nth);
      slotOf[nth] = ROOM;
      if (slot >= 0) {
        holders[slot] = FREED;
      }
    }
  });
  return homeless;
}

/** The smallest room that is large enough, else a new place at the end. */
function moveIn(homeless: readonly number[], { starts, holders, slotOf }: Slots, lines: Lines) {
  const lengthAt = (slot: number) => (starts[slot + 1] ?? 0) - (starts[slot] ?? 0);
  const free =
    homeless.length === 0 ? [] : holders.flatMap((holder, slot) => (holder === ROOM ? [slot] : []));
  const rooms = roomsIn(free, lengthAt);
  const offsets = new Uint32Array(slotOf.length);
  slotOf.forEach((slot, nth) => {
    offsets[nth] = starts[slot] ?? 0;
  });
  let end = starts.at(-1) ?? 0;
  for (const nth of homeless) {
    const slot = rooms.take(lengthOf(lines, nth));
    if (slot === undefined) {
      offsets[nth] = end;
      end += lengthOf(lines, nth);
    } else {
      offsets[nth] = starts[slot] ?? 0;
      holders[slot] = nth;
      slotOf[nth] = slot;
    }
  }
  return { offsets, size: end };
}

function lengthOf({ starts }: Lines, nth: number): number {
  return (starts[nth + 1] ?? 0) - (starts[nth] ?? 0);
}

/** A comment that fills what a record leaves of a slot; a single byte is an empty line. */
function putRoom(room: Buffer, isFresh: boolean): void {
  const feed = room.length - 1;
  room.fill(SPACE, 0, feed);
  room[feed] = LINE_FEED;
  if (feed > 0) {
    room[0] = HASH;
  }
  if (isFresh && feed > 1) {
    room[1] = DASH;
  }
}
