/**
 * Writes and removes the files of the keys directory: root's own, readable by all, never below a home.
 */

import { renderAuthorizedKeys } from "../formats/authorized-keys.ts";
import type { GrantKeys, RevokeKeys } from "../model/plan.ts";
import {
  ensureOwnDirectory,
  type FileSpec,
  removeFile,
  syncDirectory,
  underRoot,
  writeFile,
} from "../platform/files.ts";
import { writeFiles } from "../platform/many-files.ts";
import type { ApplySettings } from "./handlers.ts";

type KeysSettings = Pick<ApplySettings, "root" | "keys">;

/** Carries out a `revoke-keys` step, each on its own: it is on disk before anything else is done. */
export async function applyRevokeKeys(step: RevokeKeys, settings: KeysSettings): Promise<void> {
  const directory = await keysDirectory(settings);
  if (step.content === undefined) {
    await removeFile(`${directory}/${step.user}`);
    await syncDirectory(directory);
  } else {
    await writeFile(keyFile(directory, step.user, step.content));
  }
}

/** Carries out `grant-keys` steps together; says of each why it failed. */
export async function applyGrantKeys(
  steps: readonly GrantKeys[],
  settings: KeysSettings,
): Promise<readonly unknown[]> {
  const directory = await keysDirectory(settings);
  return writeFiles(
    directory,
    steps.map(({ user, keys }) => keyFile(directory, user, renderAuthorizedKeys(keys))),
  );
}

function keyFile(directory: string, user: string, content: string): FileSpec {
  return {
    path: `${directory}/${user}`,
    bytes: Buffer.from(content),
    mode: 0o644,
    owner: { uid: 0, gid: 0 },
  };
}

async function keysDirectory({ root, keys }: KeysSettings): Promise<string> {
  const directory = underRoot(root, keys.directory);
  await ensureOwnDirectory(directory, 0o755);
  return directory;
}
