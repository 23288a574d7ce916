/**
 * Free room in a file, handed out piece by piece: the smallest that is large enough, and of those the first in the file.
 *
 * There are few lengths, so each is found in the logarithm of that, however many pieces there are.
 */

/** Hands out each piece once. */
export interface Rooms {
  /** The place of a piece of at least this length; undefined when there is none. */
  take(length: number): number | undefined;
}

/** The pieces at these places, in the order of the file. */
export function roomsIn(places: readonly number[], lengthAt: (place: number) => number): Rooms {
  const byLength = Map.groupBy(places.toReversed(), lengthAt);
  const lengths = [...byLength.keys()].sort((left, right) => left - right);
  return {
    take(length) {
      const at = firstAtLeast(lengths, length);
      const alike = byLength.get(lengths[at] ?? 0);
      const place = alike?.pop();
      if (alike?.length === 0) {
        lengths.splice(at, 1);
      }
      return place;
    },
  };
}

function firstAtLeast(sorted: readonly number[], least: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < least) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
