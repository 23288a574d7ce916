/**
 * One user's line in an open sshkey map, without reading the map.
 *
 * In: the map, and its index of names where there is one. Out: what the line says after the name. The index only says
 * where to look first: what stands there must be a whole line of exactly this user, else the map itself is searched,
 * piece by piece. So an index that is older, newer, damaged or of another map costs time and nothing else; and the
 * map is one open file, which a publish replaces and never changes.
 */

/** A file of which any piece can be read; less comes only at its end. */
export interface Pieces {
  readonly size: number;
  read(offset: number, length: number): Promise<Buffer>;
}

/** Undefined when the map has no whole line of this user. */
export async function textInMap(
  map: Pieces,
  index: Pieces | undefined,
  user: string,
): Promise<string | undefined> {
  const hint = index === undefined ? undefined : await offsetIn(index, user);
  const found = hint === undefined ? undefined : await lineAt(map, hint, user);
  if (found !== undefined) {
    return found;
  }
  const offset = await searchFor(map, user);
  return offset === undefined ? undefined : lineAt(map, offset, user);
}

/** The longest record of an index: a name, an offset, and three bytes around them. */
const MAX_RECORD = 256;

/** Where the index says that somebody is; undefined when it does not. */
async function offsetIn(index: Pieces, user: string): Promise<number | undefined> {
  const length = (await index.read(0, MAX_RECORD)).indexOf("\n") + 1;
  const wanted = Buffer.from(user);
  let low = 0;
  let high = length === 0 ? 0 : Math.floor(index.size / length);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const record = await index.read(middle * length, length);
    const end = record.indexOf(0);
    const order = Buffer.compare(record.subarray(0, Math.max(0, end)), wanted);
    if (order === 0) {
      const digits = record.toString("latin1", end + 1).replace(/\0.*/s, "");
      return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
    }
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return undefined;
}

const PIECE = 64 * 1024;

/** What stands after the name, if exactly this user's line begins there and it ends with a line feed. */
async function lineAt(map: Pieces, offset: number, user: string): Promise<string | undefined> {
  const start = Buffer.from(`${offset === 0 ? "" : "\n"}${user}:`);
  const found = await map.read(Math.max(0, offset - 1), start.length);
  if (!found.equals(start)) {
    return undefined;
  }
  const pieces: Buffer[] = [];
  for (let at = offset + Buffer.byteLength(user) + 1; at < map.size; at += PIECE) {
    const piece = await map.read(at, PIECE);
    const end = piece.indexOf("\n");
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    if (end >= 0) {
      return Buffer.concat(pieces).toString("utf8");
    }
  }
  return undefined;
}

/** Where the first line of this user begins. */
async function searchFor(map: Pieces, user: string): Promise<number | undefined> {
  const start = Buffer.from(`\n${user}:`);
  if ((await map.read(0, start.length - 1)).equals(start.subarray(1))) {
    return 0;
  }
  // What begins in one piece and ends in the next is in neither, so they overlap.
  for (let at = 0; at < map.size; at += PIECE - start.length) {
    const place = (await map.read(at, PIECE)).indexOf(start);
    if (place >= 0) {
      return at + place + 1;
    }
  }
  return undefined;
}
