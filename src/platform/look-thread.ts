/**
 * lstat(2) of very many paths, in a thread of its own: at a fifth of the price of asynchronous calls, and a file server
 * that hangs holds up nothing but that thread.
 */

import { once } from "node:events";
import type * as fs from "node:fs";
import { type MessagePort, Worker } from "node:worker_threads";

/** What stands there: the uid of a directory, `absent`, `other`; or why that cannot be told. */
export type Look = number | "absent" | "other" | { readonly reason: string };

/** Looks at paths, in their order. `pathOf` makes one when it is needed, so that there are never many. */
export async function lookByThread<Item>(
  items: readonly Item[],
  pathOf: (item: Item) => string,
): Promise<readonly Look[]> {
  await using thread = new Worker(SOURCE, { eval: true });
  const looks: Look[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    thread.postMessage(items.slice(start, start + AT_ONCE).map(pathOf), []);
    const [found]: Look[][] = await once(thread, "message");
    looks.push(...(found ?? []));
  }
  return looks;
}

const AT_ONCE = 2000;

/** What the thread does. It is its source that runs there, so it uses nothing but what it is given. */
function serve({ lstatSync }: typeof fs, port: MessagePort): void {
  const look = (path: string): Look => {
    try {
      const found = lstatSync(path, { throwIfNoEntry: false });
      return found === undefined ? "absent" : found.isDirectory() ? found.uid : "other";
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error) };
    }
  };
  port.on("message", (paths: readonly string[]) => port.postMessage(paths.map(look)));
}

/** A file of its own would have to be found beside the program, with another name in the one that is built. */
const SOURCE = `(${serve.toString()})(require("node:fs"), require("node:worker_threads").parentPort);`;
