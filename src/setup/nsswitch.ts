/**
 * glibc: `cache` in nsswitch.conf, or what to do where that file is somebody else's.
 */

import { addCache } from "../formats/nsswitch.ts";
import { observeFile, underRoot } from "../platform/files.ts";
import { isThere, listNames, lookAtSystemFile } from "../platform/system-files.ts";
import { fileChange, NOTHING, type Part, textOf } from "./change.ts";

const PATH = "/etc/nsswitch.conf";
/** Where some systems keep what holds as long as /etc has no such file. */
const VENDOR_PATH = "/usr/etc/nsswitch.conf";

/** What nsswitch.conf lacks. */
export async function planNsswitch(root: string): Promise<Part> {
  const found = await lookAtSystemFile(underRoot(root, PATH));
  if (found.kind === "absent" && (await isThere(underRoot(root, VENDOR_PATH)))) {
    return leaveTo(`there is only ${VENDOR_PATH}. Run: cp ${VENDOR_PATH} ${PATH}, then this again`);
  }
  if (found.kind === "odd") {
    return leaveTo(
      `${found.why}. Mend that, or add "cache" after "files" in passwd, group and shadow by hand`,
    );
  }
  if (found.kind === "link") {
    return planLink(root, found.target);
  }
  const before = found.kind === "file" ? found.file : undefined;
  const { text, wired, unfit, unreached } = addCache(before === undefined ? "" : textOf(before));
  const left = unfit.map(
    (database) =>
      `${PATH}: the line ${database} names no local source, goes on after a success ([SUCCESS=continue]), or cannot be read by glibc. By hand, write "${database}: files cache", with whatever else has to be asked behind it.`,
  );
  const notes = unreached.map(
    (database) =>
      `${PATH}: in the line ${database} something before "cache" ends the asking, so nobody gets to it.`,
  );
  const changes =
    wired.length === 0 ? [] : [fileChange(PATH, "nsswitch", { before, text, databases: [...wired] })];
  return { changes, notes: [...notes, ...(await missingLibrary(root))], left };
}

const LIBRARY = "libnss_cache.so.2";

/** Without it glibc passes over `cache`. */
async function missingLibrary(root: string): Promise<string[]> {
  for (const directory of ["/lib", "/usr/lib", "/lib64", "/usr/lib64"]) {
    const names = await listNames(underRoot(root, directory));
    const places = ["", ...names.filter((name) => name.endsWith("-linux-gnu")).map((name) => `/${name}`)];
    const found = await Promise.all(
      places.map((place) => isThere(underRoot(root, `${directory}${place}/${LIBRARY}`))),
    );
    if (found.includes(true)) {
      return [];
    }
  }
  return [`${LIBRARY} is not installed, and without it glibc passes over "cache": install libnss-cache.`];
}

function leaveTo(why: string): Part {
  return { ...NOTHING, left: [`${PATH} is left alone: ${why}.`] };
}

/** The file behind the link is written anew by whoever made the link. */
async function planLink(root: string, target: string): Promise<Part> {
  const isAuthselect = /(?:^|\/)etc\/authselect\/nsswitch\.conf$/.test(target);
  const path = isAuthselect ? "/etc/authselect/nsswitch.conf" : undefined;
  const file = path === undefined ? undefined : await observeFile(underRoot(root, path));
  if (file === undefined) {
    return leaveTo(
      `it is a link to ${target}, and whoever made it may write that file again. Add "cache" after "files" in passwd, group and shadow where that file comes from`,
    );
  }
  const { text, wired } = addCache(textOf(file));
  if (wired.length === 0) {
    return NOTHING;
  }
  const commands = await authselectCommands(root, linesOf(text, wired));
  return leaveTo(
    `authselect writes it. Run:\n${commands.map((line) => `      ${line}`).join("\n")}\n    then this again`,
  );
}

function linesOf(text: string, databases: readonly string[]): [database: string, line: string][] {
  return databases.map((database) => [
    database,
    text
      .split("\n")
      .map((line) => line.split("#", 1)[0]?.trim() ?? "")
      .findLast((line) => line.startsWith(`${database}:`)) ?? `${database}: files cache`,
  ]);
}

/** Those of authselect(8): a profile of one's own, made of the one that is in use. */
async function authselectCommands(root: string, lines: readonly [string, string][]): Promise<string[]> {
  const chosen = await observeFile(underRoot(root, "/etc/authselect/authselect.conf"));
  const [profile = "sssd", ...features] = (chosen === undefined ? "" : textOf(chosen))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[\w./-]+$/.test(line));
  const isOwn = profile.startsWith("custom/");
  const name = isOwn ? profile : "custom/rollcall";
  const user = "/etc/authselect/user-nsswitch.conf";
  const files = [
    `/etc/authselect/${name}/nsswitch.conf`,
    ...((await isThere(underRoot(root, user))) ? [user] : []),
  ];
  const edits = lines.map(
    ([database, line]) => `-e 's|^${database}:.*|${line.replaceAll(/[\\&|']/g, String.raw`\$&`)}|'`,
  );
  return [
    ...(isOwn
      ? []
      : [`authselect create-profile rollcall --base-on ${profile} --symlink-meta --symlink-pam`]),
    `sed -i ${[...edits, ...files].join(" ")}`,
    ["authselect select", name, ...features].join(" "),
  ];
}
