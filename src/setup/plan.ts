/**
 * Everything a node lacks before Rollcall's files count there, in the order in which it is done: sshd comes last.
 */

import { refuseToLeave } from "../platform/files.ts";
import { type Change, fileChange, NOTHING, type Part } from "./change.ts";
import { planDirectory, planSystemDirectory } from "./directories.ts";
import { FIRST_CONFIG } from "./first-config.ts";
import { STATE } from "./memory.ts";
import { planNsswitch } from "./nsswitch.ts";
import { type Installation, planService } from "./service.ts";
import { planSshd } from "./sshd.ts";

/** Where everything is or will be. */
export interface Places extends Installation {
  readonly root: string;
  /** `keys.directory` of the configuration, or its default. */
  readonly keysDirectory: string;
  /** `keys.files`, likewise: whether sshd reads a file per user, or asks this program. */
  readonly keyFiles: boolean;
  /** `state.directory`, likewise. */
  readonly stateDirectory: string;
  /** Whether a first configuration may be written. */
  readonly needsConfig: boolean;
}

/** Where the configuration is looked for. */
const CONFIG = "/etc/rollcall/rollcall.yaml";

const FIRST: Part = { ...NOTHING, changes: [fileChange(CONFIG, "config", { text: FIRST_CONFIG })] };

/** Looks, and changes nothing. Throws when the node is not one that can be wired. */
export async function planSetup(places: Places): Promise<Part> {
  const { root, keysDirectory, stateDirectory } = places;
  for (const path of ["/etc/nsswitch.conf", CONFIG, "/etc/ssh/sshd_config.d/x", "/etc/systemd/system/x"]) {
    await refuseToLeave(root, path.slice(0, path.lastIndexOf("/")));
  }
  const parts = [
    await planDirectory(root, STATE, 0o700),
    ...(stateDirectory === STATE ? [] : [await planDirectory(root, stateDirectory, 0o700)]),
    await planSystemDirectory(root, "/etc/rollcall"),
    await planDirectory(root, keysDirectory, 0o755),
    ...(places.needsConfig ? [FIRST] : []),
    await planService(root, places),
    await planNsswitch(root),
    await planSshd(places),
  ];
  const all = parts.flatMap(({ changes }) => changes);
  return {
    changes: all.filter((change, index) => isFirst(all, change, index)),
    notes: parts.flatMap(({ notes }) => notes),
    left: parts.flatMap(({ left }) => left),
  };
}

/** Two directories may lack the same one above them. */
function isFirst(all: readonly Change[], { path }: Change, index: number): boolean {
  return all.findIndex((other) => other.path === path) === index;
}
