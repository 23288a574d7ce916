/**
 * What people see on a terminal, and what scripts get instead.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { sendError, startFakeIam } from "../support/fake-iam.ts";
import { keepOutput, makeNodeRoot, type NodeRoot, run, runRollcall, waitFor } from "../support/node-root.ts";
import { aGroup, aUser, someUsers } from "../support/records.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

/** Runs the program on a terminal of eighty columns and ten rows. */
function onTerminal(node: NodeRoot, args: string, env: Readonly<Record<string, string>> = {}) {
  return run(SCRIPT, scriptOf(node, args, 80), { ...TERMINAL, ...env });
}

const SCRIPT = "script";
const TERMINAL = { TERM: "xterm", LC_ALL: "C.UTF-8" };

function scriptOf(node: NodeRoot, args: string, columns: number): string[] {
  const command = `stty cols ${columns} rows 10; exec ${process.execPath} ${MAIN} --root ${node.path} ${args}`;
  return ["-qec", command, "/dev/null"];
}

const linesOf = (out: string) => stripVTControlCharacters(out).split(/\r?\n/);

describe("the status on a terminal", () => {
  it("is a board that fits, in colour, which says in its first line how the node is", async () => {
    await using iam = await startFakeIam(
      [...someUsers(3), aUser(9, { name: "root" }), aUser(10, { uid: 0 }), aUser(11, { uid: 1 })],
      [],
    );
    using node = makeNodeRoot();
    node.configure(iam.url);
    await node.rollcall("sync");

    const ran = await onTerminal(node, "status");
    const narrow = await run(SCRIPT, scriptOf(node, "status", 40), TERMINAL);

    const lines = linesOf(ran.out);
    assert.equal(ran.code, 0, ran.out);
    assert.equal(lines[0], "● healthy");
    assert.match(ran.out, /^\u001b\[32m● healthy/);
    assert.match(ran.out, /No daemon answers here; this is from the last sync, \d+ s ago\./);
    assert.match(ran.out, /served +3 users · 3 groups · 3 keys\r?\n/);
    assert.match(ran.out, /last sync +\d+ s ago · took \d+\.\d\d s · 9 added/);
    assert.match(
      ran.out,
      /refused +3 records[^]* 2 {2}The id is outside[^]* 1 {2}The name belongs to the system/,
    );
    assert.ok(lines.every((line) => line.length <= 80));
    assert.ok(linesOf(narrow.out).every((line) => line.length <= 40));
  });

  it("has only ASCII where the locale or the terminal can show no more, and no colour where none is wanted", async () => {
    await using iam = await startFakeIam([aUser(1, { gecos: "Zoë\u0007 日本" })], []);
    using node = makeNodeRoot();
    node.configure(iam.url);
    await node.rollcall("sync");

    const posix = await onTerminal(node, "status", { LC_ALL: "C" });
    const dumb = await onTerminal(node, "status", { TERM: "dumb" });
    const details = await onTerminal(node, "status --all", { TERM: "dumb" });
    const plain = await onTerminal(node, "status", { NO_COLOR: "1" });

    assert.match(posix.out, /^\u001b\[32m\* healthy[^]*1 user \| 1 group \| 1 key/);
    assert.match(posix.out, /^[ -~\r\n\u001b]*$/);
    assert.match(dumb.out, /^\* healthy[ -~\r\n]*$/);
    assert.match(details.out, /^\* healthy[ -~\r\n]*gecos-cleaned[ -~\r\n]*$/);
    assert.match(plain.out, /^● healthy[^\u001b]*$/);
  });

  it("is not steered by anything that the IAM says", async () => {
    const evil = "\u001b[2J\u001b]0;owned\u0007\u202e\u009b31m";
    await using iam = await startFakeIam([aUser(1), aUser(2, { name: `x${evil}` })], []);
    using node = makeNodeRoot();
    node.configure(iam.url);
    await node.rollcall("sync");
    iam.misbehave = (_, response) => sendError(response, 403, evil);
    await node.rollcall("sync");

    const ran = await onTerminal(node, "status --all", { NO_COLOR: "1" });
    const told = await onTerminal(node, "history", { NO_COLOR: "1" });

    assert.equal(ran.code, 1);
    assert.match(ran.out, /iam-refused/);
    assert.doesNotMatch(ran.out + told.out, /[^\r\n\P{Cc}]|\p{Cf}/u);
  });

  it("is drawn over itself while it is watched, without being cleared in between", async () => {
    await using iam = await startFakeIam(someUsers(1), []);
    using node = makeNodeRoot();
    node.configure(iam.url);
    await node.rollcall("sync");

    const child = spawn(SCRIPT, scriptOf(node, "status --watch", 80), {
      env: { ...process.env, ...TERMINAL },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = keepOutput(child);
    await waitFor(() => output().split("\u001b[J").length > 2, output);
    child.kill();
    await once(child, "exit");

    const draws = output().split("\u001b[H").slice(1);
    assert.ok(draws.length >= 2);
    assert.equal(output().split("\u001b[2J").length, 2);
    assert.ok(draws.every((draw) => draw.split("\n").length <= 10 && draw.includes("healthy")));
  });
});

describe("a plan", () => {
  it("on a terminal shows the pages arriving on one line, then the diff in colour", async () => {
    await using iam = await startFakeIam(someUsers(120), [aGroup(1, ["u-1"])]);
    using node = makeNodeRoot();
    node.configure(iam.url);

    const command = `${process.execPath} ${MAIN} plan --root ${node.path}`;
    const ran = await run("script", ["-qec", command, "/dev/null"], { TERM: "xterm" });

    assert.equal(ran.code, 2, ran.out);
    assert.match(ran.out, /\r\u001b\[2KFetching Users 50 of 120/);
    assert.match(ran.out, /Users 120 of 120, Groups 1 of 1 …\r\u001b\[2KChanges:/);
    assert.match(ran.out, /\u001b\[32m {2}\+ group +group1/);
  });

  it("in a pipe has neither colour nor progress", async () => {
    await using iam = await startFakeIam(someUsers(3), []);
    using node = makeNodeRoot();
    node.configure(iam.url);

    const ran = await node.rollcall("plan");

    assert.doesNotMatch(ran.out + ran.err, /\u001b|Fetching/);
  });

  it("as JSON is one object, whether it went well or not", async () => {
    await using iam = await startFakeIam(someUsers(2), []);
    using node = makeNodeRoot();
    node.configure(iam.url);

    const good = await node.rollcall("plan", "--json");
    node.configure("http://127.0.0.1:1");
    const bad = await runRollcall(["--root", node.path, "plan", "--json"]);

    assert.equal(JSON.parse(good.out).steps.length, 9);
    assert.equal(JSON.parse(bad.out).error.code, "iam-unreachable");
  });
});

describe("a command that is mistyped", () => {
  it("says what was wrong and how it is used, with an example, and exits with 64", async () => {
    const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [
        ["explain"],
        /^rollcall: missing required argument 'user'\nUsage: rollcall explain .*<user>\nFor example: rollcall explain \w+ .*\nMore: rollcall help explain$/,
      ],
      [["keys"], /^rollcall: missing required argument 'user'\nUsage: rollcall keys /],
      [
        ["sync", "--offlin"],
        /^rollcall: unknown option '--offlin'\n\(Did you mean --offline\?\)\nUsage: rollcall sync /,
      ],
      [
        ["run", "--grace", "soon"],
        /^rollcall: option '--grace <seconds>' .*It must be a number of seconds\.\nUsage: rollcall run /,
      ],
      [["accept"], /^rollcall: name who is accepted, or say --every/],
      [["sink"], /^rollcall: unknown command "sink"; did you mean sync\?$/],
    ];
    for (const [args, says] of wrong) {
      const ran = await runRollcall(args);

      assert.match(ran.err.trimEnd(), says);
      assert.deepEqual([ran.code, ran.out], [64, ""]);
    }
  });

  it("is taught by its help: examples, exit codes, what it reads and writes", async () => {
    for (const args of [
      ["help", "sync"],
      ["sync", "--help"],
    ]) {
      const ran = await runRollcall(args);

      assert.equal(ran.code, 0);
      assert.match(
        ran.out,
        /\nExamples:\n {2}rollcall sync {2,}\w[^]*\nExit codes:\n {2}0 [^]*\n {2}3 [^]*\n {2}64 /,
      );
      assert.match(
        ran.out,
        /\nReads and writes:\n {2}reads {3}the configuration, [^]*\n {2}writes {2}the maps in caches\.directory/,
      );
    }
  });
});
