/**
 * What is in force with a configuration, as sshd itself says of copies of it.
 *
 * Where there is no sshd, or below another root one that is too old for them, the files are read instead, and that is said.
 */

import { parseSshdSettings, type SshdSettings } from "../formats/sshd-settings.ts";
import { Failure } from "../model/failure.ts";
import type { SshdCopies } from "../platform/sshd-copies.ts";
import { linesAbout, type SshdFile, stageSshdTree } from "./sshd-tree.ts";

/** What sshd was asked about. */
export interface Scene {
  readonly root: string;
  readonly copies: SshdCopies;
  /** `/etc/ssh/authorized_keys.d/%u`. */
  readonly place: string;
  /** `/usr/bin/rollcall keys %u` where sshd is to ask; undefined where there are files. */
  readonly command: string | undefined;
}

/** The settings, for whomever no Match block names. */
export interface InForce {
  readonly settings: SshdSettings;
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
}

/** Throws with sshd's own words when it does not take the configuration of this machine. */
export async function inForce({ root, copies }: Scene, tree: SshdFile): Promise<InForce> {
  const staged = stageSshdTree(tree, copies.path);
  const answer = await copies.ask(staged.texts, "copy-0");
  if (answer.ok) {
    return { settings: parseSshdSettings(answer.out), unchecked: [] };
  }
  const words = [...staged.paths].reduceRight(
    (text, [name, path]) => text.replaceAll(`${copies.path}/${name}`, path),
    answer.said,
  );
  const said = words
    .trim()
    .replaceAll(/\s*\n\s*/g, "; ")
    .replace(/\.+$/, "");
  if (root === "/" && answer.why !== "absent") {
    throw new Failure(
      "setup-refused",
      `sshd ${answer.why === "refused" ? "does not take" : "gives no answer about"} its configuration, so nothing was changed: ${said}. Mend it until "sshd -t" says nothing, then run this again.`,
    );
  }
  return {
    settings: byReading(tree),
    unchecked: [
      `This machine's sshd did not check the configuration${root === "/" ? "" : ` below ${root}`}: ${said}. The files were only read; run "sshd -t" where they count.`,
    ],
  };
}

/** Without sshd: the first value outside a Match block, else the one it is built with. */
function byReading(tree: SshdFile): SshdSettings {
  const first = (keyword: string, fallback: string): [string, string[]] => {
    const found = linesAbout(tree, keyword).find(({ line }) => !line.isConditional);
    return [keyword, [found?.line.args.join(" ") ?? fallback]];
  };
  return new Map([
    first("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"),
    first("authorizedkeyscommand", "none"),
    first("authorizedkeyscommanduser", "none"),
  ]);
}
