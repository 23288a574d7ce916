/**
 * The maps made the simple way, from strings and lists: what the renderers must come to, byte for byte.
 */

import type { IndexEntry } from "../../src/formats/index-file.ts";
import type { SlotRecord } from "../../src/formats/slots.ts";

/** A whole file and the byte offset of each line that went into it, in the same order. */
export interface SimplyPlaced {
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
}

/** Lines one after the other. */
export function simpleLines(lines: readonly string[]): SimplyPlaced {
  const offsets: number[] = [];
  let offset = 0;
  for (const line of lines) {
    offsets.push(offset);
    offset += lengthOf(line);
  }
  return { bytes: Buffer.from(lines.map((line) => `${line}\n`).join("")), offsets };
}

/** An index of these keys. */
export function simpleIndex(entries: readonly IndexEntry[]): Uint8Array {
  const records = entries.map(({ key, offset }) => [Buffer.from(key), Buffer.from(String(offset))] as const);
  const keyLength = Math.max(0, ...records.map(([key]) => key.length));
  const offsetLength = Math.max(0, ...records.map(([, offset]) => offset.length));
  return Buffer.concat(
    records
      .sort(([left], [right]) => Buffer.compare(left, right))
      .map(([key, offset]) => {
        const record = Buffer.alloc(keyLength + offsetLength + 3);
        key.copy(record);
        offset.copy(record, key.length + 1);
        record.write("\n", record.length - 1);
        return record;
      }),
  );
}

/** A piece of a file: a record's line, or room for one. Lengths and offsets in bytes, the line feed included. */
interface Slot {
  readonly offset: number;
  readonly length: number;
  /** Undefined for room: a comment, an empty line, or what is no record. */
  readonly name: string | undefined;
  /** Room that became free with the last publish: an index from before it may still lead there. */
  readonly isFresh: boolean;
}

const FRESH = "#-";

/**
 * Puts every record where it stands in `before`, if it is there and still fits; else into room that has been free for
 * a while, else at the end, before the sentinel. The same records give the same bytes.
 */
export function simpleSlots(
  records: readonly SlotRecord[],
  before: Uint8Array,
  sentinel: SlotRecord,
): SimplyPlaced {
  const slots = slotsIn(before, sentinel);
  const standing = new Map(
    slots.flatMap((slot) => (slot.name === undefined ? [] : [[slot.name, slot] as const])),
  );
  const stays = ({ name, line }: SlotRecord) => lengthOf(line) <= (standing.get(name)?.length ?? 0);
  const settled = records.filter(stays).map((record) => ({ record, slot: standing.get(record.name) }));
  const homeless = records.filter((record) => !stays(record));
  const occupied = new Set(settled.map(({ slot }) => slot));
  const vacant = slots.filter((slot) => !occupied.has(slot));
  const isUnchanged = homeless.length === 0 && vacant.every(({ name }) => name === undefined);
  const rooms = vacant.filter(({ name, isFresh }) => name === undefined && !isFresh);
  const moved = moveIn(homeless, rooms, endOf(slots));
  const used = new Set(moved.map(({ slot }) => slot));
  const pieces = [
    ...[...settled, ...moved].flatMap(({ record, slot }) =>
      slot === undefined ? [] : piecesOf(record, slot),
    ),
    ...vacant
      .filter((slot) => !used.has(slot))
      .flatMap((slot) =>
        roomAfter(slot, 0, slot.name !== undefined || (slot.isFresh && isUnchanged) ? FRESH : "#"),
      ),
  ].sort((left, right) => left.offset - right.offset);
  const offsets = new Map([...settled, ...moved].map(({ record, slot }) => [record.name, slot?.offset ?? 0]));
  return {
    bytes: Buffer.from(
      [...pieces.map(({ line }) => line), sentinel.line].map((line) => `${line}\n`).join(""),
    ),
    offsets: records.map(({ name }) => offsets.get(name) ?? 0),
  };
}

/** A line and where it stands. */
interface Piece {
  readonly offset: number;
  readonly line: string;
}

/** The smallest room that is large enough, else a new slot at the end. */
function moveIn(
  records: readonly SlotRecord[],
  free: readonly Slot[],
  end: number,
): { readonly record: SlotRecord; readonly slot: Slot }[] {
  const rooms = [...free].sort((left, right) => left.length - right.length);
  let next = end;
  return records.map((record) => {
    const length = lengthOf(record.line);
    const room = takeRoom(rooms, length);
    const slot = room ?? { offset: next, length, name: undefined, isFresh: false };
    next += room === undefined ? length : 0;
    return { record, slot };
  });
}

function piecesOf({ line }: SlotRecord, slot: Slot): Piece[] {
  return [{ offset: slot.offset, line }, ...roomAfter(slot, lengthOf(line), "#")];
}

function endOf(slots: readonly Slot[]): number {
  const last = slots.at(-1);
  return last === undefined ? 0 : last.offset + last.length;
}

/** Every line of a file; the last sentinel is room at the end and left out. Of two lines with one name the first counts. */
function slotsIn(bytes: Uint8Array, sentinel: SlotRecord): Slot[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const lines = text.split("\n");
  // What stands behind the last line feed is no whole line.
  const whole = lines.slice(0, -1);
  if (whole.at(-1) === Buffer.from(sentinel.line).toString("latin1")) {
    whole.pop();
  }
  const seen = new Set<string>();
  const slots: Slot[] = [];
  let offset = 0;
  for (const line of whole) {
    const name = line.startsWith("#") ? "" : line.slice(0, Math.max(0, line.indexOf(":")));
    const isRecord = name !== "" && !seen.has(name);
    slots.push({
      offset,
      length: line.length + 1,
      name: isRecord ? name : undefined,
      isFresh: line.startsWith(FRESH),
    });
    seen.add(name);
    offset += line.length + 1;
  }
  return slots;
}

/** A comment that fills what a record of this length leaves of a slot; a single byte is an empty line. */
function roomAfter({ offset, length }: Slot, used: number, mark: string): Piece[] {
  const rest = length - used;
  if (rest === 0) {
    return [];
  }
  const line = rest === 1 ? "" : mark.slice(0, rest - 1).padEnd(rest - 1, " ");
  return [{ offset: offset + used, line }];
}

/** Takes the smallest room that is large enough out of a list sorted by length. */
function takeRoom(rooms: Slot[], length: number): Slot | undefined {
  let low = 0;
  let high = rooms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rooms[middle]?.length ?? 0) < length) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < rooms.length ? rooms.splice(low, 1)[0] : undefined;
}

function lengthOf(line: string): number {
  return Buffer.byteLength(line) + 1;
}
