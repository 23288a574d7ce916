/**
 * The index files of libnss-cache: `key NUL offset NUL padding \n`, sorted by the bytes of the key.
 *
 * Every record of a file has the same length in bytes, because the reader searches by arithmetic. A
 * single length counted in characters instead of bytes would hide almost everybody else.
 */

/** Where the record of one key starts in the data file, in bytes. */
export interface IndexEntry {
  readonly key: string;
  readonly offset: number;
}

/** The whole index file; empty when there are no entries. */
export function renderIndex(entries: readonly IndexEntry[]): Uint8Array {
  const records = entries.map(({ key, offset }) => ({
    key: Buffer.from(key),
    offset: Buffer.from(String(offset)),
  }));
  const keyLength = Math.max(0, ...lengthsOf(records.map((record) => record.key)));
  const offsetLength = Math.max(0, ...lengthsOf(records.map((record) => record.offset)));
  const recordLength = keyLength + offsetLength + 3;
  const file = Buffer.alloc(recordLength * records.length);
  records.sort((left, right) => Buffer.compare(left.key, right.key));
  for (const [position, { key, offset }] of records.entries()) {
    const start = position * recordLength;
    key.copy(file, start);
    offset.copy(file, start + key.length + 1);
    file[start + recordLength - 1] = 0x0a;
  }
  return file;
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

/** The different lengths that occur: few, where there may be a hundred thousand values. */
function lengthsOf(values: readonly Buffer[]): Set<number> {
  return new Set(values.map((value) => value.length));
}
