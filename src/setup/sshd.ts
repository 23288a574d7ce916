/**
 * sshd: the directory of keys in AuthorizedKeysFile, before what was in force there; and without key files this program
 * as its AuthorizedKeysCommand.
 *
 * Each candidate is shown to sshd itself, as copies, before anything is written: what counts is what `sshd -T` then says.
 */

import {
  keyCommandBySetup,
  keyFilesBySetup,
  renderKeyFiles,
  withoutKeyFiles,
} from "../formats/sshd-config.ts";
import { keyFilesOf, type SshdSettings, settingOf } from "../formats/sshd-settings.ts";
import { Failure } from "../model/failure.ts";
import { underRoot } from "../platform/files.ts";
import { makeSshdCopies } from "../platform/sshd-copies.ts";
import { lookAtSystemFile, type SystemFile } from "../platform/system-files.ts";
import { fileChange, NOTHING, type Part, textOf } from "./change.ts";
import { planSystemDirectory } from "./directories.ts";
import { launcherFault } from "./service.ts";
import { type Scene as Asked, inForce } from "./sshd-in-force.ts";
import { type Imagined, linesAbout, readSshdTree, SSHD_CONFIG, type SshdFile } from "./sshd-tree.ts";

const DROP_IN_DIRECTORY = "/etc/ssh/sshd_config.d";
/** Before 50-cloud-init.conf and whatever else has a number: sshd takes the first value. */
const DROP_IN = `${DROP_IN_DIRECTORY}/00-rollcall.conf`;

interface Scene extends Asked {
  /** Whether sshd takes what is there now; then it must take what is planned. */
  readonly isChecked: boolean;
  /** Where sshd looks for keys now. */
  readonly now: readonly string[];
}

/** What sshd lacks. Throws with sshd's own words when it does not take the configuration that is there. */
export async function planSshd({ root, keysDirectory, keyFiles, launcher }: SshdPlaces): Promise<Part> {
  const tree = await readSshdTree(root);
  if (tree === undefined) {
    return { ...NOTHING, notes: [`There is no ${SSHD_CONFIG}, so nothing was done for sshd.`] };
  }
  if (!/^[\w./+@-]+$/.test(keysDirectory)) {
    return leave(
      `keys.directory ${JSON.stringify(keysDirectory)} has characters that mean something to sshd`,
    );
  }
  await using copies = await makeSshdCopies();
  const command = keyFiles ? undefined : `${launcher} keys %u`;
  const asked = { root, copies, place: `${keysDirectory}/%u`, command };
  const { settings, unchecked } = await inForce(asked, tree);
  const scene = { ...asked, isChecked: unchecked.length === 0, now: keyFilesOf(settings) };
  const notes = [...unchecked, ...overrides(tree, scene)];
  if (isWired(settings, scene) && (await isAsWritten(scene, tree))) {
    return { ...NOTHING, notes };
  }
  const obstacle = keyFiles ? undefined : await obstacleTo(settings, { root, launcher, tree });
  if (obstacle !== undefined) {
    return { ...leave(obstacle, BY_COMMAND), notes };
  }
  return await plan(scene, tree, keyFiles ? notes : [...notes, `${BESIDE} ${keysDirectory}.`]);
}

/** Where the keys are, and the program that tells them. */
export interface SshdPlaces {
  readonly root: string;
  readonly keysDirectory: string;
  readonly keyFiles: boolean;
  readonly launcher: string;
}

const BESIDE =
  "AuthorizedKeysFile stays beside AuthorizedKeysCommand, for local accounts and for files that an admin put into";
const BY_COMMAND = "Until sshd asks Rollcall, nobody has a key when keys.files is false.";

function leave(why: string, advice = "Set AuthorizedKeysFile by hand."): Part {
  return { ...NOTHING, left: [`sshd is left alone: ${why}. ${advice}`] };
}

const ASKS_US = /\brollcall\S* keys\b/;

