import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addCache, isReached, parseNsswitch, removeCache, sourcesOf } from "../../src/formats/nsswitch.ts";

/** The three lines, so that none is added. */
function fileOf(passwd: string, rest = "group: files cache\nshadow: files cache\n"): string {
  return `passwd:${passwd}\n${rest}`;
}

function passwdOf(text: string): string | undefined {
  return /^passwd:([^\n]*)/m.exec(addCache(fileOf(text)).text)?.[1];
}

describe("adding cache to nsswitch.conf", () => {
  const cases: readonly (readonly [before: string, after: string])[] = [
    ["         files systemd", "         files cache systemd"],
    ["\t\tfiles\tsss", "\t\tfiles cache\tsss"],
    [" sss files systemd", " sss files cache systemd"],
    [" compat", " compat cache"],
    [" files  # local ones first", " files cache  # local ones first"],
    ["files#no room", "files cache#no room"],
    [" files\r", " files cache\r"],
    [" files [NOTFOUND=return] sss", " files cache [NOTFOUND=return] sss"],
    [" files [!SUCCESS=return] sss", " files cache [!SUCCESS=return] sss"],
    [" files [!UNAVAIL=return] sss", " files cache [!UNAVAIL=return] sss"],
    [" files [UNAVAIL=return] sss", " files [UNAVAIL=return] cache sss"],
    [" files [SUCCESS=merge] systemd", " files [SUCCESS=merge] cache [SUCCESS=merge] systemd"],
    [
      " files[ success = merge  notfound = return ] sss",
      " files [SUCCESS=merge] cache[ success = merge  notfound = return ] sss",
    ],
    [
      " sss [SUCCESS=merge] files [SUCCESS=merge] systemd",
      " sss [SUCCESS=merge] files [SUCCESS=merge] cache [SUCCESS=merge] systemd",
    ],
    [" files cache systemd", " files cache systemd"],
    [" db sss", " db sss"],
    // glibc would take the answer of the cache, and find nobody local.
    [" files [SUCCESS=continue] sss", " files [SUCCESS=continue] sss"],
    [" files [!NOTFOUND=continue] sss", " files [!NOTFOUND=continue] sss"],
    [" files [NOTFOUND=retrun] sss", " files [NOTFOUND=retrun] sss"],
  ];
  for (const [before, after] of cases) {
    it(`makes ${JSON.stringify(before)} ${before === after ? "stay as it is" : JSON.stringify(after)}`, () => {
      assert.equal(passwdOf(before), after);
    });
  }

  it("adds lines that are missing at the end, where glibc would ask files", () => {
    const { text, wired } = addCache("hosts: files dns\ngroup: files");

    assert.equal(
      text,
      "hosts: files dns\ngroup: files cache\npasswd:         files cache\nshadow:         files cache\n",
    );
    assert.deepEqual(wired, ["group", "passwd", "shadow"]);
  });

  it("changes every line of a database that has several", () => {
    assert.equal(
      addCache(fileOf(" files", "group: files cache\npasswd: files sss\nshadow: cache\n")).text,
      "passwd: files cache\ngroup: files cache\npasswd: files cache sss\nshadow: cache\n",
    );
  });

  it("wires initgroups where there is such a line, because a login then takes its groups from there", () => {
    const { wired, text } = addCache(
      fileOf(
        " files cache",
        "group: files cache\nshadow: files cache\ninitgroups: files [SUCCESS=continue] sss\n",
      ),
    );

    assert.deepEqual(wired, ["initgroups"]);
    assert.match(text, /^initgroups: files \[SUCCESS=continue\] cache \[SUCCESS=continue\] sss$/m);
  });

  it("names the lines that it cannot serve, and those where nobody gets to the cache", () => {
    const { unfit, unreached } = addCache(
      "passwd: files [NOTFOUND=return] cache\ngroup: sss\nshadow: files [\n",
    );

    assert.deepEqual({ unfit, unreached }, { unfit: ["group", "shadow"], unreached: ["passwd"] });
  });

  const blank = fc.constantFrom(" ", "\t", "  ", " \t ");
  const brackets = fc.constantFrom(
    "",
    " [NOTFOUND=return]",
    "[!SUCCESS=return]",
    " [SUCCESS=merge]",
    " [ SUCCESS=merge NOTFOUND=return ]",
    "\t[success=continue]",
    " [UNAVAIL=return TRYAGAIN=return]",
  );
  const source = fc
    .tuple(blank, fc.constantFrom("files", "sss", "systemd", "compat", "db", "nis"), brackets)
    .map((parts) => parts.join(""));
  const line = fc
    .tuple(
      fc.constantFrom("passwd:", "group:", " shadow :", "hosts:", "initgroups:", "# passwd:", "", "sudoers:"),
      fc.array(source, { maxLength: 4 }),
      fc.constantFrom("", " ", "# files cache", " # ü", "\r"),
    )
    .map(([database, sources, end]) => `${database}${sources.join("")}${end}`);
  const files = fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.boolean())
    .map(([lines, isEnded]) => `${lines.join("\n")}${isEnded ? "\n" : ""}`);

  it("is the same done twice as done once", () => {
    fc.assert(
      fc.property(files, (text) => {
        const once = addCache(text);

        const twice = addCache(once.text);

        assert.deepEqual(twice, { ...once, wired: [] });
      }),
    );
  });

  it("makes the cache reached wherever the local source was", () => {
    fc.assert(
      fc.property(files, (text) => {
        const before = parseNsswitch(text);

        const after = parseNsswitch(addCache(text).text);

        for (const database of ["passwd", "group", "shadow"]) {
          const sources = sourcesOf(before, database);
          const local = sources?.find(({ name }) => name === "files");
          const isFit = local?.actions.success !== "continue" && isReached(sources ?? [], "files");
          assert.ok(!isFit || isReached(sourcesOf(after, database) ?? [], "cache"), text);
        }
      }),
    );
  });

  it("asks all the others as before, in the same order and with the same rules", () => {
    fc.assert(
      fc.property(files, (text) => {
        const after = parseNsswitch(addCache(text).text);

        for (const [index, { database, sources }] of parseNsswitch(text).entries()) {
          const others = after[index]?.sources?.filter(({ name }) => name !== "cache");
          assert.equal(after[index]?.database, database);
          assert.deepEqual(
            others?.map(({ name }) => name),
            sources?.map(({ name }) => name),
          );
        }
      }),
    );
  });

  it("is undone byte for byte by taking the cache out again", () => {
    fc.assert(
      fc.property(files, (text) => {
        const { text: wired, wired: databases } = addCache(text);

        const undone = removeCache(wired, databases);

        assert.equal(undone.replace(/\n$/, ""), text.replace(/\n$/, ""));
      }),
    );
  });

  it("takes only its own words out of a file that was edited since", () => {
    const { text, wired } = addCache("passwd: files systemd\ngroup: files\nshadow: files cache\n");
    const edited = text.replace("systemd", "sss  # since June").concat("hosts: files\n");

    assert.equal(
      removeCache(edited, wired),
      "passwd: files sss  # since June\ngroup: files\nshadow: files cache\nhosts: files\n",
    );
  });
});
