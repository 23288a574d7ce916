/**
 * A node before and after a sync, and what must hold for one that the sync left half-way.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, globSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { parseHistory } from "../../src/formats/history.ts";
import { startNamespace } from "./namespace.ts";
import type { NodeRoot } from "./node-root.ts";

type Contents = Readonly<Record<string, string>>;

/** Everything that a sync makes for others to read, by path. */
export interface Version {
  /** Maps and indexes. */
  readonly maps: Contents;
  /** Key files by user. */
  readonly keys: Contents;
  /** Whatever is below /home, with mode and owner; temporaries left out. */
  readonly homes: Contents;
}

export interface Versions {
  readonly old: Version;
  readonly fresh: Version;
}

export function versionOf({ path: root }: NodeRoot): Version {
  return {
    maps: contentsOf(join(root, "etc"), "*.cache*"),
    keys: contentsOf(join(root, "etc/ssh/authorized_keys.d"), "[!.]*"),
    homes: Object.fromEntries(
      below(join(root, "home"))
        .filter((path) => !TEMPORARY.test(path))
        .map((path) => [path, describeFile(join(root, "home", path))]),
    ),
  };
}

const TEMPORARY = /\.rollcall-[0-9a-f]{12}/;

function contentsOf(cwd: string, pattern: string): Contents {
  return Object.fromEntries(
    globSync(pattern, { cwd }).map((name) => [name, readFileSync(join(cwd, name), "latin1")]),
  );
}

function below(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: "utf8" }) : [];
}

function describeFile(path: string): string {
  const found = lstatSync(path);
  const content = found.isSymbolicLink()
    ? readlinkSync(path)
    : found.isFile()
      ? readFileSync(path, "latin1")
      : "";
  return `${found.mode.toString(8)} ${found.uid}:${found.gid} ${content}`;
}

/** What a sync left half-made. */
export function temporariesIn({ path }: NodeRoot): string[] {
  return globSync("**/.rollcall-*", { cwd: path });
}

/** The same for two nodes that a sync could not tell apart, but for the names of temporaries. */
export function digestOf({ path: root }: NodeRoot, start: number): string {
  const files = ["etc", "home", "var"]
    .flatMap((directory) => below(join(root, directory)).map((path) => join(directory, path)))
    // What tells the time in them is another in each run.
    .filter((path) => !/\/(?:report\.json|history)$/.test(path));
  // Whether an index is older than its map matters.
  const lines = files.map(
    (path) =>
      `${path.replace(TEMPORARY, ".rollcall-")} ${lstatSync(join(root, path)).mtimeMs < start} ${describeFile(join(root, path))}`,
  );
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

/** Files are whole, whoever is in both versions is in place, and nobody else is. */
export function assertBetween(found: Version, { old, fresh }: Versions): void {
  for (const [name, content] of Object.entries(found.maps)) {
    assert.ok(
      [old.maps[name], fresh.maps[name]].includes(content),
      `${name} is neither old nor new: ${content}`,
    );
  }
  for (const [name, content] of Object.entries(found.keys)) {
    assert.ok([old.keys[name], fresh.keys[name]].includes(content), `so are the keys of ${name}: ${content}`);
  }
  for (const name of Object.keys(old.maps).filter((name) => name in fresh.maps)) {
    assert.ok(name in found.maps, `${name} is gone`);
  }
  const moved = Object.keys(old.keys).filter((name) => uidIn(old, name) !== uidIn(fresh, name));
  for (const name of Object.keys(old.keys).filter((name) => name in fresh.keys && !moved.includes(name))) {
    assert.ok(name in found.keys, `${name} is in both versions and has no key`);
  }
  for (const [path, file] of Object.entries(found.homes)) {
    assert.equal(file, fresh.homes[path], path);
  }
  for (const path of Object.keys(fresh.homes)) {
    const [home = ""] = path.split("/");
    assert.ok(!(home in found.homes) || path in found.homes, `${home} lacks ${path}`);
  }
}

/** Whatever is not as before on the node is in the history since then, by user. */
export function assertChronicled(
  { node, start }: { readonly node: NodeRoot; readonly start: NodeRoot },
  found: Version,
  { old }: Versions,
): void {
  const historyOf = (one: NodeRoot) => parseHistory(Buffer.from(one.read("/var/lib/rollcall/history") ?? ""));
  const { damaged, ...all } = historyOf(node);
  const syncs = all.syncs.slice(historyOf(start).syncs.length);
  assert.equal(damaged, 0);
  const told = new Set(
    syncs.flatMap(({ changes }) =>
      changes.map(({ change }) => `${change.event.slice(0, 4)} ${"user" in change ? change.user : ""}`),
    ),
  );
  const keys = [...new Set([...Object.keys(old.keys), ...Object.keys(found.keys)])].filter(
    (name) => old.keys[name] !== found.keys[name] && !told.has(`key- ${name}`),
  );
  const [before, after] = [recordsIn(old, "passwd"), recordsIn(found, "passwd")];
  const users = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name) && !told.has(`user ${name}`),
  );
  assert.deepEqual({ keys, users }, { keys: [], users: [] }, "changed, and not in the history");
}

