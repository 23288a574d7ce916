/**
 * Writes the drop-in of sudoers(5): aside, looked over by visudo(8), and only then where sudo reads it.
 */

import { dirname } from "node:path";
import type { WriteSudo } from "../model/plan.ts";
import { runTool } from "../platform/child.ts";
import { removeFile, stageFile, syncDirectory, underRoot } from "../platform/files.ts";
import type { ApplySettings } from "./handlers.ts";

const VISUDO_MS = 10_000;

/** Carries out a `write-sudo` step. Throws with what visudo said when it does not like the file. */
export async function applyWriteSudo(
  { content }: WriteSudo,
  { root, sudo }: Pick<ApplySettings, "root" | "sudo">,
): Promise<void> {
  const path = underRoot(root, sudo.file);
  if (content === undefined) {
    await removeFile(path);
    await syncDirectory(dirname(path));
    return;
  }
  await using staged = await stageFile({
    path,
    bytes: Buffer.from(content),
    mode: 0o440,
    owner: { uid: 0, gid: 0 },
  });
  const checked = await runTool({ program: "visudo", args: ["-c", "-f", staged.path] }, VISUDO_MS);
  if (checked.code !== 0) {
    const said = `${checked.out} ${checked.err}`.replaceAll(staged.path, "the new file").trim();
    throw new Error(`visudo does not accept the rules of sudo.groups, so nothing new is given: ${said}`);
  }
  await staged.publish();
  await syncDirectory(dirname(path));
}