/** The files are read, or the command that reads them for sshd is run; without files, only that counts. */
function isWired(settings: SshdSettings, { place, command }: Asked): boolean {
  const asksUs =
    ASKS_US.test(settingOf(settings, "AuthorizedKeysCommand") ?? "") &&
    settingOf(settings, "AuthorizedKeysCommandUser") !== "none";
  return asksUs || (command === undefined && keyFilesOf(settings).includes(place));
}

/** Whether an earlier setup wrote no other command: for other keys.files, or of a program that lay elsewhere. */
async function isAsWritten({ root, command }: Asked, tree: SshdFile): Promise<boolean> {
  const dropIn = await lookAtSystemFile(underRoot(root, DROP_IN));
  const texts = [tree.text, dropIn.kind === "file" ? textOf(dropIn.file) : ""];
  return texts.every((text) => [undefined, command].includes(keyCommandBySetup(text)));
}

/** Why sshd cannot ask this program; undefined when it can. */
async function obstacleTo(
  settings: SshdSettings,
  { root, launcher, tree }: Pick<SshdPlaces, "root" | "launcher"> & { readonly tree: SshdFile },
): Promise<string | undefined> {
  const now = settingOf(settings, "AuthorizedKeysCommand") ?? "none";
  if (now !== "none" && !ASKS_US.test(now)) {
    const [found] = linesAbout(tree, "authorizedkeyscommand").filter(({ line }) => !line.isConditional);
    const where = found === undefined ? "" : `line ${found.line.index + 1} of ${found.path}: `;
    return `it asks one program alone, and that is another one (${where}AuthorizedKeysCommand ${now}); take that out, then run this again`;
  }
  return launcherFault(root, launcher);
}

