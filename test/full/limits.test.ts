/**
 * The real program at its limits, one row each: it fails cleanly and leaves the node alone, or copes; and neither takes
 * memory, time or requests without end.
 *
 * Each row prints how long it took, the most memory that was resident (VmHWM of proc(5)), and the requests it made.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import {
  type FakeIam,
  LIST_RESPONSE,
  pageOf,
  type Resource,
  SCIM_ERROR,
  sendJson,
  startFakeIam,
} from "../support/fake-iam.ts";
import { configFor, keepOutput, makeNodeRoot, type NodeRoot } from "../support/node-root.ts";
import { MAIN } from "../support/program.ts";
import { aGroup, aUser, someUsers } from "../support/records.ts";

type Misbehave = NonNullable<FakeIam["misbehave"]>;

interface Row {
  /** Lines of `iam` in the configuration. */
  readonly iam?: Readonly<Record<string, string>>;
  readonly misbehave: Misbehave;
  readonly says: RegExp;
  /** The most it may take. */
  readonly requests?: number;
  readonly peakMiB?: number;
  readonly seconds?: number;
}

interface Measured {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
  readonly peakMiB: number;
}

const MIB = 1024 ** 2;
const MAX_PAGE_MIB = 32;
/** What the kernel may hold of an answer that nobody reads any more. */
const SOCKET_BUFFERS_MIB = 16;
const PEAK_MIB = 400;
const MAX_SECONDS = 60;
const POLL_MS = 10;

/** Runs a sync to its end and watches its memory; killed after two minutes. */
async function measuredSync(node: NodeRoot, prefix: readonly string[] = []): Promise<Measured> {
  const start = performance.now();
  const program = [process.execPath, MAIN, "--root", node.path, "sync"];
  const env = { PATH: process.env["PATH"] };
  const child = spawn("env", [...prefix, ...program], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
  });
  const output = keepOutput(child);
  let peakKiB = 0;
  const watch = setInterval(() => {
    peakKiB = Math.max(peakKiB, peakOf(child.pid));
  }, POLL_MS);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(watch);
  return { code, output: output(), seconds: (performance.now() - start) / 1000, peakMiB: peakKiB / 1024 };
}

/** In KiB; 0 for a process that has ended. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function report(what: string, { seconds, peakMiB }: Measured, iam: FakeIam): void {
  const figures = [`${seconds.toFixed(1).padStart(5)} s`, `${peakMiB.toFixed(0).padStart(5)} MiB`];
  console.log(
    `      ${what.padEnd(58)}${figures.join("")}${String(iam.requests.length).padStart(7)} requests`,
  );
}

function configure(node: NodeRoot, url: string, iam: Readonly<Record<string, string>> = {}): void {
  const lines = { timeout: "30s", ...iam };
  const kept = configFor(url)
    .split("\n")
    .filter((line) => !Object.keys(lines).some((key) => line.startsWith(`  ${key}:`)))
    .join("\n");
  const own = Object.entries(lines).map(([key, value]) => `  ${key}: ${value}\n`);
  node.write(
    "/etc/rollcall/rollcall.yaml",
    `${kept.replace("iam:\n", `iam:\n${own.join("")}`)}homes: { create: false }\n`,
  );
}

const onUsers =
  (answer: (response: ServerResponse, request: Parameters<Misbehave>[0]) => unknown): Misbehave =>
  (request, response) => {
    const isAsked = request.list === "Users";
    if (isAsked) {
      answer(response, request);
    }
    return isAsked;
  };

const listOf = (totalResults: number, resources: string) =>
  `{"schemas":["${LIST_RESPONSE}"],"totalResults":${totalResults},"Resources":${resources}}`;
const page = (totalResults: number, Resources: readonly unknown[]) => ({
  schemas: [LIST_RESPONSE],
  totalResults,
  Resources,
});
/** So many small resources from a position on. */
const resourcesFrom = (start: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `x-${start + index}` }));

/** Up to 1 GiB of users in one list, as fast as they are read; tells how much went out when it is over. */
function pourUsers(response: ServerResponse, tellSent: (bytes: number) => void): void {
  const chunk = Buffer.from(`${JSON.stringify(aUser(1))},`.repeat(200));
  const { socket } = response;
  let left = 1024 * MIB;
  const pour = () => {
    for (let hasRoom = true; hasRoom && left > 0; left -= chunk.length) {
      hasRoom = response.write(chunk);
    }
  };
  response.on("drain", pour);
  response.on("close", () => tellSent(socket?.bytesWritten ?? 0));
  response.write(listOf(1, "[").slice(0, -1));
  pour();
}

/** A MiB on the wire, a GiB unpacked. */
function sendBomb(response: ServerResponse): void {
  const member = gzipSync(Buffer.alloc(16 * MIB, "["));
  response.writeHead(200, { "content-encoding": "gzip" });
  response.end(Buffer.concat(Array.from({ length: 64 }, () => member)));
}

