/**
 * How full a file system is.
 */

import { statfs } from "node:fs/promises";

/** The file system below a path. */
export interface DiskSpace {
  /** What lies there, as the configuration calls it: `caches`, `keys`, `state`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** For everybody but root. */
  readonly freeBytes: number;
  /** Files that can still be made; file systems without such a limit say 0 of 0. */
  readonly freeInodes: number;
  readonly inodes: number;
}

/** One statfs(2), because df(1) asks every mount, hanging ones too, and leaves tmpfs out. Undefined without the path. */
export async function readDiskSpace(name: string, path: string): Promise<DiskSpace | undefined> {
  try {
    const { bsize, blocks, bavail, ffree, files } = await statfs(path);
    return {
      name,
      path,
      sizeBytes: bsize * blocks,
      freeBytes: bsize * bavail,
      freeInodes: ffree,
      inodes: files,
    };
  } catch {
    return undefined;
  }
}
