/**
 * Who this process is.
 */

/** True for root, who alone can give files away. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Whether a file's owner is one this process trusts: root, or the user it runs as. */
export function isTrustedOwner(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** Whether anybody but a trusted owner can change a file or directory, by its owner and permission bits. */
export function isOpenToOthers({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return !isTrustedOwner(uid) || (mode & 0o022) !== 0;
}
