/**
 * A real daemon for some minutes, while its IAM goes up, down, slow, wrong and up again: every condition comes and goes
 * as the table says.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CONDITIONS, type ConditionCode } from "../../src/report/conditions.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { type FakeIam, LIST_RESPONSE, sendError, sendJson, startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot } from "../support/node-root.ts";
import { someUsers } from "../support/records.ts";

const USERS = 30;

type Misbehaviour = NonNullable<FakeIam["misbehave"]>;

/** What the IAM does, and what the daemon must say of it; undefined: nothing. */
const WEATHER: readonly (readonly [
  what: string,
  does: Misbehaviour | undefined,
  raises: ConditionCode | undefined,
])[] = [
  ["down", (_, response) => response.destroy() !== undefined, "iam-unreachable"],
  ["slow", slowly, undefined],
  [
    "a login page",
    (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>") !== undefined,
    "iam-invalid",
  ],
  ["refusing the token", (_, response) => sendError(response, 401, "expired"), "iam-refused"],
  [
    "half-answering",
    (request, response) =>
      sendJson(response, { schemas: [LIST_RESPONSE], totalResults: 99, Resources: [], list: request.list }),
    "iam-incomplete",
  ],
  [
    "empty",
    (_, response) => sendJson(response, { schemas: [LIST_RESPONSE], totalResults: 0, Resources: [] }),
    "removals-refused",
  ],
];

/** Answers after a second, as itself. */
function slowly(
  request: Parameters<Misbehaviour>[0],
  response: Parameters<Misbehaviour>[1],
  iam: FakeIam,
): boolean {
  void sleep(1000).then(() => sendJson(response, { ...pageFor(iam, request) }));
  return true;
}

function pageFor(iam: FakeIam, { list, startIndex, count }: Parameters<Misbehaviour>[0]) {
  const all = list === "Users" ? iam.users : iam.groups;
  const Resources = list === "ServiceProviderConfig" ? [] : all.slice(startIndex - 1, startIndex - 1 + count);
  return {
    schemas: [LIST_RESPONSE],
    totalResults: all.length,
    startIndex,
    itemsPerPage: Resources.length,
    Resources,
  };
}

interface Line {
  readonly time: number;
  readonly msg: string;
  readonly code?: string;
}

function linesOf(daemon: Daemon): Line[] {
  return daemon
    .output()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function until(
  daemon: Daemon,
  seconds: number,
  holds: (line: Line) => boolean,
): Promise<Line | undefined> {
  for (let polls = 0; polls < seconds * 4; polls += 1) {
    const found = linesOf(daemon).find(holds);
    if (found !== undefined) {
      return found;
    }
    await sleep(250);
  }
  return undefined;
}

describe("an IAM that goes up, down, slow, wrong and up again", () => {
  it("raises and clears each condition as the table says, and nobody on the node notices", {
    timeout: 900_000,
  }, async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(USERS), []);
    node.configure(iam.url, "schedule: { every: 2s, splay: 0s }\n");
    await using daemon = startDaemon(node);
    await daemon.logged(/in step/);
    const served = node.read("/etc/passwd.cache");

    for (const [what, does, raises] of WEATHER) {
      const from = Date.now();
      iam.misbehave = does;
      if (raises === undefined) {
        await sleep(12_000);
        assert.deepEqual(
          linesOf(daemon).filter(({ time, msg }) => time > from && /raised|failed/.test(msg)),
          [],
          what,
        );
      } else {
        const { shownAfterMs } = CONDITIONS[raises];
        const raised = await until(
          daemon,
          shownAfterMs / 1000 + 80,
          ({ time, msg, code }) => time > from && msg === "condition raised" && code === raises,
        );
        assert.ok(raised !== undefined, `${what}: ${raises} was not raised\n${daemon.output()}`);
        assert.ok(raised.time - from >= shownAfterMs, `${what}: raised after ${raised.time - from} ms`);
        console.log(
          `      ${what}: ${raises} after ${((raised.time - from) / 1000).toFixed(1)} s (shown after ${shownAfterMs / 1000} s)`,
        );
      }
      assert.equal(node.read("/etc/passwd.cache"), served, what);
      const back = Date.now();
      iam.misbehave = undefined;
      daemon.child.kill("SIGUSR1");
      if (raises !== undefined) {
        const cleared = await until(
          daemon,
          20,
          ({ time, msg, code }) => time > back && msg === "condition cleared" && code === raises,
        );
        assert.ok(cleared !== undefined, `${what}: ${raises} was not cleared\n${daemon.output()}`);
      }
    }

    const lines = linesOf(daemon);
    const count = (wanted: string) => lines.filter(({ msg }) => msg === wanted).length;
    assert.equal(count("condition raised"), count("condition cleared"));
    assert.equal((await node.rollcall("status")).code, 0);
  });
});
