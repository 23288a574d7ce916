/**
 * sshd: the directory of keys in AuthorizedKeysFile, before what was in force there.
 *
 * Each candidate is shown to sshd itself, as copies, before anything is written: what counts is what `sshd -T` then says.
 */

import { keyFilesBySetup, renderKeyFiles, withoutKeyFiles } from "../formats/sshd-config.ts";
import { keyFilesOf, type SshdSettings, settingOf } from "../formats/sshd-settings.ts";
import { Failure } from "../model/failure.ts";
import { underRoot } from "../platform/files.ts";
import { makeSshdCopies } from "../platform/sshd-copies.ts";
import { lookAtSystemFile, type SystemFile } from "../platform/system-files.ts";
import { fileChange, NOTHING, type Part, textOf } from "./change.ts";
import { planSystemDirectory } from "./directories.ts";
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

/** What AuthorizedKeysFile lacks. Throws with sshd's own words when it does not take the configuration that is there. */
export async function planSshd(root: string, keysDirectory: string): Promise<Part> {
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
  const asked = { root, copies, place: `${keysDirectory}/%u` };
  const { settings, unchecked } = await inForce(asked, tree);
  const scene = { ...asked, isChecked: unchecked.length === 0, now: keyFilesOf(settings) };
  const notes = [...unchecked, ...overrides(tree, scene.place)];
  return isWired(settings, scene.place) ? { ...NOTHING, notes } : await plan(scene, tree, notes);
}

function leave(why: string): Part {
  return { ...NOTHING, left: [`sshd is left alone: ${why}. Set AuthorizedKeysFile by hand.`] };
}

/** The files are read, or the command that reads them for sshd is run. */
function isWired(settings: SshdSettings, place: string): boolean {
  const command = settingOf(settings, "AuthorizedKeysCommand") ?? "";
  return keyFilesOf(settings).includes(place) || /\brollcall\S* keys\b/.test(command);
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
  const before = bySetup?.join(" ") === scene.now.join(" ") ? behindPlace(scene.now, without) : without;
  return {
    tree,
    mainText,
    dropIn,
    dropInText,
    bare,
    before,
    lines: renderKeyFiles([scene.place, ...before]),
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
  const line = found.lines.split("\n")[1];
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
  return isTaken && keyFilesOf(settings).join(" ") === [scene.place, ...before].join(" ");
}

/** What a Match block says wins for whom it matches. */
function overrides(tree: SshdFile, place: string): string[] {
  return linesAbout(tree, "authorizedkeysfile")
    .filter(({ line }) => line.isConditional && !line.args.includes(place))
    .map(
      ({ path, line }) =>
        `Line ${line.index + 1} of ${path} is in a Match block: whom it matches cannot log in with a key of Rollcall's, unless ${place} is added there.`,
    );
}
