/**
 * The index files of libnss-cache: `key NUL offset NUL padding \n`, sorted by the bytes of the key.
 *
 * Every record of a file has the same length in bytes, because the reader searches by arithmetic. A
 * single length counted in characters instead of bytes would hide almost everybody else.
 */

import type { Lines } from "./lines.ts";

/** Where the record of one key starts in the data file, in bytes. */
export interface IndexEntry {
  readonly key: string;
  readonly offset: number;
}

/** The keys of an index: a field of each line. Plain loops over numbers: this is done for each of a hundred thousand, five times. */
interface Keys {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly longest: number;
}

const COLON = 0x3a;
const LINE_FEED = 0x0a;
const ZERO = 0x30;

/** The whole index file for one field of these lines, which stand at these offsets; empty when there are none. */
export function renderIndex(lines: Lines, field: number, offsets: Uint32Array): Uint8Array {
  const keys = keysIn(lines, field);
  const { bytes, starts, lengths, longest } = keys;
  const order = orderOf(keys);
  const recordLength = longest + String(largest(offsets)).length + 3;
  const file = Buffer.alloc(recordLength * order.length);
  for (let place = 0; place < order.length; place += 1) {
    const nth = order[place] ?? 0;
    const from = starts[nth] ?? 0;
    const length = lengths[nth] ?? 0;
    const start = place * recordLength;
    for (let at = 0; at < length; at += 1) {
      file[start + at] = bytes[from + at] ?? 0;
    }
    writeDecimal(file, start + length + 1, offsets[nth] ?? 0);
    file[start + recordLength - 1] = LINE_FEED;
  }
  return file;
}

function keysIn({ bytes, starts: lines }: Lines, field: number): Keys {
  const starts = new Uint32Array(lines.length - 1);
  const lengths = new Uint32Array(lines.length - 1);
  let longest = 0;
  for (let nth = 0; nth < starts.length; nth += 1) {
    let start = lines[nth] ?? 0;
    for (let skipped = 0; skipped < field; skipped += 1) {
      start = endOfField(bytes, start) + 1;
    }
    const length = endOfField(bytes, start) - start;
    starts[nth] = start;
    lengths[nth] = length;
    longest = Math.max(longest, length);
  }
  return { bytes, starts, lengths, longest };
}

function endOfField(bytes: Uint8Array, start: number): number {
  let end = start;
  while (end < bytes.length && bytes[end] !== COLON && bytes[end] !== LINE_FEED) {
    end += 1;
  }
  return end;
}

/** The places of the keys in their order: names come in it; else they are sorted by each byte, from the last one on. */
function orderOf(keys: Keys): Uint32Array {
  let order = new Uint32Array(keys.starts.length);
  for (let nth = 0; nth < order.length; nth += 1) {
    order[nth] = nth;
  }
  if (isSorted(keys)) {
    return order;
  }
  const column = new Uint8Array(order.length);
  for (let at = keys.longest - 1; at >= 0; at -= 1) {
    fillColumn(column, keys, at);
    order = sortedBy(column, order);
  }
  return order;
}

function isSorted({ bytes, starts, lengths }: Keys): boolean {
  for (let nth = 1; nth < starts.length; nth += 1) {
    const before = starts[nth - 1] ?? 0;
    const start = starts[nth] ?? 0;
    const length = lengths[nth - 1] ?? 0;
    const common = Math.min(length, lengths[nth] ?? 0);
    let at = 0;
    while (at < common && bytes[before + at] === bytes[start + at]) {
      at += 1;
    }
    if (at === common ? length > common : (bytes[before + at] ?? 0) > (bytes[start + at] ?? 0)) {
      return false;
    }
  }
  return true;
}

/** The byte that each key has there; behind its end a key has zeros. */
function fillColumn(column: Uint8Array, { bytes, starts, lengths }: Keys, at: number): void {
  for (let nth = 0; nth < column.length; nth += 1) {
    column[nth] = at < (lengths[nth] ?? 0) ? (bytes[(starts[nth] ?? 0) + at] ?? 0) : 0;
  }
}

/** Whoever has the same byte stays in the order before. */
function sortedBy(column: Uint8Array, before: Uint32Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(257);
  for (let nth = 0; nth < column.length; nth += 1) {
    const behind = (column[nth] ?? 0) + 1;
    next[behind] = (next[behind] ?? 0) + 1;
  }
  for (let byte = 1; byte < next.length; byte += 1) {
    next[byte] = (next[byte] ?? 0) + (next[byte - 1] ?? 0);
  }
  const after = new Uint32Array(before.length);
  for (let place = 0; place < before.length; place += 1) {
    const nth = before[place] ?? 0;
    const byte = column[nth] ?? 0;
    const free = next[byte] ?? 0;
    after[free] = nth;
    next[byte] = free + 1;
  }
  return after;
}

function largest(values: Uint32Array): number {
  let most = 0;
  for (let nth = 0; nth < values.length; nth += 1) {
    most = Math.max(most, values[nth] ?? 0);
  }
  return most;
}

function writeDecimal(file: Uint8Array, start: number, value: number): void {
  let end = start;
  for (let rest = value; rest >= 10; rest = Math.trunc(rest / 10)) {
    end += 1;
  }
  for (let rest = value; end >= start; end -= 1) {
    file[end] = ZERO + (rest % 10);
    rest = Math.trunc(rest / 10);
  }
}

/** The entries of an index file, in its order; undefined when it is not one. */
export function parseIndex(bytes: Uint8Array): IndexEntry[] | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const recordLength = file.indexOf(0x0a) + 1;
  if (file.length === 0) {
    return [];
  }
  if (recordLength < 4 || file.length % recordLength !== 0) {
    return undefined;
  }
  const entries: IndexEntry[] = [];
  for (let start = 0; start < file.length; start += recordLength) {
    const [key = "", offset = ""] = file.toString("utf8", start, start + recordLength - 1).split("\0");
    if (!/^\d+$/.test(offset) || file[start + recordLength - 1] !== 0x0a) {
      return undefined;
    }
    entries.push({ key, offset: Number(offset) });
  }
  return entries;
}