/** Keys are the last that somebody gets. */
export function assertGivenLast(found: Version, { old, fresh }: Versions): void {
  const given = Object.keys(found.keys).filter(
    (name) => found.keys[name] !== old.keys[name] && uidIn(old, name) !== uidIn(fresh, name),
  );
  const behind = Object.keys(fresh.maps).filter((name) => found.maps[name] !== fresh.maps[name]);
  assert.deepEqual(given.length > 0 ? behind : [], [], `too early: the keys of ${given.join(", ")}`);
}

/** Keys are the first that somebody loses, and nobody has one without a home. */
export function assertTakenFirst(found: Version, { old, fresh }: Versions): void {
  const isBegun = Object.keys(found.maps).some((name) => found.maps[name] !== old.maps[name]);
  const late = Object.keys(found.keys).filter(
    (name) =>
      found.keys[name] === old.keys[name] &&
      (!(name in fresh.keys) ||
        (uidIn(old, name) !== uidIn(fresh, name) && found.keys[name] !== fresh.keys[name])),
  );
  assert.deepEqual(isBegun ? late : [], [], "too late: the keys that are to be taken away");
  const homeless = Object.keys(found.keys).filter((name) => name in fresh.homes && !(name in found.homes));
  assert.deepEqual(homeless, [], "keys without a home");
}

const MAPS = ["passwd", "group", "shadow"] as const;

/** The lines of a map by their first field, without comments and what is only there for libnss-cache. */
function recordsIn({ maps }: Version, map: (typeof MAPS)[number]): ReadonlyMap<string, string> {
  const lines = (maps[`${map}.cache`] ?? "").split("\n").filter((line) => /^(?:user|group)\d/.test(line));
  return new Map(lines.map((line) => [line.split(":")[0] ?? "", line]));
}

function uidIn(version: Version, name: string): string | undefined {
  return recordsIn(version, "passwd").get(name)?.split(":")[2];
}

/** The real libnss-cache finds everybody in both versions, by name, by id and in the whole list, and nobody else. */
export async function assertFound(node: NodeRoot, versions: Versions): Promise<void> {
  const uids = [...recordsIn(versions.fresh, "passwd").values()].map((line) => line.split(":")[2] ?? "");
  const names = [versions.old, versions.fresh].flatMap((version) =>
    MAPS.flatMap((map) => [...recordsIn(version, map).keys()]),
  );
  await using inside = await startNamespace();
  const ran = await inside.run(
    "sh",
    "-uc",
    LOOK_UP,
    node.path,
    uids.join(" "),
    [...new Set(names)].join(" "),
  );
  assert.equal(ran.err, "");
  const answers = ran.out
    .split("--\n")
    .map((lines) => lines.split("\n").filter((line) => /^(?:user|group)\d/.test(line)));
  MAPS.forEach((map, nth) => {
    assertAnswered(answers[nth] ?? [], map, versions);
    assertAnswered(answers[nth + MAPS.length] ?? [], map, versions);
  });
  const byUid = new Set(answers.at(-1)?.map((line) => line.split(":")[0]));
  const kept = [...recordsIn(versions.old, "passwd").keys()].filter(
    (name) => uidIn(versions.old, name) === uidIn(versions.fresh, name),
  );
  assert.deepEqual(
    kept.filter((name) => !byUid.has(name)),
    [],
    "not found by uid",
  );
}

function assertAnswered(
  lines: readonly string[],
  map: (typeof MAPS)[number],
  { old, fresh }: Versions,
): void {
  const [before, after] = [recordsIn(old, map), recordsIn(fresh, map)];
  for (const line of lines) {
    const name = line.split(":")[0] ?? "";
    assert.ok([before.get(name), after.get(name)].includes(line), `${map} has ${line}`);
  }
  const found = new Set(lines.map((line) => line.split(":")[0]));
  const kept = [...before.keys()].filter((name) => after.has(name));
  assert.deepEqual(
    kept.filter((name) => !found.has(name)),
    [],
    `not found in ${map}`,
  );
}

/** getent(1) says 2 when it does not find one of the keys; when glibc aborts, the shell says so on standard error. */
const LOOK_UP = `
cp -p "$0"/etc/*.cache* /etc 2>&- || true
for map in passwd group shadow; do getent $map $2; echo --; done
for map in passwd group shadow; do getent $map; echo --; done
getent passwd $1
`;
