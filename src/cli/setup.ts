/**
 * `rollcall setup`: makes glibc and sshd use what Rollcall writes, and undoes it.
 */

import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { loadConfig, parseConfig } from "../config/load.ts";
import { RUN_DIRECTORY } from "../daemon/places.ts";
import { Failure } from "../model/failure.ts";
import { underRoot } from "../platform/files.ts";
import { takeLock } from "../platform/lock.ts";
import { isRoot } from "../platform/privileges.ts";
import { isThere } from "../platform/system-files.ts";
import { type Style } from "../report/messages.ts";
import { FIRST_CONFIG } from "../setup/first-config.ts";
import { refuseOutside } from "../setup/memory.ts";
import type { Places } from "../setup/plan.ts";
import {
  type Outcome,
  performSetup,
  performUndo,
  previewSetup,
  previewUndo,
  type Shown,
} from "../setup/setup.ts";
import { type CommonOptions, type Context, configPath, EXIT } from "./context.ts";
import { toJson } from "./json.ts";

interface SetupOptions extends CommonOptions {
  readonly dryRun?: boolean;
  readonly undo?: boolean;
}

/** Prints the diff and does it; with `--dry-run` exits with 2 when there is something to do. */
export async function setup(context: Context, options: SetupOptions): Promise<number> {
  const { root, undo = false, dryRun = false } = options;
  if (root === "/" && !isRoot()) {
    throw new Failure(
      "setup-refused",
      "Setup reads and writes what is root's. Run it as root: sudo rollcall setup",
    );
  }
  const outcome = await (dryRun ? preview(options) : perform(options));
  if (options.json === true) {
    context.out(toJson({ dryRun, undo, ...outcome }));
  } else {
    const style = { colour: context.colour, all: options.all === true };
    linesFor(outcome, style).forEach((line) => context.out(line));
    endingFor(outcome, options).forEach((line) => context.out(line));
  }
  outcome.left.forEach((line) => context.err(`rollcall: ${line}`));
  const isIdle = outcome.shown.length === 0 && !outcome.isPending;
  return dryRun && !isIdle ? EXIT.changes : outcome.left.length > 0 ? EXIT.failed : EXIT.ok;
}

async function preview(options: SetupOptions): Promise<Outcome> {
  return options.undo === true ? previewUndo(options.root) : previewSetup(await placesFor(options));
}

/** No sync writes meanwhile, and no other setup. */
async function perform(options: SetupOptions): Promise<Outcome> {
  const { root } = options;
  await refuseOutside(root, RUN_DIRECTORY);
  using _lock = await takeLock(underRoot(root, RUN_DIRECTORY), "sync");
  return options.undo === true ? await performUndo(root) : await performSetup(await placesFor(options));
}

async function placesFor(options: SetupOptions): Promise<Places> {
  const path = configPath(options);
  const needsConfig = options.config === undefined && !(await isThere(path));
  const first = parseConfig(FIRST_CONFIG);
  if (!first.ok) {
    throw new Error("the first configuration has mistakes");
  }
  const { keys, state } = needsConfig ? first.settings : await loadConfig(path);
  return {
    root: options.root,
    keysDirectory: keys.directory,
    keyFiles: keys.files,
    stateDirectory: state.directory,
    needsConfig,
    ...INSTALLATION,
  };
}

/** Both the source of this file and what is built of it lie two directories below the whole. */
const INSTALLATION = {
  unit: fileURLToPath(new URL("../../systemd/rollcall.service", import.meta.url)),
  launcher: fileURLToPath(new URL("../../packaging/rollcall", import.meta.url)),
};

const COLOURS = { "+": "green", "-": "red" } as const;
/** Of a file that comes or goes as a whole; `--all` shows the rest. */
const SHOWN = 8;

function linesFor({ shown, notes }: Outcome, style: Style): string[] {
  return [...shown.flatMap((one) => blockFor(one, style)), ...notes.map((note) => `  ! ${note}`)];
}

function blockFor({ path, what, diff }: Shown, { colour, all }: Style): string[] {
  const some = all || what === "changed" ? diff : diff.slice(0, SHOWN);
  const lines = some.map(({ sign, text }) => {
    const line = `  ${sign} ${text}`;
    return colour && sign !== " " ? styleText(COLOURS[sign], line) : line;
  });
  const hidden = diff.length - some.length;
  return [
    `${path} (${what})`,
    ...lines,
    ...(hidden === 0 ? [] : [`    … ${hidden} more (--all shows them)`]),
  ];
}

function endingFor({ shown, reloaded, left, isPending }: Outcome, options: SetupOptions): string[] {
  const { undo = false, dryRun = false } = options;
  const told = reloaded.map((how) => `${how}.`);
  if (shown.length === 0 && !isPending && told.length === 0) {
    const idle = undo ? "Nothing to undo." : "Nothing to do: this node is wired.";
    return left.length > 0 ? [] : [idle];
  }
  if (dryRun) {
    return [`Nothing was written. To do this: ${commandFor(options)}`];
  }
  const isFirst = shown.some(({ path, what }) => path === configPath(options) && what !== "changed");
  return [...told, "Done.", ...(undo ? afterUndo() : nextSteps(options, isFirst))];
}

function commandFor({ root, config, undo }: SetupOptions): string {
  return [
    "rollcall setup",
    ...(undo === true ? ["--undo"] : []),
    ...(root === "/" ? [] : ["--root", root]),
    ...(config === undefined ? [] : ["--config", config]),
  ].join(" ");
}

function afterUndo(): string[] {
  return [
    "Nobody whom only Rollcall serves can log in any more. A daemon that still runs goes on writing what nobody reads: systemctl disable --now rollcall",
  ];
}

function nextSteps(options: SetupOptions, isFirst: boolean): string[] {
  const config = `  ${configPath(options)}: say where the IAM is, and put its token into the file named there, mode 0600`;
  return [
    "Next:",
    ...(isFirst ? [config] : []),
    "  rollcall check; rollcall plan; rollcall sync",
    "  systemctl enable --now rollcall    to stay in step",
    `  ${commandFor({ ...options, undo: true })}    puts everything back as it was`,
  ];
}
