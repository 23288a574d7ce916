/**
 * What the shells offer after `rollcall`, asked of the real shells; and that no name from outside is ever run.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

const WORDS = new URL("../../packaging/words/", import.meta.url).pathname;

interface Maps extends Disposable {
  readonly root: string;
  readonly trap: string;
}

/** A root whose maps hold good names among names that a shell would run if it evaluated them. */
function hostileMaps(): Maps {
  const root = mkdtempSync(join(tmpdir(), "rollcall-words-"));
  const trap = join(root, "sprung");
  const hostile = [
    `$(touch ${trap})`,
    `\`touch ${trap}\``,
    `a$(touch\${IFS}${trap})`,
    `a;touch ${trap}`,
    "a\\nb",
    "--accept-removals",
    "*",
    "#freed",
  ];
  const lines = (names: readonly string[]) =>
    names.map((name) => `${name}:x:7001:7001::/h:/bin/sh\n`).join("");
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd.cache"), lines(["ada", "ada.l", ...hostile, "bob", "ada"]));
  writeFileSync(join(root, "etc/group.cache"), lines(["research", ...hostile, "ops"]));
  return { root, trap, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

/** What bash offers for the last of these words. */
function bash(...words: readonly string[]): string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rollcall; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = spawnSync("bash", ["--norc", "-uc", script, "bash", `${WORDS}rollcall.bash`, ...words], {
    encoding: "utf8",
  });
  assert.equal(ran.stderr, "");
  return ran.stdout.split("\n").filter(Boolean);
}

describe("completion in bash", () => {
  it("is registered for rollcall", () => {
    const ran = spawnSync("bash", ["-c", `source ${WORDS}rollcall.bash; complete -p rollcall`], {
      encoding: "utf8",
    });

    assert.equal(ran.stdout, "complete -F _rollcall rollcall\n");
  });

  it("offers commands, and the options of the command", () => {
    assert.deepEqual(bash("rollcall", "st"), ["status"]);
    assert.deepEqual(bash("rollcall", "help", "ex"), ["explain"]);
    assert.ok(bash("rollcall", "").length > 8);
    assert.deepEqual(bash("rollcall", "sync", "--o"), ["--offline"]);
    assert.deepEqual(bash("rollcall", "--json", "status", "--w"), ["--watch"]);
    assert.deepEqual(bash("rollcall", "plan", "--o"), []);
    assert.deepEqual(bash("rollcall", "sync", "--accept-removals", ""), []);
  });

  it("offers files, directories and programs where they are due", () => {
    using maps = hostileMaps();

    assert.deepEqual(bash("rollcall", "--config", `${maps.root}/etc/p`), [`${maps.root}/etc/passwd.cache`]);
    assert.deepEqual(bash("rollcall", "--root", `${maps.root}/e`), [`${maps.root}/etc`]);
    assert.deepEqual(bash("rollcall", "--root", `${maps.root}/etc/p`), []);
    assert.ok(bash("rollcall", "run", "--", "bas").includes("bash"));
  });

  it("offers users and groups of the maps, and evaluates no name", () => {
    using maps = hostileMaps();
    const at = ["rollcall", "--root", maps.root];

    for (const command of ["explain", "keys", "accept"]) {
      assert.deepEqual(bash(...at, command, ""), ["ada", "ada.l", "bob"], command);
      assert.deepEqual(bash(...at, command, "ada."), ["ada.l"], command);
    }
    assert.deepEqual(bash("rollcall", "--root", "=", `${maps.root}/`, "keys", "b"), ["bob"]);
    assert.deepEqual(bash(...at, "accept", "--group", ""), ["research", "ops"]);
    assert.deepEqual(bash(...at, "accept", "--group", "ops", "r"), ["research"]);
    assert.deepEqual(bash(...at, "explain", "$("), []);
    assert.deepEqual(bash("rollcall", "--root", `$(touch ${maps.trap})`, "explain", "a"), []);
    assert.equal(existsSync(maps.trap), false);
  });

  it("offers nothing, and says nothing, where there are no maps", () => {
    assert.deepEqual(bash("rollcall", "--root", "/nonexistent", "keys", ""), []);
  });
});

/** Whether a shell is here at all. */
function skipWithout(shell: string): string | false {
  return spawnSync(shell, ["--version"]).error === undefined ? false : `missing: ${shell}`;
}

describe("completion in zsh", { skip: skipWithout("zsh") }, () => {
  /** Types a line and Tab into a real zsh, and takes the line that it makes of it. */
  const typed = (line: string, { root }: Maps): string => {
    const made = join(root, "line");
    rmSync(made, { force: true });
    const script = `
      zmodload zsh/zpty
      zpty z "TERM=dumb zsh -fi"
      zpty -w z 'autoload -Uz compinit; compinit -D -u; source ${WORDS}rollcall.zsh'
      zpty -w z 'tell() { print -r -- "$BUFFER" >${made}.new; mv ${made}.new ${made} }; zle -N tell; bindkey "^X" tell'
      zpty -n -w z $'${line}\\t\\x18'
      repeat 1000; do
        zpty -r -t z chunk
        [[ -e ${made} ]] && break
        sleep 0.02
      done
      zpty -d z`;
    const ran = spawnSync("zsh", ["-fc", script], { encoding: "utf8", timeout: 60_000 });
    assert.ok(existsSync(made), ran.stdout + ran.stderr);
    return readFileSync(made, "utf8").trimEnd();
  };

  it("has no mistake of syntax", () => {
    assert.equal(spawnSync("zsh", ["-n", `${WORDS}rollcall.zsh`], { encoding: "utf8" }).stderr, "");
  });

  it("completes commands, options and users, and evaluates no name", () => {
    using maps = hostileMaps();

    const at = `rollcall --root ${maps.root}`;

    assert.equal(typed("rollcall stat", maps), "rollcall status");
    assert.equal(typed("rollcall sync --off", maps), "rollcall sync --offline");
    assert.equal(typed(`${at} explain bo`, maps), `${at} explain bob`);
    assert.equal(typed(`${at} accept --group res`, maps), `${at} accept --group research`);
    assert.equal(typed(`${at} keys "\\$("`, maps), `${at} keys "$("`);
    assert.equal(existsSync(maps.trap), false);
  });
});

describe("completion in fish", { skip: skipWithout("fish") }, () => {
  const fish = (line: string): string[] => {
    const ran = spawnSync(
      "fish",
      ["--no-config", "-c", `source ${WORDS}rollcall.fish; complete -C "$argv"`, line],
      {
        encoding: "utf8",
      },
    );
    assert.equal(ran.stderr, "");
    return ran.stdout
      .split("\n")
      .filter(Boolean)
      .map((offer) => offer.split("\t")[0] ?? "");
  };

  it("offers commands, options, users and groups, and evaluates no name", () => {
    using maps = hostileMaps();

    assert.deepEqual(fish("rollcall st"), ["status"]);
    assert.deepEqual(fish("rollcall sync --of"), ["--offline"]);
    assert.deepEqual(fish(`rollcall --root ${maps.root} explain a`), ["ada", "ada.l"]);
    assert.deepEqual(fish(`rollcall --root ${maps.root} accept --group o`), ["ops"]);
    assert.equal(existsSync(maps.trap), false);
  });
});