/** A header that grows by a byte at a time and never ends. */
function dripHeader({ socket }: ServerResponse): void {
  socket?.write("HTTP/1.1 200 OK\r\nx-slow: ");
  const timer = setInterval(() => socket?.write("a"), 100);
  socket?.on("close", () => clearInterval(timer));
}

const LEVELS = 100_000;
const deepList = "[".repeat(LEVELS) + "]".repeat(LEVELS);
const deepObject = `${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}`;
const fat = "x".repeat(16 * MIB);
let mostSent = 0;

const FAILURES: Readonly<Record<string, Row>> = {
  "a list of users that goes on for a GiB": {
    misbehave: onUsers((response) =>
      pourUsers(response, (bytes) => {
        mostSent = Math.max(mostSent, bytes);
      }),
    ),
    says: /larger than 33554432 bytes.*iam-too-large/,
    requests: 3,
  },
  "a MiB that unpacks to a GiB": {
    misbehave: onUsers(sendBomb),
    says: /larger than 33554432 bytes.*iam-too-large/,
    requests: 3,
  },
  "a thousand pages of 16 MiB": {
    misbehave: onUsers((response, { startIndex }) =>
      response.end(listOf(1000, `[{"id":"x-${startIndex}","fat":"${fat}"}]`)),
    ),
    says: /pages are larger than 536870912 bytes together.*iam-too-large/,
    requests: 50,
    // What is kept is bounded, and so is what four parsers hold beside it.
    peakMiB: 1200,
  },
  "a header of ten MiB": {
    misbehave: onUsers((response) => response.writeHead(200, { "x-long": "x".repeat(10 * MIB) }).end("{}")),
    says: /Headers Overflow.*iam-unreachable/,
    requests: 6,
  },
  "a header that drips": {
    iam: { timeout: "1s", retries: "1" },
    misbehave: (_, response) => {
      dripHeader(response);
      return true;
    },
    says: /timeout.*iam-unreachable/,
    requests: 5,
    seconds: 20,
  },
  "four million users claimed, in honest pages": {
    iam: { pageSize: "200" },
    misbehave: onUsers((response, { startIndex, count }) =>
      sendJson(response, page(4_000_000, resourcesFrom(startIndex, count))),
    ),
    says: /totalResults is 4000000, more than 1000000.*iam-too-large/,
    requests: 3,
  },
  "ten million users claimed, one behind each cursor": {
    iam: { paging: "cursor" },
    misbehave: onUsers((response, { nth }) =>
      sendJson(response, { ...page(10_000_000, resourcesFrom(nth, 1)), nextCursor: `c${nth}` }),
    ),
    says: /totalResults is 10000000, more than 1000000.*iam-too-large/,
    requests: 2,
  },
  "a million users claimed, the same fifty on every page": {
    misbehave: onUsers((response) => sendJson(response, page(1_000_000, resourcesFrom(1, 50)))),
    says: /holds nothing that had not come before.*iam-incomplete/,
    requests: 30,
  },
  "a million users claimed, fifty on the first page, then one": {
    misbehave: onUsers((response, { startIndex }) =>
      sendJson(response, page(1_000_000, resourcesFrom(startIndex, startIndex === 1 ? 50 : 1))),
    ),
    says: /more than 20000 pages.*iam-too-large/,
    requests: 20_010,
    peakMiB: 700,
    seconds: 115,
  },
  "a body of 100,000 lists in each other": {
    misbehave: onUsers((response) => response.end(deepList)),
    says: /no ListResponse.*iam-invalid/,
  },
  "a schemas of 100,000 lists in each other": {
    misbehave: onUsers((response) => response.end(`{"schemas":${deepList}}`)),
    says: /no ListResponse.*iam-invalid/,
  },
  "a cursor of 100,000 objects in each other": {
    misbehave: onUsers((response) =>
      response.end(`${listOf(0, "[]").slice(0, -1)},"nextCursor":${deepObject}}`),
    ),
    says: /no ListResponse.*iam-invalid/,
  },
  "an error of 100,000 objects in each other": {
    misbehave: onUsers((response) =>
      response.writeHead(400).end(`{"schemas":["${SCIM_ERROR}"],"detail":${deepObject}}`),
    ),
    says: /answered 400.*iam-invalid/,
  },
};

let template: NodeRoot;

/** A node in step with fifty users and a group, copied for every row. */
before(async () => {
  template = makeNodeRoot();
  await using iam = await startFakeIam(someUsers(50), [aGroup(1, ["u-1"])]);
  configure(template, iam.url);
  const first = await template.rollcall("sync");
  assert.equal(first.code, 0, first.err);
});
after(() => template[Symbol.dispose]());

