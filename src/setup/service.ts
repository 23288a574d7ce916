/**
 * The unit of the service manager, where systemd is used and no package brought one: with this program in its ExecStart.
 */

import { dirname } from "node:path";
import { messageOf } from "../model/failure.ts";
import { underRoot } from "../platform/files.ts";
import { openSafeDirectory } from "../platform/safe-directory.ts";
import { isThere, lookAtSystemFile, programFault, readSystemText } from "../platform/system-files.ts";
import { fileChange, NOTHING, type Part, textOf } from "./change.ts";
import { planSystemDirectory } from "./directories.ts";

const UNIT = "/etc/systemd/system/rollcall.service";
const PACKAGED = ["/usr/lib/systemd/system/rollcall.service", "/lib/systemd/system/rollcall.service"];
const SYSTEMD = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"];

/** Where this program lies, as far as it is a directory with `systemd/` and `packaging/` in it. */
export interface Installation {
  readonly unit: string;
  readonly launcher: string;
}

/** The unit, if it is needed. */
export async function planService(root: string, { unit, launcher }: Installation): Promise<Part> {
  const has = (paths: readonly string[]) => Promise.all(paths.map((path) => isThere(underRoot(root, path))));
  const found = await lookAtSystemFile(underRoot(root, UNIT));
  const isOurs = found.kind === "file" && textOf(found.file).startsWith(MARK);
  if ((await has(PACKAGED)).includes(true)) {
    return isOurs ? { ...NOTHING, left: [HIDES] } : NOTHING;
  }
  if (!(await has(SYSTEMD)).includes(true) || (found.kind !== "absent" && !isOurs)) {
    return NOTHING;
  }
  const template = await readSystemText(unit);
  const fault = template === undefined ? `there is no ${unit}` : await launcherFault(root, launcher);
  if (template === undefined || fault !== undefined) {
    return { ...NOTHING, notes: [`No unit for systemd was written: ${fault}.`] };
  }
  const text = `${MARK}${template.replace(/^ExecStart=.*$/m, () => `ExecStart=${launcher} run`)}`;
  const before = found.kind === "file" ? found.file : undefined;
  if (before !== undefined && textOf(before) === text) {
    return NOTHING;
  }
  const above = await planSystemDirectory(root, dirname(UNIT));
  return { ...above, changes: [...above.changes, fileChange(UNIT, "unit", { before, text })] };
}

const MARK = '# Written by "rollcall setup". To change something: systemctl edit rollcall\n';

/** Of an installation by hand: systemd goes by this one, and so runs the program of before. */
const HIDES = `${UNIT}, by an earlier setup, hides the unit of the package. Run: rm ${UNIT}; systemctl daemon-reload; then, where it is enabled, systemctl reenable rollcall; systemctl restart rollcall.`;

/** Why root, or sshd, should not run it: somebody else may be able to change it. */
export async function launcherFault(root: string, launcher: string): Promise<string | undefined> {
  if (!/^[\w./+@-]+$/.test(launcher)) {
    return `${launcher} has characters that mean something to systemd and sshd`;
  }
  const fault = await programFault(underRoot(root, launcher));
  if (fault !== undefined) {
    return fault;
  }
  try {
    await using _ = await openSafeDirectory(root, dirname(launcher));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
