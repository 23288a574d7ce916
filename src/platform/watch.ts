/**
 * Tells when one of some files has become another one.
 *
 * chokidar sees a file that is rewritten or renamed into place at once. It misses a parent that is a link and is
 * swapped, which is how Kubernetes updates a mounted Secret (`..data`), so what the paths lead to is also looked
 * at every two seconds.
 */

import { watch as watchDirectory } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { watch } from "chokidar";

const POLL_MS = 2000;

/** Calls back once for each change of each path until it is disposed of. */
export async function watchFiles(
  paths: readonly string[],
  onChange: (path: string) => void,
): Promise<AsyncDisposable> {
  const known = new Map<string, string>();
  for (const path of paths) {
    known.set(path, await identityOf(path));
  }
  const look = async () => {
    for (const path of paths) {
      const identity = await identityOf(path);
      if (known.get(path) !== identity) {
        known.set(path, identity);
        onChange(path);
      }
    }
  };
  const watcher = watch([...paths], { ignoreInitial: true });
  watcher.on("all", () => void look());
  // Where the kernel has no watch left, looking every two seconds is all there is, and enough.
  watcher.on("error", () => undefined);
  const timer = setInterval(() => void look(), POLL_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await watcher.close();
    },
  };
}

/** Where a path leads and which version lies there; never throws. */
async function identityOf(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    const { ino, mtimeNs, size, mode } = await stat(real, { bigint: true });
    return [real, ino, mtimeNs, size, mode].join(" ");
  } catch {
    return "absent";
  }
}

/** Tells whether anything in some directories was touched since it was last asked. */
export interface TouchWatch extends Disposable {
  /** True once for each time; always true where the kernel cannot watch. */
  wasTouched(): boolean;
}

/**
 * One inotify(7) watch for each directory, whatever it holds: chokidar would keep a record of each of ten thousand key
 * files. `names` are the files that matter; undefined for all of them.
 */
export function watchTouches(
  directories: readonly { readonly path: string; readonly names: ReadonlySet<string> | undefined }[],
): TouchWatch {
  let isTouched = true;
  let isBlind = false;
  const watchers = directories.flatMap(({ path, names }) => {
    try {
      const watcher = watchDirectory(path, { persistent: false }, (_event, name) => {
        isTouched ||= name === null || names === undefined || names.has(name);
      });
      watcher.on("error", () => {
        isBlind = true;
      });
      return [watcher];
    } catch {
      isBlind = true;
      return [];
    }
  });
  return {
    wasTouched() {
      const was = isTouched || isBlind;
      isTouched = false;
      return was;
    },
    [Symbol.dispose]: () => watchers.forEach((watcher) => watcher.close()),
  };
}
