/**
 * The one door to the running sessions of people.
 */

import { access, readdir, readFile } from "node:fs/promises";
import { errorCodeOf } from "../model/failure.ts";
import { runTool } from "./child.ts";

const LOGINCTL_MS = 10_000;
/** OpenSSH 9.8 split the process that belongs to a session from the one that listens. */
const SSHD = /^Name:\t(?:sshd|sshd-session)$/m;

/** Ends what a user has running: all of it where systemd-logind knows of it, and every session of sshd. */
export async function endSessions(user: { readonly name: string; readonly uid: number }): Promise<void> {
  if (await isThere("/run/systemd/system")) {
    // Somebody who is not logged in is no failure; whoever still is, is met below.
    await runTool({ program: "loginctl", args: ["terminate-user", user.name] }, LOGINCTL_MS);
  }
  for (const pid of await sshdProcessesOf(user.uid)) {
    end(pid);
  }
}

/** sshd runs one process as the user for each session; with it goes the connection and what hangs on it. */
async function sshdProcessesOf(uid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(ignoreGone);
    if (status !== undefined && SSHD.test(status) && /^Uid:\t(\d+)/m.exec(status)?.[1] === String(uid)) {
      found.push(pid);
    }
  }
  return found;
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    ignoreGone(error);
  }
}

/** A process may end at any moment. */
function ignoreGone(error: unknown): undefined {
  if (!["ENOENT", "ESRCH"].includes(errorCodeOf(error) ?? "")) {
    throw error;
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
