/**
 * What lies on this node under one name, as readers of the maps and sshd would find it.
 */

import { isOurs, parseAuthorizedKeys } from "../formats/authorized-keys.ts";
import { parseGroup } from "../formats/group.ts";
import { parsePasswd } from "../formats/passwd.ts";
import { parseShadow } from "../formats/shadow.ts";
import { keysInText, sshkeyTexts } from "../formats/sshkey.ts";
import type { User } from "../model/directory.ts";
import type { MapName, Observed } from "../model/observed.ts";
import { isClosedShell } from "../plan/guard.ts";
import { shellFault } from "../platform/shells.ts";
import type { KeyFile, OnNode } from "../report/person.ts";
import type { Scene } from "./scene.ts";

/** Reads it out of what was observed; looks for shells. */
export async function lookOnNode(name: string, served: User | undefined, scene: Scene): Promise<OnNode> {
  const { observed, steps } = scene;
  const users = parsePasswd(bytesOf(observed, "passwd"));
  // Of several lines readers take the first.
  const passwd = users.find((user) => user.name === name);
  const outdated = steps.flatMap((step) => (step.kind === "publish-map" ? [step.map] : []));
  return {
    servesSomebody: users.length > 0,
    passwd,
    isOpen: parseShadow(bytesOf(observed, "shadow")).find((one) => one.name === name)?.active,
    groups: passwd === undefined ? [] : groupsOf(passwd, parseGroup(bytesOf(observed, "group"))),
    outdated: outdated.filter((map) => map !== "sshkey"),
    shellFaults: await shellFaultsAmong([served?.shell, passwd?.shell], scene),
    home: served && observed.homes.get(served.home),
    keyFile: scene.settings.keys.files ? keyFileOf(name, observed) : keysInMapOf(name, observed),
    ownsFiles: observed.ownsFiles,
  };
}

function keyFileOf(name: string, { keyFiles }: Observed): KeyFile | undefined {
  const file = keyFiles.get(name);
  return (
    file && {
      keys: parseAuthorizedKeys(textOf(file)),
      isOurs: isOurs(textOf(file)),
      mode: file.mode,
      uid: file.uid,
      gid: file.gid,
    }
  );
}

/** Whoever has no key in the map has nothing there. */
function keysInMapOf(name: string, { maps }: Observed): KeyFile | undefined {
  const map = maps.sshkey.data;
  const keys = map === undefined ? [] : keysInText(sshkeyTexts(map.bytes).get(name) ?? "");
  return map === undefined || keys.length === 0
    ? undefined
    : { keys, isOurs: true, mode: map.mode, uid: map.uid, gid: map.gid };
}

async function shellFaultsAmong(
  shells: readonly (string | undefined)[],
  { settings, around }: Scene,
): Promise<ReadonlyMap<string, string>> {
  const faults = new Map<string, string>();
  for (const shell of new Set(shells.flatMap((one) => one ?? []))) {
    const isClosed = isClosedShell(shell) || shell === settings.shells.nologin;
    const fault = isClosed ? "lets nobody in" : await shellFault(around.root, shell);
    if (fault !== undefined) {
      faults.set(shell, fault);
    }
  }
  return faults;
}

/** Names of the groups that have somebody, the primary one too, sorted. */
export function groupsOf(
  { name, gid }: { readonly name: string; readonly gid: number },
  groups: readonly GroupLike[],
): string[] {
  return groups
    .filter((group) => group.gid === gid || group.members.some((member) => member === name))
    .map((group) => group.name)
    .sort();
}

interface GroupLike {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function bytesOf({ maps }: Observed, map: MapName): Uint8Array {
  return maps[map].data?.bytes ?? new Uint8Array();
}

/** A file as text; empty when there is none. */
export function textOf(file: { readonly bytes: Uint8Array } | undefined): string {
  return file === undefined ? "" : Buffer.from(file.bytes).toString("utf8");
}