describe("a sync that meets", () => {
  for (const [what, row] of Object.entries(FAILURES)) {
    it(`${what} fails within its bounds, and no file changes`, async () => {
      using node = makeNodeRoot();
      execFileSync("cp", ["-a", `${template.path}/.`, node.path]);
      await using iam = await startFakeIam(someUsers(50), [aGroup(1, ["u-1"])]);
      configure(node, iam.url, row.iam);
      iam.misbehave = row.misbehave;
      const untouched = node.snapshot();

      const ran = await measuredSync(node);

      report(what, ran, iam);
      assert.equal(ran.code, 1, ran.output);
      assert.match(ran.output, row.says);
      assert.deepEqual(node.snapshot(), untouched);
      assert.ok(iam.requests.length <= (row.requests ?? 10), `${iam.requests.length} requests`);
      assert.ok(ran.peakMiB < (row.peakMiB ?? PEAK_MIB), `${ran.peakMiB} MiB`);
      assert.ok(ran.seconds < (row.seconds ?? MAX_SECONDS), `${ran.seconds} s`);
      assert.ok(mostSent < (MAX_PAGE_MIB + SOCKET_BUFFERS_MIB) * MIB, `${mostSent} bytes were taken`);
    });
  }
});

describe("a sync copes with", () => {
  /** Syncs a fresh node that must end with this code. */
  async function syncs(
    what: string,
    iam: FakeIam,
    { node, code = 0, prefix = [] }: { node: NodeRoot; code?: number; prefix?: readonly string[] },
  ): Promise<Measured> {
    configure(node, iam.url, { pageSize: "1000" });
    const ran = await measuredSync(node, prefix);
    report(what, ran, iam);
    assert.equal(ran.code, code, ran.output);
    assert.ok(ran.seconds < MAX_SECONDS, `${ran.seconds} s`);
    return ran;
  }
  const groupLine = (node: NodeRoot, name: string) =>
    (node.read("/etc/group.cache") ?? "").split("\n").find((line) => line.startsWith(`${name}:`));

  it("a user whose attributes are 100,000 levels deep: only that record is refused", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(20), []);
    iam.misbehave = (request, response) => {
      const text = JSON.stringify(pageOf(iam, request));
      return (
        request.list === "Users" &&
        response.end(
          text
            .replace('"userName":"user7"', `"userName":${deepObject}`)
            .replace('"displayName":"User Number 8"', `"displayName":${deepList}`),
        ) !== undefined
      );
    };

    const ran = await syncs("two attributes 100,000 levels deep", iam, { node, code: 3 });

    const names = (node.read("/etc/passwd.cache") ?? "").match(/^\w+/gm) ?? [];
    assert.equal((ran.output.match(/nested too deeply/g) ?? []).length, 2, ran.output);
    assert.equal(names.length, 18);
    assert.ok(!names.includes("user7") && !names.includes("user8"));
  });

  it("one user in 10,000 groups", async () => {
    using node = makeNodeRoot();
    const groups = Array.from({ length: 10_000 }, (_, nth) => aGroup(nth + 1, ["u-1"]));
    await using iam = await startFakeIam(someUsers(2), groups);

    await syncs("one user in 10,000 groups", iam, { node });

    const members = (node.read("/etc/group.cache") ?? "").match(/^group\d+:x:\d+:user1$/gm) ?? [];
    assert.equal(members.length, 10_000);
  });

  it("a group of 100,000 members, most of them unknown", async () => {
    using node = makeNodeRoot();
    const members = Array.from({ length: 100_000 }, (_, nth) => `u-${nth + 1}`);
    await using iam = await startFakeIam(someUsers(3), [aGroup(1, members)]);

    const { output } = await syncs("100,000 members of whom three are known", iam, { node });

    assert.equal(groupLine(node, "group1"), "group1:x:50001:user1,user2,user3");
    assert.match(output, /99997 of 100000 members are not among the listed users/);
  });

  it("a group of 20,000 users", async () => {
    using node = makeNodeRoot();
    const users = Array.from({ length: 20_000 }, (_, nth) => aUser(nth + 1, { keys: [] }));
    const group = aGroup(
      1,
      users.map(({ id }) => id),
      { gid: 90_001 },
    );
    await using iam = await startFakeIam(users, [group]);

    await syncs("20,000 users in one group", iam, { node });

    const members = groupLine(node, "group1")?.split(":")[3]?.split(",") ?? [];
    const names = users.map((user: Resource) => String(user["userName"]));
    assert.deepEqual(members.sort(), names.sort());
  });

  it("500 key files with 64 descriptors, at first and with all of them in place", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(500), []);
    const prefix = ["prlimit", "--nofile=64"];

    await syncs("500 new key files with 64 descriptors", iam, { node, prefix });
    const again = await syncs("500 key files in place with 64 descriptors", iam, { node, prefix });

    assert.match(again.output, /Nothing to do/);
  });
});
