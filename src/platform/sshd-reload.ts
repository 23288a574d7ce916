/**
 * Lets the service manager and a running sshd take up what was changed for them.
 */

import { kill } from "node:process";
import { messageOf } from "../model/failure.ts";
import { runTool } from "./child.ts";
import { isThere, readSystemText } from "./system-files.ts";

const TIMEOUT_MS = 60_000;

/** Whether systemd runs this machine, as sd_booted(3) finds out. */
export function isSystemdRunning(): Promise<boolean> {
  return isThere("/run/systemd/system");
}

/** What was done, or what is left to do, as a sentence without its full stop. */
export type Reloaded =
  | { readonly ok: true; readonly how: string }
  | { readonly ok: false; readonly todo: string };

/** Makes systemd read its units again. */
export function reloadUnits(): Promise<Reloaded> {
  return systemctl("systemd", "daemon-reload");
}

/** Makes sshd read its configuration again; sessions stay. `pidFile` is the one of `sshd -T`. */
export async function reloadSshd(pidFile: string | undefined): Promise<Reloaded> {
  if (await isSystemdRunning()) {
    for (const unit of ["ssh.service", "sshd.service"]) {
      if (await isActive(unit)) {
        return systemctl("sshd", "reload", unit);
      }
    }
  }
  const pid = await pidOfSshd(pidFile);
  if (pid === undefined) {
    return { ok: true, how: "No running sshd was found by its pid file; if there is one, send it SIGHUP" };
  }
  try {
    kill(pid, "SIGHUP");
    return { ok: true, how: `sshd was told to read it: SIGHUP to ${pid}` };
  } catch (error) {
    return {
      ok: false,
      todo: `kill -HUP ${pid} failed: ${messageOf(error)}; make sshd read its configuration again`,
    };
  }
}

async function isActive(unit: string): Promise<boolean> {
  const { code } = await runTool({ program: "systemctl", args: ["is-active", "--quiet", unit] }, TIMEOUT_MS);
  return code === 0;
}

async function systemctl(who: string, ...args: string[]): Promise<Reloaded> {
  const words = `systemctl ${args.join(" ")}`;
  try {
    const { code, err } = await runTool({ program: "systemctl", args }, TIMEOUT_MS);
    return code === 0
      ? { ok: true, how: `${who} was told to read it: ${words}` }
      : { ok: false, todo: `"${words}" failed: ${err.trim()}. Run it again when that is mended` };
  } catch (error) {
    return { ok: false, todo: `"${words}" cannot be started: ${messageOf(error)}` };
  }
}

/** The pid in its file may be somebody else's by now. */
async function pidOfSshd(pidFile: string | undefined): Promise<number | undefined> {
  const text = pidFile?.startsWith("/") ? await readSystemText(pidFile) : undefined;
  const pid = /^([1-9]\d{0,9})\s*$/.exec(text ?? "")?.[1];
  const name =
    pid === undefined ? undefined : await readSystemText(`/proc/${pid}/comm`).catch(() => undefined);
  return name?.trim() === "sshd" ? Number(pid) : undefined;
}
