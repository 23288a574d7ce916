/**
 * How a key is shown to people: as `ssh-keygen -l` does, never as the key itself.
 */

import { createHash } from "node:crypto";
import { splitKeyLine } from "../model/key-line.ts";
import { quoted } from "../model/quoted.ts";

/** `SHA256:… ssh-ed25519 "alice@laptop"`; for a line that is no key, says so. */
export function describeKey(line: string): string {
  const parts = splitKeyLine(line);
  if (parts === undefined) {
    return `a line that is no key: ${quoted(line)}`;
  }
  const digest = createHash("sha256")
    .update(Buffer.from(parts.blob, "base64"))
    .digest("base64")
    .replace(/=+$/, "");
  return [`SHA256:${digest}`, parts.type, ...(parts.comment === "" ? [] : [quoted(parts.comment)])].join(" ");
}
