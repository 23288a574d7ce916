/**
 * Regular files of root's that are too large to be read whole.
 *
 * In: a path. Out: any piece of the file, as long as it is open; a link at the last step, another kind of file, and
 * one that others can write to are refused.
 */

import { open } from "node:fs/promises";
import { errorCodeOf } from "../model/failure.ts";
import { ignoreAbsence, refuseOddity, TO_READ } from "./files.ts";
import { isOpenToOthers } from "./privileges.ts";

/** An open file. */
export interface OpenPieces extends AsyncDisposable {
  readonly size: number;
  /** Less comes only at its end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/**
 * Opens it; undefined when there is none. `mayBeOwn`: it may also belong to whoever this process runs as, as below
 * another root; `nobody` under sshd has no files that count.
 */
export async function openPieces(path: string, mayBeOwn: boolean): Promise<OpenPieces | undefined> {
  const handle = await open(path, TO_READ).catch((error: unknown) => {
    if (errorCodeOf(error) === "ELOOP") {
      throw new Error(`${path} is a symbolic link, so it is not read: move it away`);
    }
    return ignoreAbsence(error);
  });
  if (handle === undefined) {
    return undefined;
  }
  await using stack = new AsyncDisposableStack();
  stack.use(handle);
  const found = await handle.stat();
  refuseOddity(path, found);
  if (isOpenToOthers(found) || (found.uid !== 0 && !mayBeOwn)) {
    throw new Error(
      `${path} can be written by others than root, so it is not believed. Run: chown root ${path}; chmod go-w ${path}`,
    );
  }
  const cleanup = stack.move();
  return {
    size: found.size,
    async read(offset, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}
