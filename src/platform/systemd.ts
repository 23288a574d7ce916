/**
 * The one door to the service manager's opinion of a unit.
 */

import { runTool } from "./child.ts";

/** What systemctl(1) says of a unit. */
export interface UnitState {
  readonly loadState: string;
  readonly fileState: string;
  readonly activeState: string;
}

/** Asks; throws when systemd does not answer. */
export async function unitState(unit: string, timeoutMs: number): Promise<UnitState> {
  const properties = ["LoadState", "UnitFileState", "ActiveState"];
  const args = ["show", unit, `--property=${properties.join(",")}`];
  const { code, out, err } = await runTool({ program: "systemctl", args }, timeoutMs);
  if (code !== 0) {
    throw new Error(`"systemctl show ${unit}" ended with ${code ?? "a signal"}: ${err.trim()}`);
  }
  const of = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(out)?.[1] ?? "";
  return { loadState: of("LoadState"), fileState: of("UnitFileState"), activeState: of("ActiveState") };
}
