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
