/**
 * What was last written to this node, so that a later run can tell whether anybody else has touched it.
 */

/** One file as it was left. */
export interface PublishedFile {
  /** On the node, without the root. */
  readonly path: string;
  readonly size: number;
  /** Modification time in milliseconds since 1970, with fractions. */
  readonly mtimeMs: number;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file that is not as it was left. */
export interface Difference {
  readonly path: string;
  readonly how: "deleted" | "emptied" | "changed" | "mode or owner changed" | "not Rollcall's";
}