async function plan(scene: Scene, tree: SshdFile, notes: string[]): Promise<Part> {
  const oddity = linesAbout(tree, "authorizedkeysfile").find(({ line }) =>
    line.args.some((arg) => /[\s\\'"]/.test(arg)),
  );
  if (oddity !== undefined) {
    // sshd -T prints it without its quotes, so nobody can tell where the path ends.
    return leave(
      `line ${oddity.line.index + 1} of ${oddity.path} has a path with a space, a quote or a backslash`,
    );
  }
  const found = await lookAround(scene, tree);
  const dropIn = await asDropIn(scene, found, notes);
  return dropIn ?? asFirstLine(scene, found, notes);
}

/** What stands where the line may go, without what an earlier setup put there; and what was in force before that. */
interface Found {
  readonly tree: SshdFile;
  readonly mainText: string;
  readonly dropIn: SystemFile;
  readonly dropInText: string;
  readonly bare: Imagined;
  readonly before: readonly string[];
  readonly lines: string;
}

async function lookAround(scene: Scene, tree: SshdFile): Promise<Found> {
  const dropIn = await lookAtSystemFile(underRoot(scene.root, DROP_IN));
  const mainText = withoutKeyFiles(tree.text);
  const dropInText = dropIn.kind === "file" ? withoutKeyFiles(textOf(dropIn.file)) : "";
  const bare = new Map([
    [SSHD_CONFIG, mainText],
    [DROP_IN, dropInText === "" ? undefined : dropInText],
  ]);
  const without = keyFilesOf((await inForce(scene, await treeWith(scene, bare))).settings);
  const bySetup =
    keyFilesBySetup(tree.text) ?? (dropIn.kind === "file" ? keyFilesBySetup(textOf(dropIn.file)) : undefined);
  const others = bySetup?.join(" ") === scene.now.join(" ") ? behindPlace(scene.now, without) : without;
  const before = others.filter((path) => path !== scene.place);
  return {
    tree,
    mainText,
    dropIn,
    dropInText,
    bare,
    before,
    lines: renderKeyFiles([scene.place, ...before], scene.command),
  };
}

/** Of the line of an earlier setup: what stands behind its place. Somebody may have taken out of it what was in force before. */
function behindPlace(now: readonly string[], without: readonly string[]): readonly string[] {
  const [first = "", ...others] = now;
  return /^\/.*\/%u$/.test(first) && !without.includes(first) ? others : now;
}

/** Undefined when sshd would not read it, or not first. */
async function asDropIn(scene: Scene, found: Found, notes: readonly string[]): Promise<Part | undefined> {
  const { dropIn, dropInText, lines } = found;
  const text = `${lines}${dropInText}`;
  const isFree = found.mainText === found.tree.text && (dropIn.kind === "file" || dropIn.kind === "absent");
  if (!isFree || !(await counts(scene, found, [DROP_IN, text]))) {
    return undefined;
  }
  const before = dropIn.kind === "file" ? dropIn.file : undefined;
  const above = await planSystemDirectory(scene.root, DROP_IN_DIRECTORY);
  return {
    changes: [...above.changes, fileChange(DROP_IN, "sshd", { before, text })],
    notes,
    left: above.left,
  };
}

/** Nothing comes before it, whatever is included where; and it needs no Include, which sshd before 8.2 does not know. */
async function asFirstLine(scene: Scene, found: Found, notes: readonly string[]): Promise<Part> {
  const main = await lookAtSystemFile(underRoot(scene.root, SSHD_CONFIG));
  const line = found.lines.trim().split("\n").slice(1).join("; ");
  if (main.kind !== "file") {
    const why = main.kind === "odd" ? main.why : "it is a link";
    return leave(`${SSHD_CONFIG} needs a line at its top, and ${why}. The line is: ${line}`);
  }
  const text = `${found.lines}${found.mainText}`;
  if (!(await counts(scene, found, [SSHD_CONFIG, text]))) {
    throw new Failure(
      "setup-refused",
      `With "${line}" at the top of ${SSHD_CONFIG}, sshd -T still says otherwise. Nothing was changed; set AuthorizedKeysFile by hand, then run this again.`,
    );
  }
  return {
    changes: [fileChange(SSHD_CONFIG, "sshd", { before: main.file, text })],
    notes: [
      ...notes,
      `${SSHD_CONFIG} gets the line itself, because sshd would not take it from ${DROP_IN} first.`,
    ],
    left: [],
  };
}

async function treeWith({ root }: Scene, imagined: Imagined): Promise<SshdFile> {
  const tree = await readSshdTree(root, imagined);
  if (tree === undefined) {
    throw new Error(`${SSHD_CONFIG} is gone`);
  }
  return tree;
}

/** Whether sshd would look in our place first, and then where it did before. */
async function counts(scene: Scene, { bare, before }: Found, changed: [string, string]): Promise<boolean> {
  const imagined = await treeWith(scene, new Map([...bare, changed]));
  const { settings, unchecked } = await inForce(scene, imagined);
  const isTaken = unchecked.length === 0 || !scene.isChecked;
  const asks = ["AuthorizedKeysCommand", "AuthorizedKeysCommandUser"].map((key) => settingOf(settings, key));
  const isAsked = scene.command === undefined || asks.join(" as ") === `${scene.command} as nobody`;
  return isTaken && isAsked && keyFilesOf(settings).join(" ") === [scene.place, ...before].join(" ");
}

/** What a Match block says wins for whom it matches. */
function overrides(tree: SshdFile, { place, command }: Asked): string[] {
  const [keyword, missing] =
    command === undefined
      ? (["authorizedkeysfile", `${place} is added there`] as const)
      : (["authorizedkeyscommand", "it asks Rollcall"] as const);
  const isOurs = (args: readonly string[]) =>
    command === undefined ? args.includes(place) : ASKS_US.test(args.join(" "));
  return linesAbout(tree, keyword)
    .filter(({ line }) => line.isConditional && !isOurs(line.args))
    .map(
      ({ path, line }) =>
        `Line ${line.index + 1} of ${path} is in a Match block: whom it matches cannot log in with a key of Rollcall's, unless ${missing}.`,
    );
}
