/**
 * A sync that dies at, or is refused, each of its file-system calls in turn.
 *
 * After each: every map is whole and old or new, and the real libnss-cache finds in it whoever is in both versions;
 * nobody gets a key too early or keeps one too long; no home is half-made; whatever changed is in the history; a second
 * run finishes the job and leaves nothing behind. Second runs and look-ups are done once for each different node that comes out of it.
 */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { keysInText, sshkeyTexts } from "../../src/formats/sshkey.ts";
import { type FakeIam, type Resource, startFakeIam } from "../support/fake-iam.ts";
import { buildProgram, type Injected, missingStrace, type Point, type Program } from "../support/faults.ts";
import { missing } from "../support/namespace.ts";
import { makeNodeRoot, type NodeRoot, nodeRootAt, run } from "../support/node-root.ts";
import { aGroup, aKey, aUser } from "../support/records.ts";
import {
  assertBetween,
  assertChronicled,
  assertFound,
  assertGivenLast,
  assertTakenFirst,
  digestOf,
  temporariesIn,
  type Version,
  type Versions,
  versionOf,
} from "../support/versions.ts";

interface Case {
  /** Whom the node serves; undefined for one that was never synced. */
  readonly before: readonly Resource[] | undefined;
  readonly after: readonly Resource[];
  readonly indexes: "always" | "never";
  /** Keys are in the sshkey map, and in no files. */
  readonly keysInMap?: boolean;
  /** Nothing but keys is new, and the sync is told that the node is in step with all else. */
  readonly isAhead?: boolean;
  /** Which of its calls are hit; all of them by default. */
  readonly isHit?: (point: Point, position: number) => boolean;
}

const someone = [aUser(1), aUser(2), aUser(3), aUser(4), aUser(5, { shell: "/usr/bin/zsh" })];
const MIXED = "a sync that changes keys, a uid and a name, adds somebody and removes somebody";
const MANY = "a sync that gives keys to so many that they are synced together";
const NAMES = [
  "a first sync",
  "a sync that adds somebody",
  "a sync that removes somebody",
  MIXED,
  MANY,
] as const;
type Name = (typeof NAMES)[number];
const CASES: Readonly<Record<Name, Case>> = {
  "a first sync": { before: undefined, after: [aUser(1), aUser(2)], indexes: "never" },
  "a sync that adds somebody": { before: someone, after: [...someone, aUser(6)], indexes: "always" },
  "a sync that removes somebody": { before: someone, after: someone.slice(1), indexes: "never" },
  [MIXED]: {
    before: someone,
    after: [
      aUser(1, { keys: [aKey(91)] }),
      aUser(2, { gecos: "Another Name" }),
      aUser(3, { uid: 20_003, keys: [aKey(93)] }),
      aUser(5, { shell: "/usr/bin/zsh" }),
      aUser(6),
    ],
    indexes: "never",
  },
  [MANY]: {
    before: someone,
    after: [...someone, ...Array.from({ length: 17 }, (_, nth) => aUser(6 + nth))],
    indexes: "never",
    // One of each kind among the first, some in the middle, and so on.
    isHit: ({ thread, kind }, position) =>
      thread === "main" && kind !== "read" && kind !== "open" && position % 6 === 0,
  },
};

/**
 * People without a key, whose homes are there already. Each place of homes is opened on its own, so that the thread that
 * does the file work has opened more than any other thread ever does when it makes its first file.
 */
const quiet = Array.from({ length: 32 }, (_, nth) =>
  aUser(50 + nth, { home: `/home/team${nth}/user${50 + nth}`, keys: [] }),
);

/** What an earlier sync that was killed left of a home. */
const LEFTOVER = "home/.rollcall-0123456789ab";

/** A node before a sync, what the sync makes of it, and every call on the way. */
interface Scene extends AsyncDisposable, Versions {
  readonly start: NodeRoot;
  readonly program: Program;
  readonly points: readonly Point[];
  /** Nodes that came out of it and were looked at already. */
  readonly seen: Set<string>;
}

let program: Program;
const scenes: Partial<Record<Name, Scene>> = {};
const skip = missingStrace() || missing("namespaces", "libnss-cache");

