/**
 * Where records stand in a file that libnss-cache reads through indexes.
 *
 * A reader opens an index, then the data, and in between both may have been replaced. So whoever stays keeps the byte
 * offset, what is freed becomes a comment of the same length, and the file ends with a record that nobody asks for: an
 * old index then leads to the same person, or to a comment behind which a record with another name makes libnss-cache
 * scan the file. Without that last record its read ends with a status it never set, and glibc aborts the caller.
 */

import type { Placed } from "./lines.ts";

/** One record: the name in its first field, and its line without the line feed. */
export interface SlotRecord {
  readonly name: string;
  readonly line: string;
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
export function placeInSlots(
  records: readonly SlotRecord[],
  before: Uint8Array,
  sentinel: SlotRecord,
): Placed {
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

/** Bytes of a file with these records that are room. */
export function wasteIn(bytes: Uint8Array, records: readonly SlotRecord[], sentinel: SlotRecord): number {
  return [...records, sentinel].reduce((rest, { line }) => rest - lengthOf(line), bytes.length);
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
