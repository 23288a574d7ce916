/**
 * Writes and removes the files of the keys directory: root's own, readable by all, never below a home.
 */

import type { GrantKeys, RevokeKeys } from "../model/plan.ts";
import { ensureOwnDirectory, removeFile, syncDirectory, underRoot, writeFile } from "../platform/files.ts";
import type { ApplySettings } from "./handlers.ts";

type KeysSettings = Pick<ApplySettings, "root" | "keys">;

/** Carries out a `revoke-keys` step. */
export async function applyRevokeKeys(step: RevokeKeys, settings: KeysSettings): Promise<void> {
  const directory = await keysDirectory(settings);
  if (step.content === undefined) {
    await removeFile(`${directory}/${step.user}`);
    await syncDirectory(directory);
  } else {
    await writeKeys(directory, step.user, step.content);
  }
}

/** Carries out a `grant-keys` step. */
export async function applyGrantKeys(step: GrantKeys, settings: KeysSettings): Promise<void> {
  await writeKeys(await keysDirectory(settings), step.user, step.content);
}

async function writeKeys(directory: string, user: string, content: string): Promise<void> {
  await writeFile({
    path: `${directory}/${user}`,
    bytes: Buffer.from(content),
    mode: 0o644,
    owner: { uid: 0, gid: 0 },
  });
}

async function keysDirectory({ root, keys }: KeysSettings): Promise<string> {
  const directory = underRoot(root, keys.directory);
  await ensureOwnDirectory(directory, 0o755);
  return directory;
}
