/**
 * sshd_config with everything it includes, as it is or as it would be, below any root.
 *
 * In: where it lies, and files that are thought otherwise. Out: the same files with every Include leading to the copies of
 * what it includes, so that sshd itself can be asked about a state that is on no disk yet.
 */

import { parseSshdConfig, type SshdLine } from "../formats/sshd-config.ts";
import { messageOf } from "../model/failure.ts";
import { refuseToLeave, underRoot } from "../platform/files.ts";
import { listNames, readSystemText } from "../platform/system-files.ts";

/** Where sshd looks when nobody says otherwise. */
export const SSHD_CONFIG = "/etc/ssh/sshd_config";

/** By path: files that are to be thought to have this text; `undefined` for "not there". */
export type Imagined = ReadonlyMap<string, string | undefined>;

/** A file of the configuration. */
export interface SshdFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly SshdLine[];
  /** By the index of an Include line: what it includes, in order. */
  readonly included: ReadonlyMap<number, readonly SshdFile[]>;
}

/** sshd's own limit. */
const MAX_DEPTH = 16;

/** Reads it whole; undefined when there is no sshd_config. */
export async function readSshdTree(
  root: string,
  imagined: Imagined = new Map(),
): Promise<SshdFile | undefined> {
  return readFrom({ root, imagined }, SSHD_CONFIG, 0);
}

interface Scene {
  readonly root: string;
  readonly imagined: Imagined;
}

async function readFrom(scene: Scene, path: string, depth: number): Promise<SshdFile | undefined> {
  const text = await textAt(scene, path);
  if (text === undefined || depth > MAX_DEPTH) {
    return undefined;
  }
  const lines = parseSshdConfig(text);
  const included = new Map<number, readonly SshdFile[]>();
  for (const { keyword, args, index } of lines) {
    if (keyword === "include") {
      const paths = (await Promise.all(args.map((pattern) => expand(scene, pattern)))).flat();
      const files = await Promise.all(paths.map((found) => readFrom(scene, found, depth + 1)));
      included.set(
        index,
        files.filter((file) => file !== undefined),
      );
    }
  }
  return { path, text, lines, included };
}

async function textAt({ root, imagined }: Scene, path: string): Promise<string | undefined> {
  if (imagined.has(path)) {
    return imagined.get(path);
  }
  await refuseToLeave(root, path);
  return readSystemText(underRoot(root, path)).catch((error: unknown) => {
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  });
}

/** The files a pattern names, in the order of glob(3), which sshd uses. */
async function expand({ root, imagined }: Scene, pattern: string): Promise<string[]> {
  const absolute = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
  let paths = [""];
  for (const part of absolute.split("/").filter(Boolean)) {
    if (!/[*?[]/.test(part)) {
      paths = paths.map((path) => `${path}/${part}`);
      continue;
    }
    const fits = patternOf(part);
    const found = await Promise.all(
      paths.map(async (path) => {
        const names = new Set([
          ...(await listNames(underRoot(root, path || "/"))),
          ...namesIn(imagined, path),
        ]);
        return [...names].filter((name) => fits.test(name)).map((name) => `${path}/${name}`);
      }),
    );
    paths = found.flat().sort(byBytes);
  }
  return paths;
}

function namesIn(imagined: Imagined, directory: string): string[] {
  const paths = [...imagined].filter(([, text]) => text !== undefined).map(([path]) => path);
  return paths
    .filter((path) => path.slice(0, path.lastIndexOf("/")) === directory)
    .map((path) => path.slice(directory.length + 1));
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** A name that starts with a dot only fits a pattern that does. */
function patternOf(part: string): RegExp {
  const body = part.replaceAll(/\[!?[^\]]+\]|[*?]|[^*?[]+|\[/g, (piece) => {
    if (piece === "*") {
      return ".*";
    }
    if (piece === "?") {
      return ".";
    }
    return piece.length > 2 && piece.startsWith("[") && piece.endsWith("]")
      ? `[${piece.slice(1, -1).replace(/^!/, "^").replaceAll("\\", "\\\\")}]`
      : piece.replaceAll(/[\\^$.|+(){}[\]]/g, String.raw`\$&`);
  });
  return new RegExp(`^${part.startsWith(".") ? "" : String.raw`(?!\.)`}${body}$`, "su");
}

/** Copies of a tree, by name; the first one is sshd_config. */
export interface StagedTree {
  readonly texts: ReadonlyMap<string, string>;
  /** By name: the path of which it is the copy. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Names the copies and leads every Include to them; `place` is the directory where they will lie. */
export function stageSshdTree(tree: SshdFile, place: string): StagedTree {
  const texts = new Map<string, string>();
  const paths = new Map<string, string>();
  const stage = (file: SshdFile): string => {
    const name = `copy-${paths.size}`;
    paths.set(name, file.path);
    const lines = file.text.split("\n");
    for (const [index, files] of file.included) {
      const names = files.map(stage);
      // A line is kept for each line, so that what sshd says about line 7 is about line 7.
      lines[index] = names.length === 0 ? "" : `Include ${names.map((copy) => `${place}/${copy}`).join(" ")}`;
    }
    texts.set(name, lines.join("\n"));
    return name;
  };
  stage(tree);
  return { texts, paths };
}

/** Every line with this keyword, with its file, in the order in which sshd reads them. */
export function linesAbout(
  tree: SshdFile,
  keyword: string,
  isConditional = false,
): { readonly path: string; readonly line: SshdLine }[] {
  return tree.lines.flatMap((own) => {
    const line = { ...own, isConditional: own.isConditional || isConditional };
    const below = (tree.included.get(own.index) ?? []).flatMap((file) =>
      linesAbout(file, keyword, line.isConditional),
    );
    return own.keyword === keyword ? [{ path: tree.path, line }] : below;
  });
}
