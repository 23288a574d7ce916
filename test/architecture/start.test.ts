/**
 * What a command loads when it starts, in the program that is installed: who logs in waits for `rollcall keys`.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";

const LAUNCHER = new URL("../../packaging/rollcall", import.meta.url).pathname;
const BUNDLE = new URL("../../packaging/bundle.ts", import.meta.url).pathname;

/** By package, text of it that stays in what is built. */
const MARKS: Readonly<Record<string, string>> = {
  commander: "commander.unknownCommand",
  zod: "ZodError",
  yaml: "BLOCK_AS_IMPLICIT_KEY",
  undici: "UND_ERR_CONNECT_TIMEOUT",
  pino: "pino.msgPrefix",
  "prom-client": "openmetrics-text",
  chokidar: "ignoreInitial",
  "node-cron": "maxRandomDelay",
  systeminformation: "openwrt_release",
};

/** In the order of their files: which parts are loaded, and which built-in modules are asked for. */
const TRACE = `
const Module = require("node:module");
const { writeSync } = require("node:fs");
const load = Module._load;
Module._load = function (request, parent, isMain) {
  const path = Module.isBuiltin(request) ? request : Module._resolveFilename(request, parent, isMain);
  writeSync(3, path + "\\n");
  return load.apply(this, arguments);
};
`;

describe("the program that is installed", () => {
  const directory = mkdtempSync(join(tmpdir(), "rollcall-start-"));
  after(() => rmSync(directory, { recursive: true }));
  const built = spawnSync(process.execPath, [BUNDLE, join(directory, "dist")], { encoding: "utf8" });
  const main = join(directory, "dist/main.js");
  const texts = () => readdirSync(join(directory, "dist")).map((name) => join(directory, "dist", name));

  /** The packages and the built-in modules that a command line loads. */
  function loadedBy(...args: readonly string[]): {
    readonly packages: string[];
    readonly builtins: string[];
  } {
    const trace = `data:text/javascript,${encodeURIComponent(`import { createRequire } from "node:module"; const require = createRequire("${main}"); ${TRACE}`)}`;
    const ran = spawnSync(process.execPath, ["--import", trace, main, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const loaded = [...new Set((ran.output[3] ?? "").split("\n").filter(Boolean))];
    assert.ok(loaded.includes(main), ran.stderr);
    const code = loaded.filter((path) => path.startsWith("/")).map((path) => readFileSync(path, "utf8"));
    return {
      packages: Object.entries(MARKS)
        .filter(([, mark]) => code.some((text) => text.includes(mark)))
        .map(([name]) => name),
      builtins: loaded.filter((path) => !path.startsWith("/")),
    };
  }

  it("is built, and has every package somewhere", () => {
    assert.equal(built.status, 0, built.stderr);
    const whole = texts().map((path) => readFileSync(path, "utf8"));

    assert.deepEqual(
      Object.entries(MARKS)
        .filter(([, mark]) => !whole.some((text) => text.includes(mark)))
        .map(([name]) => name),
      [],
    );
  });

  it("reads YAML for the keys of a user, and loads nothing else", () => {
    const { packages, builtins } = loadedBy("keys", "nobody");

    assert.deepEqual(packages, ["yaml"]);
    assert.deepEqual(
      builtins.filter((name) => /crypto|child_process|http|net$/.test(name)),
      [],
    );
  });

  it("asks the daemon for the status without what talks to an IAM, watches files or writes a log", () => {
    const { packages, builtins } = loadedBy("status", "--root", directory);

    assert.deepEqual(packages, ["commander", "zod", "yaml"]);
    assert.ok(!builtins.includes("node:http"), "no socket, nothing to ask");
  });

  it("can be written to by nobody else", () => {
    assert.deepEqual(
      texts().filter((path) => (statSync(path).mode & 0o022) !== 0),
      [],
    );
  });

  it("is small as a daemon, wherever its options stand, and has room for a sync", () => {
    const packaged = join(directory, "packaged");
    mkdirSync(packaged);
    copyFileSync(LAUNCHER, join(packaged, "rollcall"));
    writeFileSync(join(packaged, "node"), '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
    const flagsOf = (...args: string[]) =>
      spawnSync(join(packaged, "rollcall"), args, { encoding: "utf8" }).stdout.split(" /")[0];

    const daemon = flagsOf("run");

    assert.match(daemon ?? "", /^--optimize-for-size /);
    assert.equal(flagsOf("--config", "/etc/other.yaml", "run", "--", "sh"), daemon);
    assert.equal(flagsOf("sync"), "--max-semi-space-size=16");
    assert.equal(flagsOf("history", "--user", "runa"), "--max-semi-space-size=16");
  });
});
