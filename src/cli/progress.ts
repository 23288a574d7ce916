/**
 * The line on a terminal that moves while pages arrive.
 */

/** Reports of a pull: which list, how many resources so far, of how many. */
export type OnProgress = (list: string, fetched: number, total: number | undefined) => void;

/** Draws all lists on one line; draws nothing without a terminal. */
export function createProgress(redraw: ((line: string) => void) | undefined): OnProgress {
  const lists = new Map<string, string>();
  return (list, fetched, total) => {
    lists.set(list, `${list} ${fetched}${total === undefined ? "" : ` of ${total}`}`);
    redraw?.(`Fetching ${[...lists.values()].join(", ")} …`);
  };
}
