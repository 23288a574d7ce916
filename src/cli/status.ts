/**
 * `rollcall status`: how this node is, at a glance. A board on a terminal, plain lines elsewhere, JSON for machines.
 */

import { systemClock } from "../platform/clock.ts";
import type { HostFacts } from "../platform/host-facts.ts";
import { renderBoard, type Screen } from "../report/board.ts";
import { renderDetails, renderStatus } from "../report/render-status.ts";
import type { FullStatus, PublicStatus } from "../report/status.ts";
import { toAscii } from "../report/width.ts";
import { askDaemonForStatus } from "./ask.ts";
import { type CommonOptions, type Context, configPath, EXIT, type Terminal } from "./context.ts";
import { toJson } from "./json.ts";

const USUAL_COLUMNS = 80;

/** Options of this command alone. */
export interface StatusOptions extends CommonOptions {
  readonly watch?: boolean;
}

const WATCH_MS = 2000;

/** Exits with 0 only when a daemon runs and is healthy, or when there is none and the last sync went well lately. */
export async function status(context: Context, options: StatusOptions): Promise<number> {
  const show = showerFor(context, options);
  let isHealthy = await show();
  while (options.watch === true && !context.signal.aborted) {
    await systemClock.sleep(WATCH_MS, context.signal).catch(() => undefined);
    isHealthy = context.signal.aborted ? isHealthy : await show();
  }
  return isHealthy ? EXIT.ok : EXIT.failed;
}

/** Shows how the node is now, and says whether it is healthy. */
function showerFor(context: Context, options: StatusOptions): () => Promise<boolean> {
  const { terminal, colour } = context;
  const print =
    options.watch === true ? redrawer(context) : (lines: readonly string[]) => context.out(lines.join("\n"));
  // What kind of machine this is does not change while somebody looks at it; to root the daemon says it.
  let host: Promise<HostFacts | undefined> | undefined;
  return async () => {
    const { status: found, isLive } = await findStatus(context, options);
    const style = { colour, all: options.all === true };
    if (options.json === true) {
      context.out(toJson({ daemon: isLive, ...found }));
    } else if (terminal === undefined) {
      print(renderStatus(found, style, isLive));
    } else {
      const [columns] = terminal.size();
      // A serial line does not know its width.
      const screen = { columns: columns || USUAL_COLUMNS, isUnicode: terminal.isUnicode, colour };
      host ??= "host" in found && found.host ? Promise.resolve(found.host) : hostOf();
      const board = renderBoard(found, { host: await host, isLive }, screen);
      print([...board, ...(style.all ? detailsOf(found, screen) : [])]);
    }
    return found.healthy;
  };
}

/** Below the board, in the same characters. */
function detailsOf(found: FullStatus | PublicStatus, { colour, isUnicode }: Screen): string[] {
  return isUnicode
    ? renderDetails(found, { colour, all: true })
    : renderDetails(found, { colour: false, all: true })
        .flatMap((lines) => lines.split("\n"))
        .map(toAscii);
}

/** Elsewhere than on the node itself, such as in a container without tools, some of it may not be there to read. */
async function hostOf(): Promise<HostFacts | undefined> {
  const { readHostFacts } = await import("../platform/host-facts.ts");
  return readHostFacts().catch(() => undefined);
}

const CLEAR = "\u001b[2J";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** Writes over what is there, line by line, in one go: nothing is blank in between. */
function redrawer(context: Context): (lines: readonly string[]) => void {
  const { terminal } = context;
  let isFirst = true;
  return (lines) => {
    if (terminal?.isSteerable !== true) {
      context.out(isFirst ? lines.join("\n") : `\n${lines.join("\n")}`);
    } else {
      const fitting = fit(lines, terminal).map((line) => `${line}${CLEAR_LINE}`);
      context.out(`${isFirst ? CLEAR : ""}${HOME}${fitting.join("\n")}${CLEAR_BELOW}`);
    }
    isFirst = false;
  };
}

/** A line more than there is room for would scroll the first one away. */
function fit(lines: readonly string[], terminal: Terminal): readonly string[] {
  const [, rows] = terminal.size();
  const room = Math.max(1, rows - 2);
  return lines.length <= room
    ? lines
    : [...lines.slice(0, room - 1), `(${lines.length - room + 1} more lines)`];
}

async function findStatus(
  context: Context,
  options: StatusOptions,
): Promise<{ readonly status: FullStatus | PublicStatus; readonly isLive: boolean }> {
  const live = await askDaemonForStatus(options.root, context.signal);
  if (live !== undefined) {
    return { status: live, isLive: true };
  }
  const { loadConfig } = await import("../config/load.ts");
  const { lastStatus } = await import("../daemon/last-status.ts");
  const path = configPath(options);
  const { version } = context;
  const status = await lastStatus(await loadConfig(path), { root: options.root, version, configPath: path });
  return { status, isLive: false };
}
