/**
 * Tells the service manager how this service is (sd_notify(3)); does nothing where there is none.
 *
 * Node cannot send to a Unix datagram socket, so systemd-notify(1) does it, one short-lived child for each word.
 */

import { spawn } from "node:child_process";

/** What can be said. */
export interface Notifier {
  ready(status: string): void;
  status(status: string): void;
  reloading(): void;
  stopping(): void;
  /** Says "alive"; the service manager restarts a service that has not for too long. */
  alive(): void;
  /** How often to say so, in milliseconds; undefined when nobody listens. */
  readonly aliveEveryMs: number | undefined;
}

/** What a service manager put into the environment. */
export interface NotifyEnvironment {
  /** `$NOTIFY_SOCKET`. */
  readonly socket: string | undefined;
  /** `$WATCHDOG_USEC`, in microseconds. */
  readonly watchdogUsec: string | undefined;
}

/** Complaints go to `onError`, once for each word that could not be sent. */
export function createNotifier(
  { socket, watchdogUsec }: NotifyEnvironment,
  onError: (why: string) => void,
): Notifier {
  const say = (...words: string[]) => {
    if (socket === undefined) {
      return;
    }
    // Without --no-block: who is gone before the service manager has looked cannot be told from a stranger.
    const child = spawn("systemd-notify", words, {
      env: { NOTIFY_SOCKET: socket, PATH: "/usr/bin:/bin" },
      stdio: "ignore",
    });
    child.on("error", (error) => onError(error.message));
    child.unref();
  };
  const limitMs = Number(watchdogUsec) / 1000;
  return {
    ready: (status) => say("READY=1", `STATUS=${status}`),
    status: (status) => say(`STATUS=${status}`),
    reloading: () => say("RELOADING=1"),
    stopping: () => say("STOPPING=1"),
    alive: () => say("WATCHDOG=1"),
    aliveEveryMs: socket !== undefined && limitMs > 0 ? limitMs / 3 : undefined,
  };
}
