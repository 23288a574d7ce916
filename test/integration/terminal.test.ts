/**
 * What people see on a terminal, and what scripts get instead.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startFakeIam } from "../support/fake-iam.ts";
import { makeNodeRoot, run, runRollcall } from "../support/node-root.ts";
import { aGroup, someUsers } from "../support/records.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

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
