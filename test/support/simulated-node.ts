/**
 * What a node would look like after a plan: the same values a real one would be observed with.
 */

import { renderAuthorizedKeys } from "../../src/formats/authorized-keys.ts";
import { parseLedger } from "../../src/formats/ledger.ts";
import type { Observed, ObservedFile, ObservedHome, ObservedMap } from "../../src/model/observed.ts";
import type { Plan, PublishMap } from "../../src/model/plan.ts";

/** Carries a plan out on values. */
export function afterPlan(observed: Observed, plan: Plan): Observed {
  const maps = { ...observed.maps };
  const keyFiles = new Map(observed.keyFiles);
  const homes = new Map<string, ObservedHome>(observed.homes);
  const leftovers = new Set(observed.leftovers);
  let { ledgerFile, sudoers } = observed;
  for (const step of plan.steps) {
    if (step.kind === "keep-ledger") {
      ledgerFile = step.bytes;
    } else if (step.kind === "end-sessions") {
      // Nothing of it is to be seen in a file.
    } else if (step.kind === "write-sudo") {
      sudoers = step.content === undefined ? undefined : fileOf(Buffer.from(step.content), 0o440, 0);
    } else if (step.kind === "publish-map") {
      maps[step.map] = mapAfter(step, observed.maps[step.map]);
    } else if (step.kind === "remove-leftover") {
      leftovers.delete(step.path);
    } else if (step.kind === "create-home") {
      homes.set(step.path, { kind: "directory", uid: step.uid });
    } else if (step.kind === "grant-keys") {
      keyFiles.set(step.user, fileOf(Buffer.from(renderAuthorizedKeys(step.keys)), 0o644, 0));
    } else if (step.content === undefined) {
      keyFiles.delete(step.user);
    } else {
      keyFiles.set(step.user, fileOf(Buffer.from(step.content), 0o644, 0));
    }
  }
  const ledger = (ledgerFile && parseLedger(ledgerFile)) ?? observed.ledger;
  return { ...observed, ledger, ledgerFile, sudoers, maps, keyFiles, homes, leftovers: [...leftovers] };
}

/** A file of root's with these bytes. */
export function fileOf(bytes: Uint8Array, mode: number, gid: number): ObservedFile {
  return { bytes, mode, uid: 0, gid, mtimeMs: 1_000_000 };
}

function mapAfter(step: PublishMap, before: ObservedMap): ObservedMap {
  const indexes = new Map(before.indexes);
  for (const index of before.indexes.keys()) {
    if (step.retired.includes(`${step.map}.cache.${index}`)) {
      indexes.delete(index);
    }
  }
  for (const image of step.indexes) {
    const name = image.name.split(".").at(-1);
    if (name === "ixname" || name === "ixuid" || name === "ixgid") {
      indexes.set(name, fileOf(image.bytes, step.mode, step.gid));
    }
  }
  return { data: fileOf(step.data.bytes, step.mode, step.gid), indexes };
}