before(async () => {
  if (skip === false) {
    program = buildProgram();
    for (const name of NAMES) {
      scenes[name] = await startScene(CASES[name]);
    }
  }
});
after(async () => {
  for (const scene of Object.values(scenes)) {
    await scene[Symbol.asyncDispose]();
  }
  program?.[Symbol.dispose]();
});

function serve(iam: FakeIam, users: readonly Resource[]): void {
  iam.users = [...quiet, ...users];
  iam.groups = [
    aGroup(
      1,
      users.map((user) => user["id"]),
    ),
  ];
}

async function startScene(scene: Case): Promise<Scene> {
  const { before, after, indexes, keysInMap = false, isAhead = false, isHit = () => true } = scene;
  await using stack = new AsyncDisposableStack();
  const start = stack.use(makeNodeRoot());
  const iam = stack.use(await startFakeIam([], [], { etags: isAhead }));
  start.configure(iam.url, `caches: { index: ${indexes} }\nkeys: { files: ${!keysInMap} }\n`);
  symlinkSync(".bashrc", join(start.path, "etc/skel/.profile"));
  quiet.forEach((_, nth) =>
    mkdirSync(join(start.path, `home/team${nth}/user${50 + nth}`), { recursive: true }),
  );
  if (before !== undefined) {
    serve(iam, before);
    assert.equal((await program.sync(start)).code, 0);
    if (!isAhead) {
      start.write(`${LEFTOVER}/.config/app.conf`, "half");
    }
  }
  serve(iam, after);
  const its = isAhead
    ? stack.use(buildProgram(["sync", inStepOption(start)], ["rename", "unlink"]))
    : program;
  using end = await copyOf(start);
  const ran = await its.sync(end);
  assert.equal(ran.code, 0, ran.err);
  using traced = await copyOf(start);
  const points = await its.pointsOf(traced);
  const cleanup = stack.move();
  return {
    start,
    program: its,
    old: versionOf(start),
    fresh: versionOf(end),
    points: points.filter(isHit),
    seen: new Set(),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** What the daemon tells a sync of a node that it has left in step. */
function inStepOption(node: NodeRoot): string {
  return `--in-step-with=${JSON.parse(node.read("/var/lib/rollcall/etags.json") ?? "").digest}`;
}

/** A copy of a node, for one run, after a reboot. */
async function copyOf(node: NodeRoot): Promise<NodeRoot> {
  const path = mkdtempSync(join(tmpdir(), "rollcall-fault-"));
  const ran = await run("cp", ["-a", `${node.path}/.`, path]);
  assert.equal(ran.code, 0, ran.err);
  rmSync(join(path, "run"), { recursive: true, force: true });
  return nodeRootAt(path);
}

/** What was done to one run, and to which node. */
interface Harmed {
  readonly scene: Scene;
  readonly node: NodeRoot;
  readonly point: Point;
  readonly ran: Injected;
  /** The same for nodes that are the same. */
  readonly digest: string;
}

interface Harm {
  readonly does: (node: NodeRoot, point: Point) => Promise<Injected>;
  readonly kinds: ReadonlySet<string>;
  readonly judge: (harmed: Harmed) => Promise<void>;
}

/** Does harm at every point in turn, each time to a node of its own; how many points there were. */
async function atEveryPoint(scene: Scene, { does, kinds, judge }: Harm): Promise<number> {
  const points = scene.points.filter(({ kind }) => kinds.has(kind));
  const failures: string[] = [];
  for (const point of points) {
    const start = Date.now();
    const { node, ran } = await hit(scene, point, does);
    try {
      await judge({ scene, node, point, ran, digest: digestOf(node, start) });
    } catch (error) {
      failures.push(`${point.name}: ${String(error)}\n${ran.out}${ran.err}`);
    } finally {
      node[Symbol.dispose]();
    }
  }
  assert.equal(failures.join("\n"), "");
  return points.length;
}

/**
 * A point may be missed when the machine stands still in the wrong moment, but not time after time. The main thread opens other
 * files as well, now one more and now one less before it: then the point is the call next to it.
 */
const NEXT_TO_IT = [0, 0, 0, -1, 1, -2, 2];

async function hit(scene: Scene, point: Point, does: Harm["does"]) {
  const mayShift = point.thread === "main" && point.path === undefined;
  for (const shift of NEXT_TO_IT.filter((one) => one === 0 || mayShift)) {
    const node = await copyOf(scene.start);
    const ran = await does(node, { ...point, nth: point.nth + shift });
    if (ran.hit !== undefined) {
      return { node, ran };
    }
    node[Symbol.dispose]();
  }
  throw new Error(`${point.name} was never hit`);
}

/** Whatever a sync left: the next one puts it right. */
async function assertFinishes({ scene, node, digest }: Harmed): Promise<void> {
  if (scene.seen.has(digest)) {
    return;
  }
  scene.seen.add(digest);
  const second = await program.sync(node);
  assert.equal(second.code, 0, second.err);
  assert.deepEqual(versionOf(node), scene.fresh);
  assert.deepEqual(temporariesIn(node), []);
}

const LIMIT = { timeout: 1_200_000 };
const CHANGING = ["create", "write", "fsync", "rename", "unlink", "rmdir", "mkdir", "symlink"];
const ATTRIBUTING = ["chmod", "fchmod", "fchown", "lchown"];
const REMOVING = ["unlink", "rmdir"];

describe("a sync that is killed at each of its file-system calls", { skip, concurrency: 4 }, () => {
  for (const name of NAMES) {
    it(`leaves whole files and nobody with too much or too little: ${name}`, LIMIT, async () => {
      const scene = scenes[name] ?? assert.fail();
      const looks = new Set<string>();
      const points = await atEveryPoint(scene, {
        does: (node, point) => program.killAt(node, point),
        kinds: new Set([...CHANGING, ...ATTRIBUTING]),
        judge: async (harmed) => {
          const found = versionOf(harmed.node);
          assertBetween(found, scene);
          assertGivenLast(found, scene);
          assertTakenFirst(found, scene);
          assertChronicled({ ...harmed, start: scene.start }, found, scene);
          const maps = JSON.stringify(found.maps);
          await (looks.has(maps) || assertFound(harmed.node, scene));
          looks.add(maps);
          await assertFinishes(harmed);
        },
      });
      console.log(`      ${name}: ${points} points; ${looks.size} different sets of maps`);
    });
  }
});

describe("a sync of keys in the map that is killed at each of its file-system calls", { skip }, () => {
  it(
    "leaves nobody with a key too many, too early or too few, and the next one finishes",
    LIMIT,
    async () => {
      await using scene = await startScene({
        before: [aUser(1, { keys: [aKey(1), aKey(2)] }), aUser(2), aUser(3), aUser(4)],
        after: [
          aUser(1, { keys: [aKey(1), aKey(5)] }),
          aUser(2),
          aUser(3, { uid: 20_003, keys: [aKey(93)] }),
        ],
        indexes: "never",
        keysInMap: true,
      });
      const looks = new Set<string>();
      const points = await atEveryPoint(scene, {
        does: (node, point) => program.killAt(node, point),
        // Between these calls nothing changes that others can read.
        kinds: new Set(["create", "rename", "unlink"]),
        judge: async (harmed) => {
          const found = versionOf(harmed.node);
          assertKeysInMap(found, scene);
          looks.add(found.maps["sshkey.cache"] ?? "");
          await assertFinishes(harmed);
        },
      });
      assert.equal(looks.size, 3, "old, without what is taken away, and new");
      console.log(`      keys in the map: ${points} points`);
    },
  );
});

describe("a sync of a few keys that is killed at each of its renames", { skip }, () => {
  for (const keysInMap of [false, true]) {
    it(
      `has their old keys or their new ones, and the next one finishes: ${keysInMap ? "in the map" : "in files"}`,
      LIMIT,
      async () => {
        await using scene = await startScene({
          before: someone,
          after: [aUser(1, { keys: [aKey(91)] }), ...someone.slice(1)],
          indexes: "always",
          keysInMap,
          isAhead: true,
        });
        const points = await atEveryPoint(scene, {
          does: (node, point) => scene.program.killAt(node, point),
          kinds: new Set(["rename", "unlink"]),
          judge: async (harmed) => {
            const found = versionOf(harmed.node);
            assertBetween(found, scene);
            assertChronicled({ ...harmed, start: scene.start }, found, scene);
            await assertFinishes(harmed);
          },
        });
        assert.ok(points > 5, `only ${points} points`);
        console.log(`      keys ${keysInMap ? "in the map" : "in files"}, ahead: ${points} points`);
      },
    );
  }
});

/** By what the map has of each. */
function assertKeysInMap(found: Version, { old, fresh }: Versions): void {
  const mapOf = ({ maps }: Version) => sshkeyTexts(Buffer.from(maps["sshkey.cache"] ?? ""));
  const keysOf = (version: Version, name: string) => new Set(keysInText(mapOf(version).get(name) ?? ""));
  const others = Object.keys(fresh.maps).filter((name) => name !== "sshkey.cache");
  const isBegun = others.some((name) => found.maps[name] !== old.maps[name]);
  const isReady = others.every((name) => found.maps[name] === fresh.maps[name]);
  assert.deepEqual(found.keys, {});
  for (const name of new Set([...mapOf(old).keys(), ...mapOf(found).keys()])) {
    const [before, now, after] = [keysOf(old, name), keysOf(found, name), keysOf(fresh, name)];
    assert.ok(!isBegun || now.isSubsetOf(after), `${name} has a key too long`);
    assert.ok(isReady || now.isSubsetOf(before), `${name} has a key too early`);
    assert.ok(before.intersection(after).isSubsetOf(now), `${name} misses a key`);
  }
}

const ALTERING = CHANGING.filter((kind) => kind !== "write" && kind !== "fsync");

interface Refusal {
  readonly error: string;
  readonly name: Name;
  /** The calls that the kernel may refuse like this. */
  readonly kinds: readonly string[];
}

const REFUSALS: readonly Refusal[] = [
  { error: "EIO", name: "a first sync", kinds: ["write", "mkdir", "chmod"] },
  { error: "EIO", name: MIXED, kinds: [...CHANGING, ...ATTRIBUTING, "read", "getdents64"] },
  {
    error: "ENOSPC",
    name: "a first sync",
    kinds: ["create", "write", "fsync", "rename", "mkdir", "symlink"],
  },
  { error: "ENOSPC", name: MANY, kinds: ["create", "write", "rename"] },
  { error: "EROFS", name: MIXED, kinds: [...ALTERING, ...ATTRIBUTING] },
  { error: "EACCES", name: MIXED, kinds: ALTERING },
  { error: "EMFILE", name: MIXED, kinds: ["create", "open"] },
];

describe("a sync that is refused one of its file-system calls", { skip, concurrency: 4 }, () => {
  for (const { error, name, kinds } of REFUSALS) {
    it(`with ${error} loses nothing and says so, and the next one finishes: ${name}`, LIMIT, async () => {
      const scene = scenes[name] ?? assert.fail();
      const harmless: string[] = [];
      const points = await atEveryPoint(scene, {
        does: (node, point) => program.refuse(node, point, error),
        kinds: new Set(kinds),
        judge: async (harmed) => {
          const { node, point, ran } = harmed;
          const found = versionOf(node);
          assertBetween(found, scene);
          assertGivenLast(found, scene);
          assertSaid(harmed, found);
          if (!ran.err.includes("[history-unwritable]")) {
            assertChronicled({ node, start: scene.start }, found, scene);
          }
          const left = temporariesIn(node).filter((path) => !path.startsWith(LEFTOVER));
          assert.deepEqual(REMOVING.includes(point.kind) ? [] : left, []);
          if (ran.code === 0) {
            harmless.push(point.name);
          }
          await assertFinishes(harmed);
        },
      });
      console.log(`      ${error} at ${points} points, ${harmless.length} of them harmless: ${name}`);
    });
  }
});

/** The run failed with a documented code; or it did not need that call, or said which home it could not look at. */
function assertSaid({ scene, ran }: Harmed, found: Version): void {
  if (ran.code === 0 && ran.out.includes("[home-parent]")) {
    assert.deepEqual({ ...found, homes: {} }, { ...scene.fresh, homes: {} });
  } else if (ran.code === 0) {
    assert.deepEqual(found, scene.fresh);
  } else {
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /\[(?:apply-failed|node-unreadable|state-unwritable|config-unreadable|token-unreadable)\]/,
    );
  }
}
